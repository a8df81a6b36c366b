# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Paths to the numbers in a message: `wrench.force.z`, `position[0:7]`, `poses[0].position`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, NoReturn

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.text import excerpt, listed
from m2r2_ros.readers.types import Many, Message, Node, Number, Text

#: Numbers of a sample.
MAX_NUMBERS: Final = 4096
#: Characters of a path.
_LONGEST: Final = 200
_STEP: Final = re.compile(r'([A-Za-z]\w*)(?:\[(\d{1,7})\]|\[(\d{0,7}):(\d{0,7})\])?')
#: Parts of a type that are looked at for what a path may have meant.
_MOST_LOOKED_AT: Final = 2000


@dataclass(frozen=True, slots=True)
class Step:
    """A field, and which of its items.

    Attributes:
        name: The field.
        items: Which items of an array, None without an index: the first, and the one after the
            last, None for all that there are.
    """

    name: str
    items: tuple[int, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """A path that a type has.

    Attributes:
        text: As it was written.
        steps: Its fields; () for the whole message.
        node: What is there; with an index, one of the items.
        count: How many numbers it leads to; None where that differs from message to message.
    """

    text: str
    steps: tuple[Step, ...]
    node: Node
    count: int | None

    @property
    def is_list(self) -> bool:
        """Whether it leads to one array of numbers, all of it."""
        single = all(not step.items or step.items[1] == step.items[0] + 1 for step in self.steps)
        return single and isinstance(self.node, Many) and isinstance(self.node.item, Number)


def find_path(root: Message, text: str, where: str) -> Path:
    """Look a path to numbers up in a type.

    Args:
        root: The type.
        text: The path; '' is the whole message.
        where: Names topic and field, for messages.

    Raises:
        ConfigError: There is no such path, it leads to text, or to more than MAX_NUMBERS numbers.
    """
    where = f'{where}: {excerpt(text)!r} in type {root.name}'
    steps = parse_path(text, where)
    found: Node = root
    many: int | None = 1
    for k, step in enumerate(steps):
        if not isinstance(found, Message):
            _refuse(where, f'{step.name} is looked for in {steps[k - 1].name}, a {found.name}')
        if step.name not in found.fields:
            _refuse_unknown(root, found, steps[k:], where)
        found, factor = _enter(found.fields[step.name], step, where)
        many = None if many is None or factor is None else many * factor
    _expect_numbers(found, where)
    count = None if found.numbers is None or many is None else found.numbers * many
    if count is not None and count > MAX_NUMBERS:
        _refuse(where, f'it leads to {count} numbers, at most {MAX_NUMBERS} are read')
    return Path(text, steps, found, count)


def every_path(root: Message) -> Iterator[tuple[str, Node]]:
    """Yield the paths of a type to what is outside arrays, the shortest first."""
    level: list[tuple[str, Node]] = [('', root)]
    looked_at = 0
    while level and looked_at < _MOST_LOOKED_AT:
        below: list[tuple[str, Node]] = []
        for path, node in level:
            looked_at += 1
            yield path, node
            if isinstance(node, Message) and len(below) < _MOST_LOOKED_AT:
                prefix = f'{path}.' if path else ''
                below += [(prefix + name, part) for name, part in node.fields.items()]
        level = below


def number_paths(root: Message) -> list[str]:
    """Return the paths of a type to numbers and arrays of them, the shortest first.

    Those of headers, which are not measured, are left out.
    """
    every = list(every_path(root))
    headers = tuple(f'{p}.' for p, node in every if isinstance(node, Message) and node.is_header)
    return [
        path
        for path, node in every
        if path
        and not isinstance(node, Message)
        and node.numbers != 0
        and not path.startswith(headers)
    ]


def parse_path(text: str, where: str) -> tuple[Step, ...]:
    """Take a path apart.

    Raises:
        ConfigError: It is no path; the message begins with `where`.
    """
    if not text:
        return ()
    steps = []
    for part in text[: _LONGEST + 1].split('.'):
        match = _STEP.fullmatch(part)
        if match is None or len(text) > _LONGEST:
            _refuse(where, 'expected field names such as position[0:7] or wrench.force.z')
        name, index, start, stop = match.groups()
        items: tuple[int, int | None] | None = None
        if index is not None:
            items = int(index), int(index) + 1
        elif start is not None:
            items = int(start or 0), int(stop) if stop else None
            if stop and int(stop) <= items[0]:
                _refuse(where, f'{part} has no items; the second number is the one after the last')
        steps.append(Step(name, items))
    return tuple(steps)


def _enter(node: Node, step: Step, where: str) -> tuple[Node, int | None]:
    """Return what is at a field, or is one of its items, and how many of these are taken."""
    if step.items is None:
        return node, 1
    if not isinstance(node, Many):
        _refuse(where, f'{step.name} is a {node.name}, which has no items to choose from')
    first, end = step.items
    if node.count is not None:
        if (end or first + 1) > node.count:
            _refuse(where, f'{step.name} has {node.count} items, counted from 0')
        end = node.count if end is None else end
    return node.item, None if end is None else end - first


def _expect_numbers(node: Node, where: str) -> None:
    """Refuse what leads to text, or to an unknown number of messages."""
    array = node.array if isinstance(node, Message) else ''
    if array or (isinstance(node, Many) and isinstance(node.item, Message)):
        what = f'its field {array} holds' if array else 'it is'
        _refuse(where, f'{what} an array of messages; say which, as in poses[0].position')
    if node.numbers == 0:
        item = node.item if isinstance(node, Many) else node
        _refuse(where, f'it holds {"text" if isinstance(item, Text) else "no number"}')


def _refuse_unknown(root: Message, level: Message, steps: tuple[Step, ...], where: str) -> NoReturn:
    """Say that a field does not exist, which ones do, and what may have been meant."""
    name = steps[0].name
    near = get_close_matches(name, level.fields, 3)
    if not near:
        tail = '.'.join(step.name for step in steps)
        near = [path for path, _ in every_path(root) if path.endswith(f'.{tail}')][:3]
    hint = f'; did you mean {" or ".join(excerpt(text) for text in near)}?' if near else ''
    here = 'it' if level is root else level.name
    _refuse(where, f'there is no {name}; {here} has {listed(list(level.fields), 30)}{hint}')


def _refuse(where: str, why: str) -> NoReturn:
    msg = f'{where}: {why}'
    raise ConfigError(msg)
