# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MCAP records, read so that no length in a file can make us allocate or loop beyond the file.

Format: https://mcap.dev/spec.
"""

import struct
import zlib
from array import array
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

import lz4.frame
import numpy as np
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Message, Schema
from numpy.typing import NDArray

from m2r2_ros.core.errors import BagError

MAGIC = b'\x89MCAP0\r\n'
#: Opcode and length, in front of every record.
PREFIX = struct.Struct('<BQ')
#: The start of a message record: opcode, length, channel, sequence, log time, publish time.
MESSAGE = np.dtype(
    [('op', 'u1'), ('size', '<u8'), ('channel', '<u2'), ('sequence', '<u4'), ('log', '<u8'),
     ('publish', '<u8')]
)  # fmt: skip
_MESSAGE = struct.Struct('<BQHIQQ')
#: Longest chunk, packed or not; recorders cut theirs at a few MB.
MAX_CHUNK = 1 << 30
#: Longest record of any other kind that is read at all.
MAX_RECORD = 1 << 26
#: Bytes that are unpacked at a time.
PIECE = 1 << 20
#: Bytes that one packed byte may stand for, at most; lz4 cannot hold more.
MAX_RATIO = 256
#: zstd can hold far more: so much may come out of a chunk of any size, such as black images.
MAX_BLANK = MAX_RECORD
#: What the libraries raise on invalid bytes.
UNREADABLE = (
    McapError,
    struct.error,
    ValueError,
    EOFError,
    RuntimeError,
    MemoryError,
    OverflowError,
    zstandard.ZstdError,
)

T_co = TypeVar('T_co', covariant=True)


class RecordType(Protocol[T_co]):
    """A record class of the mcap library."""

    @staticmethod
    def read(stream: ReadDataStream) -> T_co:
        """Parse the record's body."""
        ...  # pragma: no cover


def corrupt(path: Path, offset: int, what: object) -> BagError:
    """Return the error for invalid bytes at `offset`."""
    return BagError(f'{path}: {what} at byte {offset}; `m2r2 repair {path}` saves what can be read')


def numbers(channels: Sequence[int]) -> str:
    """List channels for a message, of many the first few."""
    more = [f'{len(channels) - 8} more'] if len(channels) > 8 else []
    return ', '.join([*map(str, channels[:8]), *more])


def parse(kind: RecordType[T_co], body: bytes) -> T_co:
    """Parse a record's body; raises one of UNREADABLE."""
    return kind.read(ReadDataStream(BytesIO(body)))


