# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A message type as a tree, with the sizes that its parts have in CDR."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.text import excerpt
from m2r2_ros.readers.definitions import store_for

#: numpy types of the numbers that a definition may name.
_NUMBERS: Final = {
    'bool': 'b1', 'byte': 'u1', 'char': 'u1', 'uint8': 'u1', 'int8': 'i1',
    'uint16': 'u2', 'int16': 'i2', 'uint32': 'u4', 'int32': 'i4', 'uint64': 'u8', 'int64': 'i8',
    'float32': 'f4', 'float64': 'f8',
}  # fmt: skip
#: Nothing is aligned to more, so sizes depend on the position modulo this.
_PERIOD: Final = 8
#: Messages in messages; those of ROS have six or so.
_DEEPEST: Final = 32
_HEADER: Final = 'std_msgs/msg/Header'
_TIME: Final = 'builtin_interfaces/msg/Time'


class Number:
    """A number of any width, or a truth value.

    Attributes:
        kind: numpy type without byte order, such as 'f8'.
        size: Bytes, and what it is aligned to.
        fixed: It always has the same size.
        numbers: It is one.
    """

    fixed = True
    numbers = 1

    def __init__(self, name: str) -> None:
        self.name, self.kind = name, _NUMBERS[name]
        self.size = int(self.kind[1])

    def past(self, at: int) -> int:
        """Return the position after one that would begin at `at`."""
        return -(-at // self.size) * self.size + self.size


class Text:
    """A string."""

    fixed = False
    name = 'string'
    numbers = 0


class Message:
    """A message.

    Attributes:
        name: Its type, such as 'std_msgs/msg/Header'.
        fields: Its parts by name, in order.
        fixed: Whether it always takes as many bytes, but for alignment.
        numbers: How many it holds, those of headers, which are not measured, left out; None where
            each message has as many as it likes.
        array: Name of the first field that is an array of messages, or holds one; '' for none.
    """

    def __init__(self, name: str, fields: 'Mapping[str, Node]') -> None:
        self.name, self.fields = name, fields
        self.fixed: bool = all(node.fixed for node in fields.values())
        counts = [] if self.is_header else [node.numbers for node in fields.values()]
        self.numbers: int | None = None if None in counts else sum(count or 0 for count in counts)
        self.array = next((key for key, node in fields.items() if _has_array(node)), '')
        self._sizes: dict[int, int] = {}

    @property
    def is_header(self) -> bool:
        """Whether it says when and where, and holds nothing that was measured."""
        return self.name == _HEADER

    @property
    def stamp(self) -> tuple[str, ...]:
        """Path to the time stamp; () without one."""
        fields = self.fields
        header = fields.get('header')
        if isinstance(header, Message) and header.is_header and header.stamp:
            return 'header', 'stamp'
        return ('stamp',) if 'stamp' in fields and _is_time(fields['stamp']) else ()

    def past(self, at: int) -> int:
        """Return the position after one of fixed size that would begin at `at`."""
        phase = at % _PERIOD
        if phase not in self._sizes:
            end = phase
            for node in self.fields.values():
                end = past(node, end)
            self._sizes[phase] = end - phase
        return at + self._sizes[phase]


class Many:
    """An array or a sequence.

    Attributes:
        item: What it holds.
        count: How many; None where each message says so itself.
        fixed: Whether it always takes as many bytes, but for alignment.
        numbers: How many it holds; None where each message has as many as it likes.
    """

    def __init__(self, item: 'Node', count: int | None) -> None:
        self.item, self.count = item, count
        some = None if count is None or item.numbers is None else count * item.numbers
        self.numbers: int | None = 0 if item.numbers == 0 else some
        self.fixed: bool = count is not None and item.fixed
        self.name: str = f'{item.name}[{"" if count is None else count}]'


Node = Number | Text | Message | Many


def _is_time(node: Node) -> bool:
    """Return whether this is a time, which no recording can define otherwise."""
    return isinstance(node, Message) and node.name == _TIME


def _has_array(node: Node) -> bool:
    if isinstance(node, Many):
        return isinstance(node.item, Message)
    return isinstance(node, Message) and bool(node.array)


def past(node: Node, at: int, count: int = 1) -> int:
    """Return the position after `count` parts of fixed size, of which the first begins at `at`."""
    if isinstance(node, Many):
        return past(node.item, at, count * (node.count or 0))
    if isinstance(node, Number):
        return node.past(at) + (count - 1) * node.size if count else at
    assert isinstance(node, Message)
    # How long one is depends on where it begins, modulo 8: soon the same beginning returns.
    seen: dict[int, tuple[int, int]] = {}
    while count:
        phase = at % _PERIOD
        if phase in seen:
            before, left = seen.pop(phase)
            rounds = count // (left - count)
            count -= rounds * (left - count)
            at += rounds * (at - before)
            seen.clear()
            if not count:
                break
        seen[phase] = at, count
        at, count = node.past(at), count - 1
    return at


@lru_cache(maxsize=64)
def message_type(type_name: str, definition: str = '') -> Message:
    """Return a message type as a tree.

    Args:
        type_name: Such as 'sensor_msgs/msg/JointState'.
        definition: Full ros2msg text; '' takes a type that is known here.

    Raises:
        MessageError: It is unknown, or what it holds cannot be read.
    """
    return _Builder(type_name, definition).message(type_name, 0)


class _Builder:
    """Makes a tree of what rosbags knows of a type."""

    def __init__(self, type_name: str, definition: str) -> None:
        self._type = type_name
        self._known = store_for(type_name, definition).fielddefs
        self._made: dict[str, Message] = {}

    def message(self, name: str, depth: int) -> Message:
        """Return a message type."""
        if name not in self._made:
            if name not in self._known or depth > _DEEPEST:
                found = 'unknown' if name not in self._known else 'nested too deep'
                msg = f'type {self._type}: {excerpt(name)} in it is {found}'
                raise MessageError(msg)
            fields = self._known[name][1]
            self._made[name] = Message(name, {key: self._node(d, depth) for key, d in fields})
        return self._made[name]

    def _node(self, description: Any, depth: int) -> Node:  # noqa: ANN401 - nested tuples
        from rosbags.interfaces import Nodetype

        kind, what = description
        if kind == Nodetype.NAME:
            return self.message(what, depth + 1)
        if kind == Nodetype.BASE:
            if what[0] == 'string':
                return Text()
            if what[0] not in _NUMBERS:
                msg = f'type {self._type}: {excerpt(what[0])} in it cannot be read'
                raise MessageError(msg)
            return Number(what[0])
        item, count = what
        return Many(self._node(item, depth), count if kind == Nodetype.ARRAY else None)
