# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a node says of itself: the text of --help, from the tables that it works by."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.nodes.common.parameters import Parameter

_WIDTH: Final = 88
#: Ways to write "set a parameter" on a command line.
_SET: Final = ('-p', '--param')
#: Parameters that every node of ROS has.
_EVERYWHERE: Final = frozenset({'use_sim_time', 'start_type_description_service'})
_USAGE: Final = """\
usage: {name} [-h] [--ros-args [-p NAME:=VALUE ...] [--params-file FILE] [-r FROM:=TO ...]
       [--log-level LEVEL]]
"""
_NOTE: Final = """\
Every node publishes /diagnostics, obeys use_sim_time, and can be given a namespace:
-r __ns:=/left. Relative names are in the namespace; ~ is the node itself."""


@dataclass(frozen=True, slots=True)
class About:
    """What a node is.

    Attributes:
        name: Its name, that of its executable too.
        summary: What it does, in a sentence.
        parameters: All that it declares.
        publishes: Its topics, by their names or in words.
        subscribes: Topics that it listens to, likewise.
        services: Services that it answers; those of every node are left out.
    """

    name: str
    summary: str
    parameters: Sequence[Parameter]
    publishes: tuple[str, ...] = ()
    subscribes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    def help(self) -> str:
        """Return what --help shows."""
        lines = [_USAGE.format(name=self.name), self.summary, '', 'parameters:']
        for parameter in self.parameters:
            lines += _described(parameter)
        lines.append('')
        for kind in ('publishes', 'subscribes', 'services'):
            if names := getattr(self, kind):
                lines += _wrapped(f'{kind}: {", ".join(names)}', '  ')
        return '\n'.join([*lines, '', _NOTE])

    def check(self, arguments: Sequence[str], left: Sequence[str]) -> None:
        """Refuse what the node would ignore.

        Args:
            arguments: The command line, without the name of the program.
            left: What of it is not for ROS.

        Raises:
            ConfigError: An argument is not known, or a parameter is given that the node lacks.
        """
        if left:
            msg = (
                f'{self.name}: unknown argument {left[0]!r}: parameters are given as '
                '--ros-args -p NAME:=VALUE; --help lists them'
            )
            raise ConfigError(msg)
        known = [p.name for p in self.parameters]
        for name in _given(arguments):
            # Names with a dot are settings of libraries, such as qos_overrides.
            if name not in known and name not in _EVERYWHERE and '.' not in name:
                near = get_close_matches(name, known, 1)
                hint = f'did you mean {near[0]}? ' if near else ''
                msg = f'{self.name}: no parameter {name!r}: {hint}--help lists them'
                raise ConfigError(msg)


def _given(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the names of parameters on a command line; `node:name` may be for another node."""
    for option, value in pairwise(arguments):
        name, assigned, _ = value.partition(':=')
        if option in _SET and assigned and ':' not in name:
            yield name


def _described(parameter: Parameter) -> Iterator[str]:
    head = [parameter.name, parameter.type_name, parameter.literal, *parameter.limits()]
    yield f'  {head[0]} ({head[1]}, {head[2]})'
    yield from _wrapped('; '.join([parameter.description.rstrip('.'), *head[3:]]), '      ')


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + '  ' * (indent == '  '),
        break_on_hyphens=False,
    )