def walk(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield opcode, position of the body and its length of each record in [start, end).

    The last one may reach beyond `end`, where the file is truncated. Opcode 0 ends the walk: it
    does not exist, but fills files after a power cut.
    """
    while start + PREFIX.size <= end:
        file.seek(start)
        head = file.read(PREFIX.size)
        if len(head) < PREFIX.size or head[0] == 0:
            return
        opcode, length = PREFIX.unpack(head)
        yield opcode, start + PREFIX.size, length
        start += PREFIX.size + length


class Definitions:
    """The schemas and channels of a file, by id; the newest of each id.

    Attributes:
        schemas: Schema records.
        texts: The definitions in them, decoded.
        channels: Channel records.
    """

    def __init__(self) -> None:
        self.schemas: dict[int, Schema] = {}
        self.texts: dict[int, str] = {}
        self.channels: dict[int, Channel] = {}
        self._size = 0

    def take(self, opcode: int, body: bytes) -> Channel | None:
        """Keep the record if it is a schema or a channel; returns the channel.

        Raises:
            ValueError: (or another of UNREADABLE) It is invalid, or they are too large in all.
        """
        if opcode == Opcode.SCHEMA:
            schema: Schema = parse(Schema, body)
            if self.schemas.get(schema.id) != schema:
                self._count(len(body))
                self.schemas[schema.id] = schema
                self.texts[schema.id] = schema.data.decode(errors='replace')
        elif opcode == Opcode.CHANNEL:
            channel: Channel = parse(Channel, body)
            if self.channels.get(channel.id) != channel:
                self._count(len(body))
                self.channels[channel.id] = channel
            return channel
        return None

    def _count(self, size: int) -> None:
        """Limit what is new: recorders repeat definitions in every chunk."""
        self._size += size
        if self._size > MAX_RECORD:
            msg = f'more than {MAX_RECORD} bytes of schemas and channels'
            raise ValueError(msg)


def read_body(file: BinaryIO, position: int, length: int, most: int = MAX_RECORD) -> bytes:
    """Read a record's body; raises ValueError if it is longer than `most` bytes or truncated."""
    if length > most:
        msg = f'record of {length} bytes, more than the {most} that are read'
        raise ValueError(msg)
    file.seek(position)
    body = file.read(length)
    if len(body) < length:
        msg = 'truncated record'
        raise ValueError(msg)
    return body


def _unpack_zstd(packed: bytes, most: int) -> bytes:
    """Unpack up to `most` bytes, allocating no more than a piece at a time.

    Neither the size that the chunk claims nor that of the zstd frame itself is trusted.
    """
    stream = zstandard.ZstdDecompressor().stream_reader(packed)
    pieces: list[bytes] = []
    while most > 0 and (piece := stream.read(min(most, PIECE))):
        pieces.append(piece)
        most -= len(piece)
    return b''.join(pieces)


def unpack(chunk: Chunk, cut: bool) -> NDArray[np.uint8]:
    """Decompress a chunk and check its size and CRC.

    Args:
        chunk: The chunk.
        cut: The file ends within the chunk: give what there is.

    Raises:
        ValueError: (or another of UNREADABLE) It is invalid.
    """
    size = chunk.uncompressed_size
    if size > MAX_CHUNK:
        msg = f'chunk of {size} bytes, more than the {MAX_CHUNK} that are read'
        raise ValueError(msg)
    most = MAX_RATIO * len(chunk.data)
    if chunk.compression == 'zstd':
        most = max(most, MAX_BLANK)
    if size > most and not cut:
        msg = f'chunk that claims to unpack {len(chunk.data)} bytes to {size}'
        raise ValueError(msg)
    size = min(size, most)
    if chunk.compression == 'zstd':
        data = _unpack_zstd(chunk.data, size + 1)
    elif chunk.compression == 'lz4':
        # lz4 allocates this much before it looks.
        data = lz4.frame.LZ4FrameDecompressor().decompress(chunk.data, max_length=size + 1)
    elif chunk.compression == '':
        data = chunk.data
    else:
        msg = f"chunk compression '{chunk.compression}' (known: zstd, lz4 and none)"
        raise ValueError(msg)
    if cut:
        data = data[:size]
    elif len(data) != size:
        msg = f'chunk that holds {len(data)} bytes instead of {size}'
        raise ValueError(msg)
    elif chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
        msg = 'chunk whose CRC does not match its contents'
        raise ValueError(msg)
    return np.frombuffer(data, np.uint8)


def walk_chunk(data: NDArray[np.uint8], cut: bool) -> Iterator[tuple[int, int, int]]:
    """Yield opcode, position of the body and its length of each whole record in a chunk.

    Raises:
        ValueError: A record is invalid or reaches beyond the chunk, and the file is not truncated
            there; those before it have been yielded.
    """
    view, start = data.data, 0
    while start + PREFIX.size <= len(view):
        opcode, length = PREFIX.unpack_from(view, start)
        end = start + PREFIX.size + length
        short = opcode == Opcode.MESSAGE and end < start + _MESSAGE.size
        if end > len(view) or short or opcode == 0:
            break
        yield opcode, start + PREFIX.size, length
        start = end
    if start != len(view) and not cut:
        msg = f'chunk with a record that does not fit, {start} bytes into the chunk'
        raise ValueError(msg)


def walked_positions(data: NDArray[np.uint8], cut: bool) -> NDArray[np.int64]:
    """Find the messages of a chunk without its index; int64 (n,), where their records start."""
    found = array('q')
    for opcode, position, _ in walk_chunk(data, cut):
        if opcode == Opcode.MESSAGE:
            found.append(position - PREFIX.size)
    return np.frombuffer(found, np.int64)


def indexed_positions(raw: bytes) -> NDArray[np.int64]:
    """Find the messages of a chunk by the MessageIndex records that follow it.

    Returns:
        int64 (n,), where their records start in the chunk, ascending.

    Raises:
        ValueError: (or struct.error) These are not MessageIndex records.
    """
    found, start = [np.empty(0, np.int64)], 0
    while start < len(raw):
        opcode, length, _, size = struct.unpack_from('<BQHI', raw, start)
        if opcode != Opcode.MESSAGE_INDEX or length != size + 6 or size % 16:
            msg = 'invalid message index'
            raise ValueError(msg)
        found.append(np.frombuffer(raw, '<i8', size // 8, start + 15)[1::2])
        start += PREFIX.size + length
    return np.sort(np.concatenate(found))


def message_heads(data: NDArray[np.uint8], positions: NDArray[np.int64]) -> NDArray[np.void]:
    """Gather the heads of the messages at `positions`, ascending.

    Returns:
        MESSAGE (n,), their lengths checked.

    Raises:
        ValueError: One is not the place of a message within `data`, or two overlap.
    """
    if not len(positions):
        return np.empty(0, MESSAGE)
    if positions[0] < 0 or positions[-1] > len(data) - MESSAGE.itemsize:
        msg = 'message index that points out of its chunk'
        raise ValueError(msg)
    windows = np.lib.stride_tricks.sliding_window_view(data, MESSAGE.itemsize)
    heads: NDArray[np.void] = windows[positions].view(MESSAGE)[:, 0]
    starts = np.append(positions, len(data))
    room = (np.diff(starts) - PREFIX.size).astype(np.uint64)
    sizes = heads['size']
    valid = (heads['op'] == Opcode.MESSAGE) & (heads['log'] < np.uint64(1 << 63))
    valid &= (sizes >= MESSAGE.itemsize - PREFIX.size) & (sizes <= room)
    if (np.diff(positions) < PREFIX.size).any() or not valid.all():
        msg = 'chunk with a message that is not where or what it should be'
        raise ValueError(msg)
    return heads


def check_complete(
    data: NDArray[np.uint8], positions: NDArray[np.int64], heads: NDArray[np.void]
) -> None:
    """Raise ValueError if there is a message between or around those at `positions`."""
    ends = positions + heads['size'].astype(np.int64) + PREFIX.size
    starts, stops = np.append(0, ends), np.append(positions, len(data))
    for gap in np.flatnonzero(starts < stops):
        between = walk_chunk(data[starts[gap] : stops[gap]], cut=False)
        if any(opcode == Opcode.MESSAGE for opcode, _, _ in between):
            msg = 'message index that leaves messages out'
            raise ValueError(msg)


def message_head(file: BinaryIO, position: int) -> Message:
    """Read the head of a message outside chunks, its data left out; raises struct.error if cut."""
    file.seek(position - PREFIX.size)
    _, _, channel, sequence, log, publish = _MESSAGE.unpack(file.read(_MESSAGE.size))
    return Message(channel, log, b'', publish, sequence)
