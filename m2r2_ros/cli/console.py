# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where commands print, and how they show progress."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

#: Progress and messages; standard output is for results. Names of files may hold brackets, which
#: are not to be taken for markup.
console = Console(stderr=True, markup=False, highlight=False)
stdout = Console(markup=False, highlight=False)


def progress_bar() -> Progress:
    """Return a progress display on standard error."""
    return Progress(
        TextColumn('{task.description}', markup=False),
        BarColumn(),
        TextColumn('{task.percentage:>3.0f} %'),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def epoch_bar() -> Progress:
    """Return a progress display of epochs; its tasks have a field 'loss'."""
    return Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.completed}/{task.total}'),
        TextColumn('{task.fields[loss]}', markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
