# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where an MCAP file keeps what: from its summary, and by walking what the summary leaves out."""

import struct
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from mcap.opcode import Opcode
from mcap.records import Statistics
from numpy.typing import NDArray

from m2r2_ros.bags.content import Content, LocalContent
from m2r2_ros.bags.mcap.chunks import (
    between,
    indexed_positions,
    message_heads,
    packed_chunk,
    unpack,
    walked_positions,
)
from m2r2_ros.bags.mcap.definitions import Definitions
from m2r2_ros.bags.mcap.records import (
    CHANNELS,
    END_OF_TIME,
    INDEX_ENTRY,
    MAGIC,
    MAX_CHUNK,
    MESSAGE_HEAD,
    PREFIX,
    UNREADABLE,
    corrupt,
    read_body,
    walk,
)
from m2r2_ros.bags.mcap.summary import ChunkPlace, FileSummary, read_summary
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.text import listed

#: Chunks of a file, and messages outside chunks, of which places are kept in memory.
MAX_CHUNKS: Final = 1 << 20
MAX_LOOSE: Final = 1 << 24
_SEEN = Callable[[int, bytes], object]


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


def read_index(path: Path, content: Content | None = None) -> McapIndex:
    """Find the chunks, messages, channels and schemas of an MCAP file.

    Args:
        path: The file.
        content: Its bytes; None for those on the disk.

    Raises:
        BagError: It is not an MCAP file, or corrupt in a way that truncation does not explain.
    """
    index = McapIndex(path)
    try:
        with (content or LocalContent(path)).open() as file:
            size = file.seek(0, 2)
            file.seek(0)
            magic = file.read(len(MAGIC))
            if magic != MAGIC:
                kind = 'empty' if not size else 'not an MCAP file (it does not start like one)'
                msg = f'{path} is {kind}; expected a recording; look for a complete copy'
                raise BagError(msg)
            _Reading(index, file).run()
    except OSError as error:
        msg = f'{path} cannot be read: {error.strerror}'
        raise BagError(msg) from error
    return index


def load_chunk(
    file: BinaryIO, path: Path, place: ChunkPlace, seen: _SEEN
) -> tuple[NDArray[np.uint8], NDArray[np.void], NDArray[np.int64]]:
    """Read a chunk; see chunk_of.

    Raises:
        BagError: The chunk is corrupt.
    """
    start, stop = place.span
    file.seek(start)
    return chunk_of(memoryview(file.read(stop - start)), path, place, seen)


def chunk_of(
    raw: memoryview, path: Path, place: ChunkPlace, seen: _SEEN
) -> tuple[NDArray[np.uint8], NDArray[np.void], NDArray[np.int64]]:
    """Unpack a chunk and find its messages.

    Args:
        raw: The bytes in `place.span`.
        path: The file.
        place: Where the chunk is.
        seen: Called with opcode and body of the schemas and channels in it, some perhaps twice.
            What it raises of UNREADABLE makes the chunk a corrupt one.

    Returns:
        The uncompressed bytes; MESSAGE (n,), the heads of its messages; int64 (n,), where their
        records start.

    Raises:
        BagError: The chunk is corrupt.
    """
    try:
        opcode, length = PREFIX.unpack_from(raw)
        if opcode != Opcode.CHUNK or (length + PREFIX.size != place.length and not place.cut):
            raise corrupt(path, place.offset, 'no chunk where the index says')
        packed = packed_chunk(raw[PREFIX.size : place.length], place.cut)
        data, most = unpack(packed, place.cut), packed.most_records
        try:
            positions = indexed_positions(raw[place.length :])
            heads = message_heads(data, positions)
            if len(positions):
                _see(data, positions, heads, place.cut, most, seen)
        except (ValueError, struct.error):
            # The index only saves time: the chunk itself has the last word.
            positions = np.empty(0, np.int64)
        if not len(positions):
            positions = walked_positions(data, place.cut, most)
            heads = message_heads(data, positions)
            _see(data, positions, heads, place.cut, most, seen)
    except UNREADABLE as error:
        raise corrupt(path, place.offset, error) from error
    return data, heads, positions


def _see(
    data: NDArray[np.uint8],
    positions: NDArray[np.int64],
    heads: NDArray[np.void],
    cut: bool,
    most: int,
    seen: _SEEN,
) -> None:
    """Show what lies between the messages of a chunk."""
    for opcode, body in between(data, positions, heads, cut, most):
        seen(opcode, body)


def _list(place: ChunkPlace | None, listed: Counter[int]) -> None:
    """Note what the index of a chunk listed, and empty the list."""
    if place is not None and listed:
        place.channels = np.fromiter(listed, np.uint16, len(listed))
        place.counts = np.fromiter(listed.values(), np.int64, len(listed))
    listed.clear()


