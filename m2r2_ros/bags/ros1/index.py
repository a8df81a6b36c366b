# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Connections and chunks of a ROS 1 bag: from its index, or found again where there is none."""

import io
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

from rosbags.rosbag1.reader import Header, Reader, ReaderError, RecordType, normalize, read_uint32
from rosbags.typesys.msg import normalize_msgtype

from m2r2_ros.bags.ros1.chunks import (
    ChunkRecord,
    Ros1Chunk,
    chunk_place,
    connection_of,
    fields_of,
    records,
    time_of,
    unpacked,
)
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import check_file, reading

EXPECTED: Final = 'a ROS 1 bag, version 2.0'
_MAGIC: Final = b'#ROSBAG V2.0\n'
#: Connections and chunks of a bag, and bytes of its index and of one record of it.
_MOST_CONNECTIONS, _MOST_CHUNKS = 1 << 17, 1 << 20
_MOST_INDEX, _MOST_RECORD = 1 << 28, 1 << 24


@dataclass(frozen=True, slots=True)
class BagConnection:
    """A publisher of a topic.

    Attributes:
        topic: Topic name.
        type_name: Type of its messages, as ROS 2 writes it.
        definition: Text of the type, as ROS 1 writes it.
        latched: The last message was kept for those who come later.
    """

    topic: str
    type_name: str
    definition: str
    latched: bool


@dataclass(frozen=True, slots=True)
class BagChunk:
    """A chunk.

    Attributes:
        order: Its rank in the file.
        place: Where it lies; None where that is looked up at `at`.
        at: Where its record begins.
        start: Time of its first message, nanoseconds.
        end: Time of its last message, nanoseconds.
        counts: Messages by connection.
    """

    order: int
    at: int
    start: int
    end: int
    counts: dict[int, int]
    place: Ros1Chunk | None = None


@dataclass(frozen=True, slots=True)
class BagIndex:
    """What is in a bag.

    Attributes:
        connections: By number.
        chunks: Those with messages, where they lie in the file.
        cut: Why there is no index; '' where there is one.
    """

    connections: dict[int, BagConnection] = field(default_factory=dict)
    chunks: list[BagChunk] = field(default_factory=list)
    cut: str = ''


@contextmanager
def bag_file(path: Path) -> Iterator[BinaryIO]:
    """Open a bag for reading; no more can be asked for at once than a record may have.

    Raises:
        BagError: It is no bag of ROS 1.
    """
    check_file(path, EXPECTED, BagError)
    with reading(path, EXPECTED, BagError), path.open('rb') as file:
        begin = file.read(len(_MAGIC))
    if begin != _MAGIC:
        found = repr(begin[:13]) if begin else 'an empty file'
        msg = f'{path}: expected {EXPECTED}, found {found}'
        raise BagError(msg)
    with path.open('rb') as file:
        yield file


def read_index(path: Path) -> BagIndex:
    """Read what is in a bag; what a recorder that was killed left is gone through.

    Raises:
        BagError: It is no bag, or nothing in it can be read.
    """
    with bag_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            with reading(path, EXPECTED, BagError):
                return _indexed(path, cast(BinaryIO, _Bounded(file, size)), size)
        except BagError as error:
            if error.__cause__ is None:  # one of ours
                raise
            why = str(error.__cause__)
        with reading(path, EXPECTED, BagError):
            found = _found_again(file, size, why)
    if not found.chunks:
        msg = f'{path} has no index, and no chunk that is whole: {why}; expected {EXPECTED}'
        raise BagError(msg)
    return found


def _indexed(path: Path, file: BinaryIO, size: int) -> BagIndex:
    """Read the index at the end of a bag."""
    file.seek(len(_MAGIC))
    header = Header.read(file, RecordType.BAGHEADER)
    at, connections, chunks = (
        header.get_uint64('index_pos'),
        header.get_uint32('conn_count'),
        header.get_uint32('chunk_count'),
    )
    if header.get('encryptor'):
        msg = f'{path}: is encrypted, which is not read here; decrypt it with ROS 1'
        raise BagError(msg)
    if not 0 < at <= size:
        msg = 'it was not closed, or is cut' if at else 'it was not closed'
        raise ReaderError(msg)
    if size - at > _MOST_INDEX or connections > _MOST_CONNECTIONS or chunks > _MOST_CHUNKS:
        msg = f'its index says {chunks} chunks and {connections} connections'
        raise ReaderError(msg)
    file.seek(at)
    # What the library does of the index; that of single messages is not needed.
    reader = Reader(Path(os.devnull))
    reader.bio = file
    known = {}
    for _ in range(connections):
        c = reader.read_connection()
        latched = getattr(c.ext, 'latching', None) == 1
        known[c.id] = BagConnection(_topic(c.topic), c.msgtype, c.msgdef.data, latched)
    infos = sorted(reader.read_chunk_info() for _ in range(chunks))
    found = [
        BagChunk(k, i.pos, i.start_time, i.end_time - 1, i.connection_counts)
        for k, i in enumerate(infos)
        if any(i.connection_counts.values())
    ]
    return BagIndex(known, found)


def _found_again(file: BinaryIO, size: int, why: str) -> BagIndex:
    """Go through the chunks of a bag up to the one that is cut."""
    index = BagIndex(cut=why)
    bounded = cast(BinaryIO, _Bounded(file, size))
    at = len(_MAGIC)
    try:
        while at < size:
            bounded.seek(at)
            op = Header.read(bounded).get_uint8('op')
            if op == RecordType.CHUNK:
                bounded.seek(at)
                place = chunk_place(bounded)
                if place.at + place.packed > size:
                    break
                _note(index, at, place, unpacked(file, place))
                at = place.at + place.packed
            else:
                length = read_uint32(bounded)
                at = bounded.tell() + length
    except (ReaderError, BagError, ValueError, KeyError, EOFError, OSError):
        pass  # what lies before it is there
    return index


def _note(index: BagIndex, at: int, place: Ros1Chunk, data: bytes) -> None:
    """Take down what a chunk holds."""
    times: list[int] = []
    counts: Counter[int] = Counter()
    for record in records(data):
        if record.op == RecordType.MSGDATA:
            times.append(time_of(record))
            counts[connection_of(record)] += 1
        elif record.op == RecordType.CONNECTION:
            number = connection_of(record)
            if number not in index.connections and len(index.connections) < _MOST_CONNECTIONS:
                index.connections[number] = _connection(record, data)
    if times and len(index.chunks) < _MOST_CHUNKS:
        order = len(index.chunks)
        index.chunks.append(BagChunk(order, at, min(times), max(times), dict(counts), place))


def _connection(record: ChunkRecord, data: bytes) -> BagConnection:
    """Read a connection that lies in a chunk, whose data is a header of its own."""
    header = fields_of(data, record.low, record.high)
    topic = record.header[b'topic'].decode()
    type_name = normalize_msgtype(header[b'type'].decode())
    latched = header.get(b'latching') == b'1'
    definition = header[b'message_definition'].decode()
    return BagConnection(_topic(normalize(topic)), type_name, definition, latched)


def _topic(name: str) -> str:
    return name if name.startswith('/') else f'/{name}'


class _Bounded(io.BufferedIOBase):
    """A file of which no more than a record can be asked for at once."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def read(self, count: int | None = -1) -> bytes:
        """Read so many bytes."""
        left = self._size - self._file.tell()
        if count is None or not 0 <= count <= min(left, _MOST_RECORD):
            msg = f'a record says that it has {count} bytes, of which {max(left, 0)} are there'
            raise ReaderError(msg)
        return self._file.read(count)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where it is."""
        return self._file.tell()
