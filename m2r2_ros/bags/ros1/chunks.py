# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chunks of ROS 1 bags: unpacked within bounds, and the messages in them."""

import bz2
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

from rosbags.rosbag1.reader import Header, RecordType, read_uint32

from m2r2_ros.core.errors import BagError

#: Bytes of a chunk, packed or not, and how many come out of one packed byte beyond a few.
MOST_CHUNK: Final = 1 << 28
_MOST_RATIO, _FREE = 256, 1 << 26
#: Bytes that are unpacked at a time.
_PIECE: Final = 1 << 24
_WORD: Final = struct.Struct('<I')
_TIME: Final = struct.Struct('<II')


class Ros1Chunk(NamedTuple):
    """Where the messages of a chunk lie in the file.

    Attributes:
        compression: 'none', 'bz2' or 'lz4'.
        size: Bytes of the messages.
        at: Where they begin, packed.
        packed: Bytes there.
    """

    compression: str
    size: int
    at: int
    packed: int


class ChunkRecord(NamedTuple):
    """A record in a chunk.

    Attributes:
        op: Its kind.
        header: Its fields.
        low: Where its data begins in the chunk.
        high: Where it ends.
    """

    op: int
    header: dict[bytes, bytes]
    low: int
    high: int


def chunk_place(file: BinaryIO) -> Ros1Chunk:
    """Read the beginning of a chunk that the file stands before; it stands behind it then.

    Raises:
        BagError: The chunk is larger than is read.
    """
    header = Header.read(file, RecordType.CHUNK)
    compression, size = header.get_string('compression'), header.get_uint32('size')
    packed = read_uint32(file)
    most = min(MOST_CHUNK, packed * _MOST_RATIO + _FREE)
    if packed > MOST_CHUNK or size > most:
        msg = f'a chunk says that {packed} bytes hold {size}; at most {MOST_CHUNK} are read'
        raise BagError(msg)
    at = file.tell()
    file.seek(packed, 1)
    return Ros1Chunk(compression, size, at, packed)


def unpacked(file: BinaryIO, place: Ros1Chunk) -> bytes:
    """Return the messages of a chunk as they were before they were packed.

    Raises:
        BagError: It is cut, packed in another way, or holds more or less than it says.
    """
    file.seek(place.at)
    packed = file.read(place.packed)
    if len(packed) < place.packed:
        msg = f'a chunk ends after {len(packed)} of {place.packed} bytes'
        raise BagError(msg)
    data = packed if place.compression == 'none' else _unpack(packed, place)
    if len(data) != place.size:
        msg = f'a chunk holds {len(data)} bytes or more, not the {place.size} that it says'
        raise BagError(msg)
    return data


def records(data: bytes) -> Iterator[ChunkRecord]:
    """Yield the records of a chunk.

    Raises:
        BagError: One is longer than the chunk.
    """
    at, end = 0, len(data)
    while at < end:
        low, high = _block(data, at, end)
        header = fields_of(data, low, high)
        low, at = _block(data, high, end)
        op = header.get(b'op', b'')
        yield ChunkRecord(op[0] if op else -1, header, low, at)


def fields_of(data: bytes, at: int, end: int) -> dict[bytes, bytes]:
    """Return the fields of a header.

    Args:
        data: What it lies in.
        at: Where it begins.
        end: Where it ends.

    Raises:
        BagError: One is longer than the header.
    """
    found = {}
    while at < end:
        low, at = _block(data, at, end)
        name, _, value = data[low:at].partition(b'=')
        found[name] = value
    return found


def connection_of(record: ChunkRecord) -> int:
    """Return the connection that a record belongs to."""
    return int(_WORD.unpack(record.header.get(b'conn', b''))[0])


def time_of(record: ChunkRecord) -> int:
    """Return the time of a message, nanoseconds."""
    sec, nanosec = _TIME.unpack(record.header.get(b'time', b''))
    return int(sec) * 1_000_000_000 + int(nanosec)


def _block(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return where a block behind its length begins and ends."""
    low = at + 4
    high = low + _WORD.unpack_from(data, at)[0] if low <= end else end + 1
    if high > end:
        msg = f'a record at byte {at} of a chunk of {len(data)} is cut'
        raise BagError(msg)
    return low, high


def _unpack(packed: bytes, place: Ros1Chunk) -> bytes:
    """Unpack no more than one byte beyond what a chunk ought to hold."""
    unpacker: Any
    if place.compression == 'bz2':
        unpacker = bz2.BZ2Decompressor()
    elif place.compression == 'lz4':
        from lz4.frame import LZ4FrameDecompressor

        unpacker = LZ4FrameDecompressor()
    else:
        msg = f'a chunk is packed by {place.compression[:40]!r}; expected none, bz2 or lz4'
        raise BagError(msg)
    pieces, left, given = [], place.size + 1, packed
    while left > 0 and not unpacker.eof:
        piece = unpacker.decompress(given, min(left, _PIECE))
        if not piece and (unpacker.needs_input or not given):
            break
        given = b''
        pieces.append(piece)
        left -= len(piece)
    return b''.join(pieces)
