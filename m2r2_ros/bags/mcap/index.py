# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where an MCAP file keeps what: from its summary, and by walking what the summary leaves out."""

import struct
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from mcap.opcode import Opcode
from mcap.records import Chunk, ChunkIndex, Footer, Statistics
from numpy.typing import NDArray

from m2r2_ros.bags.mcap.records import (
    MAGIC,
    MAX_CHUNK,
    MESSAGE,
    PREFIX,
    UNREADABLE,
    Definitions,
    check_complete,
    corrupt,
    indexed_positions,
    message_head,
    message_heads,
    numbers,
    parse,
    read_body,
    unpack,
    walk,
    walk_chunk,
    walked_positions,
)
from m2r2_ros.core.errors import BagError

_FOOTER_SIZE = PREFIX.size + 20 + len(MAGIC)


@dataclass(slots=True)
class ChunkPlace:
    """A chunk in a file.

    Attributes:
        start: Log time of the first message as the file says, nanoseconds.
        end: Log time of the last message as the file says, nanoseconds.
        offset: Where the chunk record starts.
        length: Bytes of the record; of what is there, if it is truncated.
        index_length: Bytes of the MessageIndex records after it.
        counts: Messages of each channel that it holds, 0 if their number is unknown; empty as
            long as nothing is known.
        cut: The file ends within the chunk.
    """

    start: int
    end: int
    offset: int
    length: int
    index_length: int
    counts: Counter[int] = field(default_factory=Counter)
    cut: bool = False


@dataclass(slots=True)
class McapIndex:
    """What is where in one MCAP file.

    Attributes:
        path: The file.
        chunks: Chunks in file order.
        loose: int64 (n, 4), messages outside chunks: channel, position of the data, length of
            the data, log time.
        definitions: Schemas and channels.
        counts: Messages of each channel.
        start: Log time of the first message, nanoseconds; 0 without messages.
        end: Log time of the last message, nanoseconds.
        truncated: The file is truncated.
    """

    path: Path
    chunks: list[ChunkPlace] = field(default_factory=list)
    loose: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 4), np.int64))
    definitions: Definitions = field(default_factory=Definitions)
    counts: Counter[int] = field(default_factory=Counter)
    start: int = 0
    end: int = 0
    truncated: bool = False

    def require_described(self, channels: Iterable[int]) -> None:
        """Raise BagError if there are messages of channels that no record describes."""
        if missing := sorted(set(channels) - self.definitions.channels.keys()):
            msg = (
                f'{self.path} has messages of channels {numbers(missing)} that it does not '
                f'describe, so their topics are unknown; look for a complete copy'
            )
            raise BagError(msg)


def read_index(path: Path) -> McapIndex:
    """Find the chunks, messages, channels and schemas of an MCAP file.

    Raises:
        BagError: It is not an MCAP file, or corrupt in a way that truncation does not explain.
    """
    index = McapIndex(path)
    try:
        with path.open('rb', buffering=1 << 18) as file:
            size = file.seek(0, 2)
            file.seek(0)
            magic = file.read(len(MAGIC))
            if magic != MAGIC:
                kind = 'empty' if not size else 'not an MCAP file (it does not start like one)'
                msg = f'{path} is {kind}; expected a recording; look for a complete copy'
                raise BagError(msg)
            _Reading(index, file, size).run()
    except OSError as error:
        msg = f'{path} cannot be read: {error.strerror}'
        raise BagError(msg) from error
    return index


def read_summary(path: Path, file: BinaryIO) -> McapIndex:
    """Return what the summary at the end of a file says, of chunks only their places; never fails.

    The places need not be true.
    """
    index = McapIndex(path)
    index.chunks = _Reading(index, file, file.seek(0, 2)).read_summary()
    return index


