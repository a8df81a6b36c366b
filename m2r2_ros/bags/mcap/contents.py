# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of one chunk, damaged or not, held against the index that follows it."""

from array import array
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from mcap.opcode import Opcode
from mcap.records import Channel, Schema
from numpy.typing import NDArray

from m2r2_ros.bags.mcap.chunks import heads_at
from m2r2_ros.bags.mcap.records import DAY, END_OF_TIME, MESSAGE, PREFIX, UNREADABLE, parse
from m2r2_ros.bags.mcap.search import next_record

#: A message in an index: channel, log time, where its record starts in the chunk.
ENTRY: Final = np.dtype([('channel', '<u2'), ('log', '<u8'), ('offset', '<u8')])
_IN_CHUNKS: Final = (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE)


@dataclass(frozen=True, slots=True)
class ChunkIndexed:
    """What else is known of a chunk.

    Attributes:
        entries: ENTRY (n,), what the index after the chunk lists; None for a chunk without.
        whole: The index is all there.
        most: Records that it may have.
        spans: Times of its first and last message, nanoseconds, each as one record says.
    """

    entries: NDArray[np.void] | None
    whole: bool
    most: int
    spans: list[tuple[int, int]]

    def near(self, times: NDArray[np.uint64], by: int = 0) -> NDArray[np.bool_]:
        """Return which log times lie no more than `by` ns outside of what the chunk says."""
        near = np.zeros(len(times), np.bool_)
        spans = [(a, b) for a, b in self.spans if a <= b and (a, b) != (0, 0)]
        for first, last in spans:
            low = np.uint64(max(first - by, 0))
            near |= (times >= low) & (times <= np.uint64(min(last + by, 2**64 - 1)))
        return near if spans else np.ones(len(times), np.bool_)


@dataclass(slots=True)
class Contents:
    """What is in a chunk.

    Attributes:
        positions: int64 (n,), where the records of the messages start.
        heads: MESSAGE (n,), their heads.
        doubtful: bool (n,), bytes of the message may be wrong.
        definitions: Where the records of schemas and channels start.
        lost: ENTRY (m,), messages of the index that are not there.
        elsewhere: ENTRY (k,), messages of the index in whose place another was found.
        damaged: Bytes that are no records.
        dropped: Messages that were left out as damaged and that no index lists.
        unknown: Messages whose channel has no topic.
    """

    positions: NDArray[np.int64]
    heads: NDArray[np.void]
    doubtful: NDArray[np.bool_]
    definitions: 'array[int]'
    lost: NDArray[np.void]
    elsewhere: NDArray[np.void]
    damaged: int = 0
    dropped: int = 0
    unknown: int = 0


def sort_out(
    data: NDArray[np.uint8], indexed: ChunkIndexed, *, checked: bool, cut: bool
) -> Contents:
    """Find the messages of a chunk, and those that are missing.

    Args:
        data: The unpacked bytes, of a damaged or truncated chunk those that there are.
        indexed: What else is known of the chunk.
        checked: A checksum says that the bytes are right, so that nothing is missing.
        cut: The file ends within the chunk.
    """
    entries = np.empty(0, ENTRY) if indexed.entries is None else indexed.entries
    entries = entries[np.argsort(entries['offset'], kind='stable')]
    agrees = _agrees(data, entries)
    anchors = np.unique(entries['offset'][agrees].astype(np.int64))
    walk = _Walk(
        data, indexed, checked, cut, entries['offset'],
        searches=not checked and not (indexed.whole and agrees.all()),
    )  # fmt: skip
    walk.run(anchors)
    positions = np.sort(np.frombuffer(walk.messages, np.int64)) if walk.messages else anchors[:0]
    positions = np.union1d(positions, walk.clean)
    heads = heads_at(data, positions)
    doubtful = np.isin(positions, np.array(walk.doubtful, np.int64))
    keep = heads['log'] < np.uint64(END_OF_TIME)
    lost, elsewhere = entries[:0], entries[:0]
    if not checked:
        listed = np.isin(positions, anchors)
        met = agrees & np.isin(entries['offset'].astype(np.int64), positions[keep])
        _match(entries, met, heads, listed)
        if indexed.entries is not None:
            doubtful |= ~listed
        doubtful |= ~listed & ~indexed.near(heads['log'])
        keep &= listed | indexed.near(heads['log'], DAY)
        missing = entries[~met]
        taken = np.isin(missing['offset'].astype(np.int64), positions[keep])
        lost, elsewhere = missing[~taken], missing[taken]
    unlisted = ~np.isin(positions, lost['offset'].astype(np.int64))
    dropped = int((~keep & unlisted).sum())
    return Contents(
        positions[keep], heads[keep], doubtful[keep], walk.definitions, lost, elsewhere,
        walk.damaged, dropped,
    )  # fmt: skip


