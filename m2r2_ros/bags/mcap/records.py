# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MCAP records, read so that no length in a file can make us allocate or loop beyond the file.

Format: https://mcap.dev/spec.
"""

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeVar

import numpy as np
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError

from m2r2_ros.core.errors import BagError

MAGIC: Final = b'\x89MCAP0\r\n'
#: Opcode and length, in front of every record.
PREFIX: Final = struct.Struct('<BQ')
#: The start of a message record: opcode, length, channel, sequence, log time, publish time.
MESSAGE: Final = np.dtype(
    [('op', 'u1'), ('size', '<u8'), ('channel', '<u2'), ('sequence', '<u4'), ('log', '<u8'),
     ('publish', '<u8')]
)  # fmt: skip
#: The same after its length: channel, sequence, log time, publish time.
MESSAGE_HEAD: Final = struct.Struct('<HIQQ')
#: What a MessageIndex or ChunkIndex record lists.
INDEX_ENTRY: Final = np.dtype([('log', '<u8'), ('offset', '<u8')])
CHANNEL_OFFSET: Final = np.dtype([('channel', '<u2'), ('offset', '<u8')])
#: Channel ids are 16 bits wide.
CHANNELS: Final = 1 << 16
#: Nanoseconds by which a log time may lie outside what is said of its chunk or its file: farther
#: off, it is damaged.
DAY: Final = 86_400 * 10**9
#: Log times from here on, after the year 2262, do not fit into int64 nanoseconds.
END_OF_TIME: Final = 1 << 63
#: Longest chunk, packed or not; recorders cut theirs at a few MB.
MAX_CHUNK: Final = 1 << 28
#: Longest record of any other kind that is read at all.
MAX_RECORD: Final = 1 << 26
#: What the libraries raise on invalid bytes.
UNREADABLE: Final = (
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
