# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Groups of commands, each imported when it is asked for: most need more than others."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup


class Listed(NamedTuple):
    """What is known of a command before it is imported.

    Attributes:
        place: Where it lies in m2r2_ros.cli, as module:attribute.
        help: The first sentence of its own help.
    """

    place: str
    help: str


class LazyGroup(TyperGroup):
    """A group of commands, whose help imports none of them.

    Attributes:
        listed: What is known of its commands, by name, in the order of the help.
    """

    listed: ClassVar[Mapping[str, Listed]] = {}

    def __init__(self, **attrs: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(**attrs)
        self.commands = Imported(self.listed)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - click's
        """Show the help, for which no command is imported."""
        with self._not_imported():
            super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ANN401 - click's
        """Return the commands that begin so, for which none is imported either."""
        with self._not_imported():
            found: list[Any] = super().shell_complete(ctx, incomplete)
            return found

    @contextmanager
    def _not_imported(self) -> Iterator[None]:
        """Have for a while commands that are no more than their names and sentences."""
        imported = self.commands
        self.commands = {n: TyperCommand(n, help=known.help) for n, known in self.listed.items()}
        try:
            yield
        finally:
            self.commands = imported


class Imported(dict[str, Any]):
    """Commands by name; the value of a name is imported when it is looked up."""

    def __init__(self, listed: Mapping[str, Listed]) -> None:
        """Know all names."""
        super().__init__(listed)
        self._listed = listed

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - click's
        module, attribute = self._listed[name].place.split(':')
        found = getattr(import_module(f'm2r2_ros.cli.{module}'), attribute)
        app = found
        if not isinstance(found, typer.Typer):
            app = typer.Typer(add_completion=False)
            app.command(name)(found)
        command = typer.main.get_command(app)
        command.name = name
        return command

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - click's
        """Return a command, or the default where there is none of this name."""
        return default if name not in self._listed else self[name]

    def items(self) -> Any:  # noqa: ANN401 - a view of a dict
        """Return names and commands, all imported."""
        return {name: self[name] for name in self._listed}.items()

    def values(self) -> Any:  # noqa: ANN401 - a view of a dict
        """Return the commands, all imported."""
        return {name: self[name] for name in self._listed}.values()
