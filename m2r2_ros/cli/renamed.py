# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands and options that were renamed: their old names still work, with a notice."""

from typing import Any, Final

from typer.core import TyperGroup

from m2r2_ros.cli.console import console

#: New names of commands.
COMMANDS: Final = {'reassemble': 'reproduce'}
#: New names of options, by the command's new name.
OPTIONS: Final = {
    'evaluate': {'--t-e': '--detection-window'},
    'pretrain': {'--per-action': '--action-weight'},
    'train-head': {'--choose': '--epoch'},
}


class Renaming(TyperGroup):
    """A group of commands that understands old names."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's
        """Parse the command line with today's names."""
        parsed: list[str] = super().parse_args(ctx, current_names(args))
        return parsed


def current_names(args: list[str]) -> list[str]:
    """Return arguments with old names replaced, and print a notice for each on standard error."""
    if not args:
        return args
    command = _current(args[0], COMMANDS, 'm2r2 ')
    known = OPTIONS.get(command, {})
    options = []
    for arg in args[1:]:
        name, equals, value = arg.partition('=')
        options.append(_current(name, known, f'm2r2 {command} ') + equals + value)
    return [command, *options]


def _current(name: str, renamed: dict[str, str], prefix: str) -> str:
    if name not in renamed:
        return name
    console.print(f'{prefix}{name} is now {prefix}{renamed[name]}', soft_wrap=True)
    return renamed[name]
