# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the summary at the end of an MCAP file says of it, and whether it can be believed."""

import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO, Final

import numpy as np
from mcap.opcode import Opcode
from mcap.records import Footer, Statistics
from numpy.typing import NDArray

from m2r2_ros.bags.mcap.chunks import CHUNK_HEAD, LENGTH
from m2r2_ros.bags.mcap.definitions import Definitions
from m2r2_ros.bags.mcap.records import (
    CHANNEL_OFFSET,
    MAGIC,
    MAX_RECORD,
    PREFIX,
    UNREADABLE,
    parse,
    read_body,
    walk,
)

_FOOTER_SIZE: Final = PREFIX.size + 20 + len(MAGIC)
#: Start, end, offset and length of the chunk, bytes of the list that follows.
_CHUNK_INDEX: Final = struct.Struct('<QQQQI')
_SMALLEST_CHUNK: Final = PREFIX.size + CHUNK_HEAD.size + LENGTH.size
_DATA_END: Final = PREFIX.pack(Opcode.DATA_END, 4)
#: Bytes in front of the footer that are searched for a summary.
_SEARCHED: Final = 1 << 26
_PIECE: Final = 1 << 20
#: Places that are tried there.
_TRIES: Final = 16
NO_CHANNELS: Final = np.empty(0, np.uint16)
NO_COUNTS: Final = np.empty(0, np.int64)


@dataclass(slots=True)
class ChunkPlace:
    """A chunk in a file.

    Attributes:
        start: Log time of the first message as the file says, nanoseconds.
        end: Log time of the last message as the file says, nanoseconds.
        offset: Where the chunk record starts.
        length: Bytes of the record; of what is there, if it is truncated.
        index_length: Bytes of the MessageIndex records after it.
        channels: uint16 (n,), the channels of its messages; empty as long as nothing is known.
        counts: int64 (n,), messages of each; empty if their number is unknown.
        cut: The file ends within the chunk.
    """

    start: int
    end: int
    offset: int
    length: int
    index_length: int
    channels: NDArray[np.uint16] = field(default_factory=lambda: NO_CHANNELS)
    counts: NDArray[np.int64] = field(default_factory=lambda: NO_COUNTS)
    cut: bool = False

    @property
    def span(self) -> tuple[int, int]:
        """Where its bytes begin and end in the file, with those of its index if it is readable."""
        indexed = self.index_length <= MAX_RECORD
        return self.offset, self.offset + self.length + (self.index_length if indexed else 0)

    def forget_index(self) -> None:
        """Do without the MessageIndex records after it."""
        self.channels, self.counts, self.index_length = NO_CHANNELS, NO_COUNTS, 0


@dataclass(slots=True)
class FileSummary:
    """What a summary says.

    Attributes:
        ended: The file has a footer.
        end: Where the summary ends and the footer begins; the size of a file without.
        start: Where the summary begins; `end` without one.
        places: Chunks by offset.
        statistics: Its Statistics record.
        definitions: Its schemas and channels.
        valid: It is read to its end, neither its checksum nor a size contradicts.
        checked: Its checksum is that of its bytes.
    """

    ended: bool = False
    end: int = 0
    start: int = 0
    places: list[ChunkPlace] = field(default_factory=list)
    statistics: Statistics | None = None
    definitions: Definitions = field(default_factory=Definitions)
    valid: bool = False
    checked: bool = False

    @property
    def counts(self) -> dict[int, int] | None:
        """Messages of each channel; None without a Statistics record that can be true."""
        told = self.statistics if self.valid else None
        if told is None or told.message_count != sum(told.channel_message_counts.values()):
            return None
        return told.channel_message_counts


def read_summary(file: BinaryIO) -> FileSummary:
    """Read the summary where the footer says that it begins; never fails."""
    size = file.seek(0, 2)
    if size < len(MAGIC) + _FOOTER_SIZE:
        return FileSummary(end=size, start=size)
    try:
        body = read_body(file, size - _FOOTER_SIZE, _FOOTER_SIZE)
        if not body.endswith(MAGIC) or PREFIX.unpack_from(body) != (Opcode.FOOTER, 20):
            return FileSummary(end=size, start=size)
        footer = parse(Footer, body[PREFIX.size :])
    except UNREADABLE:
        return FileSummary(end=size, start=size)
    end = size - _FOOTER_SIZE
    return _read(file, footer.summary_start or end, end, footer)


def find_summary(file: BinaryIO) -> FileSummary:
    """Read the summary, after the last DataEnd record if the footer does not say where it is."""
    summary = read_summary(file)
    if summary.valid or not summary.ended:
        return summary
    footer = parse(Footer, read_body(file, summary.end + PREFIX.size, 20))
    high, lowest = summary.end, max(summary.end - _SEARCHED, len(MAGIC))
    tries = _TRIES if footer.summary_crc else 0
    while high > lowest and tries:
        low = max(high - _PIECE, lowest)
        file.seek(low)
        piece = file.read(high - low + len(_DATA_END) - 1)
        at = piece.rfind(_DATA_END)
        while at >= 0 and tries:
            tries -= 1
            start = low + at + len(_DATA_END) + 4
            found = _read(file, start, summary.end, footer) if start < summary.end else summary
            if found.checked:
                return found
            at = piece.rfind(_DATA_END, 0, at)
        high = low
    return summary


def _read(file: BinaryIO, start: int, end: int, footer: Footer) -> FileSummary:
    """Read the summary in [start, end)."""
    summary = FileSummary(ended=True, end=end, start=end)
    if not len(MAGIC) <= start <= end:
        return summary
    if footer.summary_crc:
        summary.checked = footer.summary_crc == _checksum(file, start, end + _FOOTER_SIZE - 12)
    done = start
    try:
        for opcode, position, length in walk(file, start, end):
            done = position + length
            _take(summary, opcode, read_body(file, position, length))
    except UNREADABLE:
        done = -1
    summary.start = start
    listed = summary.places
    summary.places = sorted(
        (place for place in listed if place.length >= _SMALLEST_CHUNK),
        key=lambda place: place.offset,
    )
    summary.valid = (
        done == end
        and (summary.checked or not footer.summary_crc)
        and len(summary.places) == len(listed)
    )
    return summary


def _take(summary: FileSummary, opcode: int, body: bytes) -> None:
    """Take a record of the summary."""
    if opcode == Opcode.CHUNK_INDEX:
        start, end, offset, length, size = _CHUNK_INDEX.unpack_from(body)
        count = size // CHANNEL_OFFSET.itemsize
        listed = np.frombuffer(body, CHANNEL_OFFSET, count, _CHUNK_INDEX.size)
        at = _CHUNK_INDEX.size + size
        (index_length,) = struct.unpack_from('<Q', body, at)
        # With an index: without one, NumPy imports its masked arrays for this.
        channels, _ = np.unique(listed['channel'], return_index=True)
        summary.places.append(ChunkPlace(start, end, offset, length, index_length, channels))
    elif opcode == Opcode.STATISTICS:
        summary.statistics = parse(Statistics, body)
    else:
        summary.definitions.take(opcode, body)


def _checksum(file: BinaryIO, start: int, stop: int) -> int:
    """Return the CRC-32 of [start, stop)."""
    crc = 0
    file.seek(start)
    while start < stop and (piece := file.read(min(stop - start, _PIECE))):
        crc = zlib.crc32(piece, crc)
        start += len(piece)
    return crc
