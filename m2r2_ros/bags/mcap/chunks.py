# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chunks of an MCAP file: unpacked within limits, and where their messages are."""

import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import lz4.frame
import numpy as np
import zstandard
from mcap.opcode import Opcode
from numpy.typing import NDArray

from m2r2_ros.bags.mcap.records import (
    END_OF_TIME,
    INDEX_ENTRY,
    MAX_CHUNK,
    MAX_RECORD,
    MESSAGE,
    PREFIX,
    UNREADABLE,
)
from m2r2_ros.core.reading import why

#: Start, end, unpacked size, CRC, length of the name of the compression.
CHUNK_HEAD: Final = struct.Struct('<QQQII')
#: In front of the packed bytes.
LENGTH: Final = struct.Struct('<Q')
#: Bytes that are unpacked at a time.
PIECE: Final = 1 << 20
#: Bytes that one packed byte may stand for, at most; lz4 cannot hold more.
MAX_RATIO: Final = 256
#: zstd can hold far more: so much may come out of a chunk of any size, such as black images.
MAX_BLANK: Final = MAX_RECORD
#: A packed byte stands for no more than one record beyond so many: each has a time of its own.
_FEW_RECORDS: Final = 1 << 16
#: How packed bytes begin.
_SIGNATURES: Final = {b'\x28\xb5\x2f\xfd': 'zstd', b'\x04\x22\x4d\x18': 'lz4'}
#: Bytes of lz4 that are unpacked at a time where the whole cannot be.
_LZ4_PIECE: Final = 1 << 12
_MESSAGE_INDEX: Final = struct.Struct('<BQHI')