def _agrees(data: NDArray[np.uint8], entries: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return at which entries there is a message as they say."""
    inside = entries['offset'] + np.uint64(MESSAGE.itemsize) <= np.uint64(len(data))
    inside &= entries['offset'] < np.uint64(len(data))  # where the sum has overflowed
    some = entries[inside]
    offsets = some['offset'].astype(np.int64)
    heads = heads_at(data, offsets)
    room = (len(data) - PREFIX.size - offsets).astype(np.uint64)
    sizes = heads['size']
    fits = (sizes >= MESSAGE.itemsize - PREFIX.size) & (sizes <= room)
    fits &= (heads['op'] == Opcode.MESSAGE) & (heads['channel'] == some['channel'])
    fits &= heads['log'] == some['log']
    agrees = np.zeros(len(entries), np.bool_)
    agrees[np.flatnonzero(inside)[fits]] = True
    return agrees


def _match(
    entries: NDArray[np.void],
    met: NDArray[np.bool_],
    heads: NDArray[np.void],
    listed: NDArray[np.bool_],
) -> None:
    """Pair messages with entries of which only the offset is wrong; updates `met`, `listed`."""
    open_entries, open_messages = np.flatnonzero(~met), np.flatnonzero(~listed)
    if not len(open_entries) or not len(open_messages):
        return
    waiting: dict[tuple[int, int], list[int]] = {}
    for k in open_messages.tolist():
        waiting.setdefault((int(heads['channel'][k]), int(heads['log'][k])), []).append(k)
    for k in open_entries.tolist():
        same = waiting.get((int(entries['channel'][k]), int(entries['log'][k])))
        if same:
            listed[same.pop()] = True
            met[k] = True


@dataclass(slots=True)
class _Walk:
    """Goes from record to record of a chunk, and on after damaged ones.

    Attributes:
        data: The chunk.
        indexed: What else is known of it.
        checked: Its checksum is right.
        cut: The file ends within it.
        offsets: Where the index says that messages begin, ascending.
        searches: There may be messages that the index does not list, or elsewhere than it says.
        clean: Messages that the index confirms, and behind which the next of them begins.
        messages: Where other messages begin.
        definitions: Where schemas and channels begin.
        doubtful: Messages behind which there is no record.
        damaged: Bytes that are no records.
    """

    data: NDArray[np.uint8]
    indexed: ChunkIndexed
    checked: bool
    cut: bool
    offsets: NDArray[np.uint64]
    searches: bool
    clean: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    messages: 'array[int]' = field(default_factory=lambda: array('q'))
    definitions: 'array[int]' = field(default_factory=lambda: array('q'))
    doubtful: 'array[int]' = field(default_factory=lambda: array('q'))
    damaged: int = 0

    def run(self, anchors: NDArray[np.int64]) -> None:
        """Walk the chunk, from each message that the index confirms to the next."""
        size = len(self.data)
        stops = np.append(anchors[1:], size) if len(anchors) else anchors
        lengths = heads_at(self.data, anchors)['size'].astype(np.int64)
        clean = anchors + lengths + PREFIX.size == stops
        self.clean = anchors[clean]
        first = int(anchors[0]) if len(anchors) else size
        if first:
            self._walk(0, first)
        for k in np.flatnonzero(~clean).tolist():
            self._walk(int(anchors[k]), int(stops[k]))

    def _walk(self, start: int, stop: int) -> None:
        at, last = start, -1
        while at < stop:
            if len(self.messages) + len(self.definitions) >= self.indexed.most:
                self.damaged += stop - at
                return
            end = self._end_of(at, stop)
            if end is not None:
                self._accept(at)
                last, at = at, end
                continue
            if self.cut and stop == len(self.data) and self._is_cut(at):
                return
            if self._is_listed(at):
                last = -1  # it ends where it should
            resume = self._resume(last + 1 if last >= 0 else at + 1, stop)
            if last >= 0 and not self.checked:
                at = self._distrust(last, at, overlapped=resume < at or not self.searches)
            self.damaged += resume - at
            at, last = resume, -1

    def _resume(self, start: int, stop: int) -> int:
        if not self.searches:
            return stop
        return next_record(
            lambda at, size: self.data[at : at + size],
            start,
            stop,
            _IN_CHUNKS,
            lambda at: self._end_of(at, stop, strict=True),
        )

    def _accept(self, at: int) -> None:
        kind = self.messages if self.data[at] == Opcode.MESSAGE else self.definitions
        kind.append(at)

    def _distrust(self, last: int, at: int, *, overlapped: bool) -> int:
        """Leave out the record before damaged bytes if its length is wrong; else doubt it.

        Returns:
            Where the damage begins.
        """
        is_message = self.data[last] == Opcode.MESSAGE
        if overlapped:
            (self.messages if is_message else self.definitions).pop()
            return last
        if is_message:
            self.doubtful.append(last)
        return at

    def _is_listed(self, at: int) -> bool:
        """Return whether the index says that a message begins there."""
        k = int(np.searchsorted(self.offsets, np.uint64(at)))
        return k < len(self.offsets) and int(self.offsets[k]) == at

    def _is_cut(self, at: int) -> bool:
        """Return whether the rest is the beginning of a record."""
        return int(self.data[at]) in _IN_CHUNKS

    def _end_of(self, at: int, stop: int, *, strict: bool = False) -> int | None:
        """Return where the record at `at` ends, None if there is none.

        Args:
            at: Where it may begin.
            stop: Where it has to end.
            strict: Nothing but itself says that it is one.
        """
        if at + PREFIX.size > stop:
            return None
        opcode, length = PREFIX.unpack_from(self.data.data, at)
        end: int = at + PREFIX.size + length
        if opcode not in _IN_CHUNKS or end > stop:
            return None
        if opcode != Opcode.MESSAGE:
            body = self.data[at + PREFIX.size : end]
            return end if not strict or _is_definition(opcode, body) else None
        if end < at + MESSAGE.itemsize:
            return None
        if strict:
            log = heads_at(self.data[at : at + MESSAGE.itemsize], np.zeros(1, np.int64))['log']
            return end if self.indexed.near(log, DAY).all() else None
        return end


def _is_definition(opcode: int, body: NDArray[np.uint8]) -> bool:
    """Return whether a body is that of a schema or channel."""
    try:
        if opcode == Opcode.SCHEMA:
            parse(Schema, body.tobytes())
        else:
            parse(Channel, body.tobytes())
    except UNREADABLE:
        return False
    return True
