# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One message, walked by its definition: where its numbers are, and what decides about that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from m2r2_ros.readers.cdr import (
    ENCAPSULATION,
    MALFORMED,
    ORDERS,
    PADDING,
    Unusable,
)
from m2r2_ros.readers.paths import MAX_NUMBERS, Step
from m2r2_ros.readers.types import Many, Message, Node, Number, Text, past

#: Lengths of strings and sequences in a message.
_MAX_WORDS: Final = 65_536
_WORD: Final = 4
#: Items from the first up to the one after the last, None for all, and what is wanted of each.
_Items = tuple[int, int | None, 'Plan']


@dataclass(frozen=True, slots=True)
class Run:
    """Numbers of one type, one after the other.

    Attributes:
        kind: numpy type without byte order.
        at: Where the first one begins, bytes from the beginning of the message.
        count: How many.
    """

    kind: str
    at: int
    count: int

    @property
    def size(self) -> int:
        """Bytes of a number."""
        return int(self.kind[1])


@dataclass(slots=True)
class Found:
    """What is where in a message.

    Attributes:
        order: '<' or '>'.
        words: Where the lengths of strings and sequences are, and what they are.
        ends: Where strings have their closing zeros.
        lists: Where strings, or lists of them, begin and end that decide which numbers are taken.
        runs: The numbers that each path leads to.
        texts: The strings that each path leads to.
        end: Where the message ends.
        short: Whether it has fewer numbers than the paths lead to, or more than are read.
    """

    order: str
    words: list[tuple[int, int]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    lists: list[tuple[int, int]] = field(default_factory=list)
    runs: dict[int, list[Run]] = field(default_factory=dict)
    texts: dict[int, list[str]] = field(default_factory=dict)
    end: int = 0
    short: bool = False


class Plan:
    """What is wanted of a part of a type, by the number of the path.

    Attributes:
        slots: Paths that end here.
        parts: The fields of a message, and what is wanted of each.
        items: For an array: items of which something is wanted, from the first up to the one after
            the last, None for all that there are.
    """

    def __init__(self, node: Node, wanted: 'Sequence[_Wanted]') -> None:
        self.slots = [want.slot for want in wanted if not want.steps]
        self.parts: list[tuple[Node, Plan | None]] = []
        self.items: list[_Items] = []
        if isinstance(node, Message):
            for name, part in node.fields.items():
                inside = [want for w in wanted for want in w.inside(name, part)]
                self.parts.append((part, Plan(part, inside) if inside else None))
        elif isinstance(node, Many):
            together: dict[tuple[int, int | None], list[_Wanted]] = {}
            for want in wanted:
                inner = _Wanted(want.slot, want.steps)
                together.setdefault(want.items or (0, None), []).append(inner)
            self.items = [(*items, Plan(node.item, own)) for items, own in together.items()]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A path, seen from a part of a type.

    Attributes:
        slot: Number of the path.
        steps: What is left of it; () for all that is here.
        items: Which items, where an array is here.
    """

    slot: int
    steps: tuple[Step, ...]
    items: tuple[int, int | None] | None = None

    def inside(self, name: str, part: Node) -> 'Iterable[_Wanted]':
        """Return what is wanted of a field."""
        if not self.steps:
            measured = not (isinstance(part, Message) and part.is_header) and part.numbers != 0
            return [self] if measured else []
        if self.steps[0].name != name:
            return []
        return [_Wanted(self.slot, self.steps[1:], self.steps[0].items)]


def plan_for(root: Message, paths: Sequence[tuple[Step, ...]]) -> Plan:
    """Return the plan of a walk that looks for these paths, numbered in order."""
    return Plan(root, [_Wanted(k, steps) for k, steps in enumerate(paths)])


def walk(raw: memoryview, root: Message, plan: Plan) -> Found:
    """Find the numbers of a message.

    Args:
        raw: The message, with its encapsulation header.
        root: Its type.
        plan: What is wanted.

    Raises:
        Unusable: It is not what its type promises.
    """
    order = ORDERS.get(bytes(raw[:2]))
    if order is None or len(raw) < ENCAPSULATION:
        raise Unusable(MALFORMED)
    walker = _Walker(raw[ENCAPSULATION:], order)
    walker.visit(root, plan)
    return walker.finish()


class _Walker:
    """A cursor in a message; positions count from the end of the encapsulation header."""

    def __init__(self, body: memoryview, order: str) -> None:
        self._body, self._size, self._at = body, len(body), 0
        self._endian: Final = 'little' if order == '<' else 'big'
        self._numbers = self._lengths = 0
        self._found = Found(order)

    def visit(self, node: Node, plan: Plan | None) -> None:
        """Go past a part of the type and note what is wanted of it."""
        if plan is None and node.fixed:
            self._at = past(node, self._at)
        elif isinstance(node, Number):
            self._at = -(-self._at // node.size) * node.size
            self._note(node, 1, plan)
            self._at += node.size
        elif isinstance(node, Text):
            self._text(plan)
        elif isinstance(node, Message):
            parts = plan.parts if plan else [(part, None) for part in node.fields.values()]
            for part, wanted in parts:
                self.visit(part, wanted)
        else:
            self._many(node, plan)
        if self._at > self._size:
            raise Unusable(MALFORMED)

    def finish(self) -> Found:
        """Return what was found; refuse a message that goes on for longer than its type."""
        if not 0 <= self._size - self._at <= PADDING:
            raise Unusable(MALFORMED)
        self._found.end = self._at + ENCAPSULATION
        return self._found

    def _many(self, node: Many, plan: Plan | None) -> None:
        item = node.item
        count = self._length() if node.count is None else node.count
        wanted = plan.items if plan else []
        there = [w for w in wanted if (w[0] if w[1] is None else w[1]) <= count]
        self._found.short |= len(there) < len(wanted)
        wanted = there
        if not isinstance(item, Text) and item.fixed:
            begin, end = self._at, past(item, self._at, count)
            if end > self._size:
                raise Unusable(MALFORMED)
            for first, last, inner in wanted:
                self._fixed_items(item, begin, first, count if last is None else last, inner)
            self._at = end
            return
        if count > self._size - self._at:  # each takes a byte at least
            raise Unusable(MALFORMED)
        self._items(item, count, wanted)

    def _fixed_items(self, item: Node, begin: int, first: int, end: int, inner: Plan) -> None:
        """Note items of a fixed size, which can be found without looking at the others."""
        self._at = past(item, begin, first)
        if isinstance(item, Number):
            self._at = -(-self._at // item.size) * item.size
            if end > first:
                self._note(item, end - first, inner)
            return
        for _ in range(first, end):
            self.visit(item, inner)

    def _items(
        self, item: Node, count: int, wanted: Sequence[tuple[int, int | None, Plan]]
    ) -> None:
        """Go past items of which each says how long it is."""
        found, begin = self._found, self._at
        words, ends, lists = len(found.words), len(found.ends), len(found.lists)
        for k in range(count):
            here = [p for first, end, p in wanted if first <= k and (end is None or k < end)]
            if len(here) <= 1:
                self.visit(item, here[0] if here else None)
                continue
            start = self._at
            for plan in here:  # nothing is noted twice, for every path has its own slot
                self._at = start
                self.visit(item, plan)
        if isinstance(item, Text) and wanted and count:
            # Texts that are wanted decide what the numbers are: they are compared as a whole.
            del found.words[words:], found.ends[ends:], found.lists[lists:]
            found.lists.append((begin + ENCAPSULATION, self._at + ENCAPSULATION))

    def _text(self, plan: Plan | None) -> None:
        length = self._length()
        begin, end = self._at, self._at + length
        if end > self._size or (length and self._body[end - 1]):
            raise Unusable(MALFORMED)
        if length:
            self._found.ends.append(end - 1 + ENCAPSULATION)
        self._at = end
        if plan and plan.slots and length:
            self._found.lists.append((begin + ENCAPSULATION, end + ENCAPSULATION))
        for slot in plan.slots if plan else ():
            text = bytes(self._body[begin : max(begin, end - 1)]).decode(errors='replace')
            self._found.texts.setdefault(slot, []).append(text)

    def _length(self) -> int:
        """Read the length of a string or a sequence."""
        self._at = at = -(-self._at // _WORD) * _WORD
        self._lengths += 1
        if at + _WORD > self._size or self._lengths > _MAX_WORDS:
            raise Unusable(MALFORMED)
        self._at = at + _WORD
        value = int.from_bytes(self._body[at : self._at], self._endian)
        self._found.words.append((at + ENCAPSULATION, value))
        return value

    def _note(self, node: Number, count: int, plan: Plan | None) -> None:
        """Note numbers at the cursor."""
        for slot in plan.slots if plan else ():
            self._numbers += count
            if self._numbers > MAX_NUMBERS:
                self._found.short = True
                return
            run = Run(node.kind, self._at + ENCAPSULATION, count)
            self._found.runs.setdefault(slot, []).append(run)