@dataclass(frozen=True, slots=True)
class PackedChunk:
    """A chunk record.

    Attributes:
        start: Log time of its first message as it says, nanoseconds.
        end: Log time of its last message as it says, nanoseconds.
        size: Bytes that it says it unpacks to.
        crc: CRC-32 of these; 0 where the recorder computed none.
        compression: 'zstd', 'lz4' or ''.
        data: The packed bytes.
    """

    start: int
    end: int
    size: int
    crc: int
    compression: str
    data: memoryview

    @property
    def most(self) -> int:
        """Bytes that are unpacked of it at most."""
        most = MAX_RATIO * len(self.data)
        return min(MAX_CHUNK, max(most, MAX_BLANK) if self.compression == 'zstd' else most)

    @property
    def most_records(self) -> int:
        """Records that are read of it at most."""
        return len(self.data) + _FEW_RECORDS

    @property
    def signed(self) -> bool:
        """Whether its bytes begin like those of its compression."""
        return _SIGNATURES.get(bytes(self.data[:4]), '') == self.compression


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out of a chunk.

    Attributes:
        data: uint8 (bytes,).
        defect: Why this is not what went in; '' if nothing is known against it.
        checked: A checksum says that it is what went in.
        doubtful: What is there may be wrong, and not only incomplete.
    """

    data: NDArray[np.uint8]
    defect: str
    checked: bool
    doubtful: bool = False


def packed_chunk(body: bytes | memoryview, cut: bool = False) -> PackedChunk:
    """Parse the body of a chunk record.

    Args:
        body: The body.
        cut: The file ends within it.

    Raises:
        ValueError: (or struct.error) It is invalid.
    """
    view = memoryview(body)
    start, end, size, crc, name = CHUNK_HEAD.unpack_from(view)
    at = CHUNK_HEAD.size + name
    compression = str(bytes(view[CHUNK_HEAD.size : min(at, CHUNK_HEAD.size + 64)]), 'utf-8')
    (length,) = LENGTH.unpack_from(view, at)
    data = view[at + LENGTH.size :][:length]
    if len(data) < length and not cut:
        msg = f'chunk that says it holds {length} bytes and has {len(data)}'
        raise ValueError(msg)
    return PackedChunk(start, end, size, crc, compression, data)


def unpack(chunk: PackedChunk, cut: bool) -> NDArray[np.uint8]:
    """Decompress a chunk and check its size and CRC.

    Args:
        chunk: The chunk.
        cut: The file ends within the chunk: give what there is.

    Raises:
        ValueError: It is invalid.
    """
    size = chunk.size
    if size > MAX_CHUNK:
        msg = (
            f'chunk of {size} bytes, more than the {MAX_CHUNK} that are read '
            '(`mcap filter IN -o OUT` cuts chunks into smaller ones)'
        )
        raise ValueError(msg)
    if size > chunk.most and not cut:
        msg = f'chunk that claims to unpack {len(chunk.data)} bytes to {size}'
        raise ValueError(msg)
    size = min(size, chunk.most)
    data, defect = _decompress(chunk, size + 1, front=cut)
    if cut:
        return _array(data)[:size]
    if not defect and len(data) != size:
        defect = f'chunk that holds {len(data)} bytes instead of {size}'
    elif not defect and chunk.crc and zlib.crc32(data) != chunk.crc:
        defect = 'chunk whose CRC does not match its contents'
    if defect:
        raise ValueError(defect)
    return _array(data)


def unpack_damaged(chunk: PackedChunk, cut: bool) -> Unpacked:
    """Decompress what can be decompressed of a chunk, whatever it says of its size.

    Args:
        chunk: The chunk.
        cut: The file ends within it, so that its CRC says nothing.
    """
    claimed = min(chunk.size, chunk.most)
    data, defect = _decompress(chunk, claimed + 1, front=True)
    if len(data) > claimed and claimed < chunk.most:
        del data
        data, defect = _decompress(chunk, chunk.most, front=True)
    if chunk.crc and not cut:
        if zlib.crc32(data) == chunk.crc:
            return Unpacked(_array(data), '', checked=True)
        defect = defect or 'its checksum is wrong'
    elif not defect and not cut and len(data) != chunk.size:
        defect = f'it holds {len(data)} bytes instead of {chunk.size}'
    doubtful = bool(defect) and not cut and bool(chunk.crc or chunk.compression)
    return Unpacked(_array(data), defect, checked=False, doubtful=doubtful)


def _array(data: bytes | bytearray | memoryview) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)


def _decompress(
    chunk: PackedChunk, most: int, *, front: bool
) -> tuple[bytes | bytearray | memoryview, str]:
    """Decompress up to `most` bytes; returns them, and why there are no more if that is known.

    Neither the size that the chunk claims nor that of a zstd frame itself is trusted.

    Args:
        chunk: The chunk.
        most: Bytes.
        front: What comes before damage is of use.
    """
    kind, defect = chunk.compression, ''
    data: bytes | bytearray
    if kind not in ('', 'zstd', 'lz4'):
        defect = f"chunk compression '{kind}' (known: zstd, lz4 and none)"
        kind = _SIGNATURES.get(bytes(chunk.data[:4]), '')
    if kind == 'zstd':
        data, broken = _unpack_zstd(chunk.data, most)
    elif kind == 'lz4':
        data, broken = _unpack_lz4(chunk.data, most, front=front)
    else:
        return chunk.data[:most], defect
    return data, defect or broken


def _unpack_zstd(packed: memoryview, most: int) -> tuple[bytearray, str]:
    """Unpack up to `most` bytes, allocating no more than a piece at a time."""
    stream = zstandard.ZstdDecompressor().stream_reader(packed)
    data = bytearray()
    try:
        while len(data) < most and (piece := stream.read(min(most - len(data), PIECE))):
            data += piece
    except UNREADABLE as error:
        return data, why(error)
    return data, ''


def _unpack_lz4(packed: memoryview, most: int, *, front: bool) -> tuple[bytes | bytearray, str]:
    """Unpack up to `most` bytes, in pieces if that cannot be done at once."""
    try:
        # lz4 allocates this much before it looks.
        return lz4.frame.LZ4FrameDecompressor().decompress(packed, max_length=most), ''
    except UNREADABLE as error:
        broken = why(error)
    if not front:
        return b'', broken
    stream, data = lz4.frame.LZ4FrameDecompressor(), bytearray()
    try:
        for at in range(0, len(packed), _LZ4_PIECE):
            if stream.eof or len(data) >= most:
                break
            data += stream.decompress(packed[at : at + _LZ4_PIECE], max_length=most - len(data))
    except UNREADABLE:
        pass
    return data, broken


def walk_chunk(data: NDArray[np.uint8], cut: bool, most: int) -> Iterator[tuple[int, int, int]]:
    """Yield opcode, position of the body and its length of each whole record in a chunk.

    Args:
        data: The chunk.
        cut: The file ends within it.
        most: Records that it may have.

    Raises:
        ValueError: A record is invalid or reaches beyond the chunk, and the file is not truncated
            there, or there are too many; those before have been yielded.
    """
    view, start = data.data, 0
    while start + PREFIX.size <= len(view):
        opcode, length = PREFIX.unpack_from(view, start)
        end = start + PREFIX.size + length
        short = opcode == Opcode.MESSAGE and end < start + MESSAGE.itemsize
        if end > len(view) or short or opcode == 0:
            break
        if most <= 0:
            msg = 'chunk with more records than its packed bytes can stand for'
            raise ValueError(msg)
        yield opcode, start + PREFIX.size, length
        start, most = end, most - 1
    if start != len(view) and not cut:
        msg = f'chunk with a record that does not fit, {start} bytes into the chunk'
        raise ValueError(msg)


def walked_positions(data: NDArray[np.uint8], cut: bool, most: int) -> NDArray[np.int64]:
    """Find the messages of a chunk without its index; int64 (n,), where their records start."""
    found = array('q')
    for opcode, position, _ in walk_chunk(data, cut, most):
        if opcode == Opcode.MESSAGE:
            found.append(position - PREFIX.size)
    return np.frombuffer(found, np.int64)


def indexed_positions(raw: bytes | memoryview) -> NDArray[np.int64]:
    """Find the messages of a chunk by the MessageIndex records that follow it.

    Returns:
        int64 (n,), where their records start in the chunk, ascending.

    Raises:
        ValueError: (or struct.error) These are not MessageIndex records.
    """
    found, start = [np.empty(0, np.int64)], 0
    while start < len(raw):
        _, entries, start = message_index(raw, start)
        found.append(entries['offset'].astype(np.int64))
    return np.sort(np.concatenate(found))


def message_index(raw: bytes | memoryview, start: int) -> tuple[int, NDArray[np.void], int]:
    """Parse a MessageIndex record.

    Returns:
        The channel; INDEX_ENTRY (n,), its messages; where the next record starts.

    Raises:
        ValueError: (or struct.error) There is no whole MessageIndex record.
    """
    opcode, length, channel, size = _MESSAGE_INDEX.unpack_from(raw, start)
    if opcode != Opcode.MESSAGE_INDEX or length != size + 6 or size % INDEX_ENTRY.itemsize:
        msg = 'invalid message index'
        raise ValueError(msg)
    count = size // INDEX_ENTRY.itemsize
    entries = np.frombuffer(raw, INDEX_ENTRY, count, start + _MESSAGE_INDEX.size)
    return channel, entries, start + PREFIX.size + length


def message_heads(data: NDArray[np.uint8], positions: NDArray[np.int64]) -> NDArray[np.void]:
    """Gather the heads of the messages at `positions`, ascending.

    Returns:
        MESSAGE (n,), their lengths checked.

    Raises:
        ValueError: One is not the place of a message within `data`, or two overlap.
    """
    heads = heads_at(data, positions)
    starts = np.append(positions, len(data))
    room = (np.diff(starts) - PREFIX.size).astype(np.uint64)
    sizes = heads['size']
    valid = (heads['op'] == Opcode.MESSAGE) & (heads['log'] < np.uint64(END_OF_TIME))
    valid &= (sizes >= MESSAGE.itemsize - PREFIX.size) & (sizes <= room)
    if (np.diff(positions) < PREFIX.size).any() or not valid.all():
        msg = 'chunk with a message that is not where or what it should be'
        raise ValueError(msg)
    return heads


def heads_at(data: NDArray[np.uint8], positions: NDArray[np.int64]) -> NDArray[np.void]:
    """Gather what lies at `positions`, ascending, as MESSAGE (n,).

    Raises:
        ValueError: One is not within `data`.
    """
    if not len(positions):
        return np.empty(0, MESSAGE)
    if positions[0] < 0 or positions[-1] > len(data) - MESSAGE.itemsize:
        msg = 'message index that points out of its chunk'
        raise ValueError(msg)
    windows = np.lib.stride_tricks.sliding_window_view(data, MESSAGE.itemsize)
    heads: NDArray[np.void] = windows[positions].view(MESSAGE)[:, 0]
    return heads


def between(
    data: NDArray[np.uint8],
    positions: NDArray[np.int64],
    heads: NDArray[np.void],
    cut: bool,
    most: int,
) -> Iterator[tuple[int, bytes]]:
    """Yield the schemas and channels between and around the messages at `positions`.

    Raises:
        ValueError: A message is among them, or something invalid.
    """
    ends = positions + heads['size'].astype(np.int64) + PREFIX.size
    starts, stops = np.append(0, ends), np.append(positions, len(data))
    for gap in np.flatnonzero(starts < stops):
        part = data[starts[gap] : stops[gap]]
        for opcode, position, length in walk_chunk(part, cut and gap == len(positions), most):
            most -= 1
            if opcode == Opcode.MESSAGE:
                msg = 'message index that leaves messages out'
                raise ValueError(msg)
            if opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                yield opcode, part[position : position + length].tobytes()
