# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Walk through the records of a damaged MCAP file (https://mcap.dev/spec)."""

import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import lz4.frame
import zstandard
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.summary import Summary

MAGIC: Final = b'\x89MCAP0\r\n'
_RECORD: Final = struct.Struct('<BQ')
_CHUNK: Final = struct.Struct('<QQQII')  # start, end, uncompressed size, CRC, length of a name
_LENGTH: Final = struct.Struct('<Q')
#: Opcodes from here on are private: legal, unknown and to be passed over.
_PRIVATE: Final = 0x80


@dataclass(frozen=True, slots=True)
class Record:
    """A record and where it begins in its file; cut where the file ends before it does."""

    opcode: int
    offset: int
    payload: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Loss:
    """A stretch of a file that gave nothing, or not all that it held.

    Attributes:
        file: The damaged file.
        offset: Where the stretch begins, bytes.
        length: How long it is, bytes.
        reason: What is wrong with it.
        messages: Messages lost, as the index says; None where nobody knows.
    """

    file: Path
    offset: int
    length: int
    reason: str
    messages: int | None = None


def read_summary(file: BinaryIO) -> Summary | None:
    """Return what the end of the file says of the rest; None where there is no sound end."""
    try:
        return make_reader(file).get_summary()
    except (McapError, struct.error, ValueError, OSError, MemoryError):
        return None


def walk(path: Path, file: BinaryIO, chunk_offsets: list[int]) -> Iterator[Record | Loss]:
    """Yield the records of the data section, and a Loss for each stretch that is none.

    Args:
        path: The file, for messages.
        file: The same, opened for reading.
        chunk_offsets: Where chunks begin, sorted: where to go on after a stretch of nonsense.
    """
    size = file.seek(0, 2)
    position = len(MAGIC)
    while position < size:
        record = _record_at(file, position, size)
        if record is not None:
            yield record
            if record.cut or record.opcode == Opcode.DATA_END:
                return
            position += _RECORD.size + len(record.payload)
            continue
        following = bisect_right(chunk_offsets, position)
        resume = chunk_offsets[following] if following < len(chunk_offsets) else size
        yield Loss(path, position, resume - position, 'no record can be made out')
        position = resume
    yield Loss(
        path, size, 0, 'the file has no end: its recorder was stopped before it could finish'
    )


def _record_at(file: BinaryIO, position: int, size: int) -> Record | None:
    """Return the record at `position`, None where there is nothing like one."""
    file.seek(position)
    head = file.read(_RECORD.size)
    if len(head) < _RECORD.size:
        return Record(head[0], position, b'', cut=True) if _is_opcode(head[0]) else None
    opcode, length = _RECORD.unpack(head)
    start = position + _RECORD.size
    if not _is_opcode(opcode):
        return None
    if opcode == Opcode.CHUNK and not _is_chunk(file, length):
        # Short of this, a damaged length could make us hold the rest of the file in memory.
        return Record(opcode, position, b'', cut=True) if size - start < _CHUNK.size else None
    if start + length > size and opcode != Opcode.CHUNK and length > _longest_plausible(opcode):
        return None
    file.seek(start)
    payload = file.read(length)
    return Record(opcode, position, payload, cut=len(payload) < length)


def _is_opcode(opcode: int) -> bool:
    return Opcode.HEADER <= opcode <= Opcode.DATA_END or opcode >= _PRIVATE


def _is_chunk(file: BinaryIO, length: int) -> bool:
    """Tell whether the lengths inside of a chunk add up to that of its record."""
    head = file.read(_CHUNK.size)
    if len(head) < _CHUNK.size:
        return False
    name_length = _CHUNK.unpack(head)[4]
    name = file.read(min(name_length, length))
    stored = file.read(_LENGTH.size)
    if len(stored) < _LENGTH.size or name_length > length:
        return False
    (stored_length,) = _LENGTH.unpack(stored)
    return bool(_CHUNK.size + len(name) + _LENGTH.size + stored_length == length)


def _longest_plausible(opcode: int) -> int:
    """Return what a record may hold that the file's end cuts: messages and attachments are big."""
    return 2**32 if opcode in {Opcode.MESSAGE, Opcode.ATTACHMENT} else 2**24


def open_chunk(record: Record) -> bytes:
    """Return the uncompressed records of a chunk, of a cut one as far as they can be had.

    Raises:
        ValueError: The content is damaged, or compressed in an unknown way.
    """
    if len(record.payload) < _CHUNK.size:
        return b''
    _, _, size, crc, name_length = _CHUNK.unpack_from(record.payload)
    data_start = _CHUNK.size + name_length + _LENGTH.size
    name = record.payload[_CHUNK.size : _CHUNK.size + name_length].decode(errors='replace')
    content = _decompress(name, record.payload[data_start:])
    if record.cut:
        return content
    if len(content) != size:
        msg = f'chunk holds {len(content)} bytes instead of {size}'
        raise ValueError(msg)
    if crc and zlib.crc32(content) != crc:
        msg = 'checksum of the chunk is wrong'
        raise ValueError(msg)
    return content


def _decompress(name: str, data: bytes) -> bytes:
    try:
        if name == 'zstd':
            return zstandard.ZstdDecompressor().decompressobj().decompress(data)
        if name == 'lz4':
            return bytes(lz4.frame.LZ4FrameDecompressor().decompress(data))
    except (zstandard.ZstdError, RuntimeError, EOFError) as error:
        msg = f'chunk cannot be decompressed ({error})'
        raise ValueError(msg) from error
    if name:
        msg = f'chunk is compressed with {name!r}, expected zstd, lz4 or nothing'
        raise ValueError(msg)
    return data


def chunk_records(content: bytes) -> Iterator[Record]:
    """Yield the records of an uncompressed chunk up to where it is cut; offsets are in it."""
    position = 0
    while position + _RECORD.size <= len(content):
        opcode, length = _RECORD.unpack_from(content, position)
        start = position + _RECORD.size
        if start + length > len(content):
            return
        yield Record(opcode, position, content[start : start + length])
        position = start + length
