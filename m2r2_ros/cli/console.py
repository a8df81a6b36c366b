# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where commands print, and how they show progress."""

from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from m2r2_ros.core.text import printable


class PlainConsole(Console):
    """A console that shows text as it is, on one line and without acting on it.

    Names of topics, labels and files may hold brackets, which are not to be taken for markup,
    `:smile:`, or what moves a terminal's cursor or opens a link.
    """

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)

    def render_str(self, text: str, *args: Any, **options: Any) -> Text:  # noqa: ANN401 - rich's
        """Render text, which is where all of it passes that comes as `str`."""
        return super().render_str(printable(text), *args, **options)


#: Progress and messages; standard output is for results.
console = PlainConsole(stderr=True)
stdout = PlainConsole()


def print_error(error: Exception) -> None:
    """Show an error that the user can fix; of several lines each one by itself."""
    console.print('error:', style='bold red', end=' ')
    for line in str(error).split('\n'):
        console.print(line, soft_wrap=True)


class Description(ProgressColumn):
    """What a task is doing."""

    def render(self, task: Task) -> Text:
        """Show it as it is."""
        return Text(printable(task.description))


def progress_bar() -> Progress:
    """Return a progress display on standard error."""
    return Progress(
        Description(),
        BarColumn(),
        TextColumn('{task.percentage:>3.0f} %'),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def epoch_bar() -> Progress:
    """Return a progress display of epochs; its tasks have a field 'loss'."""
    return Progress(
        Description(),
        BarColumn(),
        TextColumn('{task.completed}/{task.total}'),
        TextColumn('{task.fields[loss]}', markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