class _Reading:
    """Fills an index from an open file."""

    def __init__(self, index: McapIndex, file: BinaryIO) -> None:
        self.index = index
        self.file = file
        self.loose = array('q')
        self.statistics: Statistics | None = None

    def run(self) -> None:
        """Read the summary, then whatever it does not cover."""
        summary = read_summary(self.file)
        self.index.truncated = not summary.ended
        self.trust(summary)
        covered = len(MAGIC)
        for place in list(self.index.chunks):
            self.walk(covered, place.offset)
            covered = place.offset + place.length + place.index_length
        self.walk(covered, summary.end)
        self.index.loose = np.frombuffer(self.loose, np.int64).reshape(-1, 4)
        self.index.chunks.sort(key=lambda place: place.offset)
        if self.index.truncated and self.index.chunks:
            # The truncation may have hit the message index of the last chunk.
            self.index.chunks[-1].forget_index()
        self.open_chunks()
        self.count()

    def trust(self, summary: FileSummary) -> None:
        """Take what the summary says, unless it cannot be true: then all is walked."""
        if not summary.valid:
            return
        self.index.definitions = summary.definitions
        places = summary.places
        ends = [len(MAGIC)] + [p.offset + p.length + p.index_length for p in places]
        starts = [p.offset for p in places] + [summary.end]
        apart = all(a <= b for a, b in zip(ends, starts, strict=True))
        if apart and summary.statistics and all(p.length <= MAX_CHUNK for p in places):
            self.index.chunks = places
            self.statistics = summary.statistics

    def walk(self, start: int, end: int) -> None:
        """Take everything in [start, end) record by record, up to a cut."""
        if start >= end:
            return
        last, listed, done = None, Counter[int](), start
        for opcode, position, length in walk(self.file, start, end):
            done = position + length
            if opcode in (Opcode.DATA_END, Opcode.FOOTER):
                _list(last, listed)
                return
            try:
                if opcode == Opcode.CHUNK:
                    _list(last, listed)
                    last = self.take_chunk(position, length, end)
                elif done > end:
                    break
                elif opcode == Opcode.MESSAGE_INDEX:
                    self.take_message_index(position, length, last, listed)
                elif opcode == Opcode.MESSAGE:
                    self.take_message(position, length)
                elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                    self.index.definitions.take(opcode, read_body(self.file, position, length))
            except UNREADABLE as error:
                raise corrupt(self.index.path, position - PREFIX.size, error) from error
        _list(last, listed)
        self.index.truncated |= done != end

    def take_chunk(self, position: int, length: int, end: int) -> ChunkPlace | None:
        """Note a chunk; its contents are looked at later."""
        cut = position + length > end
        if length > MAX_CHUNK and not cut:
            msg = f'chunk of {length} bytes, more than the {MAX_CHUNK} that are read'
            raise ValueError(msg)
        if len(self.index.chunks) >= MAX_CHUNKS:
            msg = f'more than {MAX_CHUNKS} chunks'
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

    def take_message_index(
        self, position: int, length: int, place: ChunkPlace | None, listed: Counter[int]
    ) -> None:
        """Note that the chunk in front has an index."""
        start = position - PREFIX.size
        if place is None or start != place.offset + place.length + place.index_length:
            return
        place.index_length += PREFIX.size + length
        self.file.seek(position)
        channel, size = struct.unpack('<HI', self.file.read(6))
        if size:
            listed[channel] += size // INDEX_ENTRY.itemsize

    def take_message(self, position: int, length: int) -> None:
        """Note a message outside chunks."""
        self.file.seek(position)
        channel, _, log_time, _ = MESSAGE_HEAD.unpack(self.file.read(MESSAGE_HEAD.size))
        size = length - MESSAGE_HEAD.size
        if size < 0 or log_time >= END_OF_TIME:
            msg = 'a message that is too short or from beyond the year 2262'
            raise ValueError(msg)
        if len(self.loose) >= 4 * MAX_LOOSE:
            msg = f'more than {MAX_LOOSE} messages outside chunks'
            raise ValueError(msg)
        self.loose.extend((channel, position + length - size, size, log_time))

    def open_chunks(self) -> None:
        """Look into the chunks that no index describes, or whose channels are not described."""
        index = self.index
        closed, described = [], self.described()
        for place in list(index.chunks):
            if len(place.channels) and described[place.channels].all():
                closed.append(place)
                continue
            before = len(index.definitions.channels)
            try:
                self.open_chunk(place)
                if len(index.definitions.channels) > before:
                    described = self.described()
            except BagError:
                if place is not index.chunks[-1] or not index.truncated:
                    raise
                # The cut went through this chunk, and what follows it is padding.
                index.chunks.pop()
        # A channel may have been described in a chunk that has no message of it.
        used = np.zeros(CHANNELS, np.bool_)
        for place in index.chunks:
            used[place.channels] = True
        for place in closed:
            if not (used & ~self.described()).any():
                break
            self.open_chunk(place)

    def described(self) -> NDArray[np.bool_]:
        """Return which channels are described, bool (CHANNELS,)."""
        described = np.zeros(CHANNELS, np.bool_)
        described[list(self.index.definitions.channels)] = True
        return described

    def open_chunk(self, place: ChunkPlace) -> None:
        """Take channels, schemas and the count of the messages from a chunk."""
        take = self.index.definitions.take
        _, heads, _ = load_chunk(self.file, self.index.path, place, take)
        place.channels, place.counts = np.unique(heads['channel'], return_counts=True)
        if place.cut and len(heads):
            place.start, place.end = int(heads['log'].min()), int(heads['log'].max())

    def count(self) -> None:
        """Determine counts and time range, and check that every message has a channel."""
        index = self.index
        filled = [place for place in index.chunks if len(place.channels)]
        found = np.bincount(index.loose[:, 0], minlength=CHANNELS)
        used = found > 0
        for place in filled:
            used[place.channels] = True
            if len(place.counts):
                found[place.channels] += place.counts
        if missing := np.flatnonzero(used & ~self.described()).tolist():
            msg = (
                f'{index.path} has messages of channels {listed(list(map(str, missing)))} that it '
                f'does not describe, so their topics are unknown; look for a complete copy'
            )
            raise BagError(msg)
        if self.statistics:
            index.counts = Counter(self.statistics.channel_message_counts)
        else:
            index.counts = Counter({key: int(found[key]) for key in np.flatnonzero(found).tolist()})
        times = [(p.start, p.end) for p in filled]
        if len(index.loose):
            times.append((int(index.loose[:, 3].min()), int(index.loose[:, 3].max())))
        if times:
            index.start = min(first for first, _ in times)
            index.end = max(last for _, last in times)