def load_chunk(
    file: BinaryIO, path: Path, place: ChunkPlace
) -> tuple[NDArray[np.uint8], NDArray[np.void], NDArray[np.int64]]:
    """Read a chunk.

    Returns:
        The uncompressed bytes; MESSAGE (n,), the heads of its messages; int64 (n,), where their
        records start.

    Raises:
        BagError: The chunk is corrupt.
    """
    try:
        file.seek(place.offset)
        raw = file.read(place.length + place.index_length)
        opcode, length = PREFIX.unpack_from(raw)
        if opcode != Opcode.CHUNK or (length + PREFIX.size != place.length and not place.cut):
            raise corrupt(path, place.offset, 'no chunk where the index says')
        data = unpack(parse(Chunk, raw[PREFIX.size : place.length]), place.cut)
        try:
            positions = indexed_positions(raw[place.length :])
            heads = message_heads(data, positions)
            check_complete(data, positions, heads)
        except (ValueError, struct.error):
            # The index only saves time: the chunk itself has the last word.
            positions = np.empty(0, np.int64)
        if not len(positions):
            positions = walked_positions(data, place.cut)
            heads = message_heads(data, positions)
    except UNREADABLE as error:
        raise corrupt(path, place.offset, error) from error
    return data, heads, positions


class _Reading:
    """Fills an index from an open file."""

    def __init__(self, index: McapIndex, file: BinaryIO, size: int) -> None:
        self.index = index
        self.file = file
        self.size = size
        self.end = size
        self.loose = array('q')
        self.statistics: Statistics | None = None

    def run(self) -> None:
        """Read the summary, then whatever it does not cover."""
        self.trust(self.read_summary())
        covered = len(MAGIC)
        for place in list(self.index.chunks):
            self.walk(covered, place.offset)
            covered = place.offset + place.length + place.index_length
        self.walk(covered, self.end)
        self.index.loose = np.frombuffer(self.loose, np.int64).reshape(-1, 4)
        self.index.chunks.sort(key=lambda place: place.offset)
        if self.index.truncated and self.index.chunks:
            # The truncation may have hit the message index of the last chunk.
            last = self.index.chunks[-1]
            last.counts, last.index_length = Counter(), 0
        self.open_chunks()
        self.count()

    def read_summary(self) -> list[ChunkPlace]:
        """Take definitions and statistics from the summary; returns its chunks, if it is valid."""
        index = self.index
        if self.size < len(MAGIC) + _FOOTER_SIZE:
            index.truncated = True
            return []
        try:
            body = read_body(self.file, self.size - _FOOTER_SIZE, _FOOTER_SIZE)
            if not body.endswith(MAGIC) or PREFIX.unpack_from(body) != (Opcode.FOOTER, 20):
                index.truncated = True
                return []
            self.end = self.size - _FOOTER_SIZE
            start = parse(Footer, body[PREFIX.size :]).summary_start
            places = self.summary_records(start) if len(MAGIC) <= start < self.end else []
        except UNREADABLE:
            return []
        return sorted(places, key=lambda place: place.offset)

    def trust(self, places: list[ChunkPlace]) -> None:
        """Take the chunks of the summary, unless they cannot be true: then all is walked."""
        ends = [len(MAGIC)] + [p.offset + p.length + p.index_length for p in places]
        starts = [p.offset for p in places] + [self.end]
        apart = all(a <= b for a, b in zip(ends, starts, strict=True))
        if apart and self.statistics and all(p.length <= MAX_CHUNK for p in places):
            self.index.chunks = places
        else:
            self.statistics = None

    def summary_records(self, start: int) -> list[ChunkPlace]:
        """Read the records of the summary section; returns the chunks."""
        places = []
        for opcode, position, length in walk(self.file, start, self.end):
            if opcode == Opcode.CHUNK_INDEX:
                entry = parse(ChunkIndex, read_body(self.file, position, length))
                place = ChunkPlace(
                    entry.message_start_time,
                    entry.message_end_time,
                    entry.chunk_start_offset,
                    entry.chunk_length,
                    entry.message_index_length,
                    Counter(dict.fromkeys(entry.message_index_offsets, 0)),
                )
                places.append(place)
            elif opcode == Opcode.STATISTICS:
                self.statistics = parse(Statistics, read_body(self.file, position, length))
            else:
                self.take_definition(opcode, position, length)
        return places

    def take_definition(self, opcode: int, position: int, length: int) -> None:
        """Keep the record if it is a schema or a channel."""
        if opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
            self.index.definitions.take(opcode, read_body(self.file, position, length))

    def walk(self, start: int, end: int) -> None:
        """Take everything in [start, end) record by record, up to a cut."""
        if start >= end:
            return
        last, done = None, start
        for opcode, position, length in walk(self.file, start, end):
            done = position + length
            if opcode in (Opcode.DATA_END, Opcode.FOOTER):
                return
            try:
                if opcode == Opcode.CHUNK:
                    last = self.take_chunk(position, length, end)
                elif done > end:
                    break
                elif opcode == Opcode.MESSAGE_INDEX:
                    self.take_message_index(position, length, last)
                elif opcode == Opcode.MESSAGE:
                    self.take_message(position, length)
                else:
                    self.take_definition(opcode, position, length)
            except UNREADABLE as error:
                raise corrupt(self.index.path, position - PREFIX.size, error) from error
        self.index.truncated |= done != end

    def take_chunk(self, position: int, length: int, end: int) -> ChunkPlace | None:
        """Note a chunk; its contents are looked at later."""
        cut = position + length > end
        if length > MAX_CHUNK and not cut:
            msg = f'chunk of {length} bytes, more than the {MAX_CHUNK} that are read'
            raise ValueError(msg)
        length = min(length, end - position)
        self.file.seek(position)
        head = self.file.read(16)
        if length > MAX_CHUNK or len(head) < 16:
            return None
        first, last = struct.unpack('<QQ', head)
        offset = position - PREFIX.size
        place = ChunkPlace(first, last, offset, length + PREFIX.size, 0, cut=cut)
        self.index.chunks.append(place)
        return place

    def take_message_index(self, position: int, length: int, place: ChunkPlace | None) -> None:
        """Note that the chunk in front has an index."""
        start = position - PREFIX.size
        if place is None or start != place.offset + place.length + place.index_length:
            return
        place.index_length += PREFIX.size + length
        self.file.seek(position)
        channel, size = struct.unpack('<HI', self.file.read(6))
        if size:
            place.counts[channel] += size // 16

    def take_message(self, position: int, length: int) -> None:
        """Note a message outside chunks."""
        head = message_head(self.file, position)
        size = length - (MESSAGE.itemsize - PREFIX.size)
        if size < 0 or head.log_time >= 1 << 63:
            msg = 'a message that is too short or from beyond the year 2262'
            raise ValueError(msg)
        place = position + length - size
        self.loose.extend((head.channel_id, place, size, head.log_time))

    def open_chunks(self) -> None:
        """Look into the chunks that no index describes, or whose channels are not described."""
        index = self.index
        closed = []
        for place in list(index.chunks):
            if place.counts and place.counts.keys() <= index.definitions.channels.keys():
                closed.append(place)
            else:
                try:
                    self.open_chunk(place)
                except BagError:
                    if place is not index.chunks[-1] or not index.truncated:
                        raise
                    # The cut went through this chunk, and what follows it is padding.
                    index.chunks.pop()
        used = {channel for place in index.chunks for channel in place.counts}
        # A channel may have been described in a chunk that has no message of it.
        while closed and not used <= index.definitions.channels.keys():
            self.open_chunk(closed.pop(0))

    def open_chunk(self, place: ChunkPlace) -> None:
        """Take channels, schemas and the count of the messages from a chunk."""
        data, heads, _ = load_chunk(self.file, self.index.path, place)
        view = data.data
        try:
            for opcode, position, length in walk_chunk(data, place.cut):
                if opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                    body = bytes(view[position : position + length])
                    self.index.definitions.take(opcode, body)
        except UNREADABLE as error:
            raise corrupt(self.index.path, place.offset, error) from error
        found, counts = np.unique(heads['channel'], return_counts=True)
        place.counts = Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
        if place.cut and len(heads):
            place.start, place.end = int(heads['log'].min()), int(heads['log'].max())

    def count(self) -> None:
        """Determine counts and time range, and check that every message has a channel."""
        index = self.index
        filled = [place for place in index.chunks if place.counts]
        found = Counter(index.loose[:, 0].tolist())
        for place in filled:
            found += place.counts
            index.require_described(place.counts)
        index.require_described(found)
        index.counts = Counter(self.statistics.channel_message_counts) if self.statistics else found
        times = [(p.start, p.end) for p in filled]
        if len(index.loose):
            times.append((int(index.loose[:, 3].min()), int(index.loose[:, 3].max())))
        if times:
            index.start = min(first for first, _ in times)
            index.end = max(last for _, last in times)
