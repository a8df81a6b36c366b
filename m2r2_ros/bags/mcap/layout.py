# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which records a damaged MCAP file still has, and where."""

import struct
import zlib
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

import numpy as np
from mcap.opcode import Opcode
from mcap.records import Channel, Schema
from numpy.typing import NDArray

from m2r2_ros.bags.mcap.chunks import CHUNK_HEAD, LENGTH, PackedChunk, message_index, packed_chunk
from m2r2_ros.bags.mcap.contents import ENTRY
from m2r2_ros.bags.mcap.records import (
    INDEX_ENTRY,
    MAGIC,
    MAX_CHUNK,
    MAX_RECORD,
    MESSAGE_HEAD,
    PREFIX,
    UNREADABLE,
    parse,
    read_body,
)
from m2r2_ros.bags.mcap.search import next_record
from m2r2_ros.bags.mcap.summary import ChunkPlace, find_summary

#: Opcodes from here on are private: valid, unknown and passed over.
_PRIVATE: Final = 0x80
_DATA: Final = {
    Opcode.SCHEMA,
    Opcode.CHANNEL,
    Opcode.MESSAGE,
    Opcode.CHUNK,
    Opcode.MESSAGE_INDEX,
    Opcode.ATTACHMENT,
    Opcode.METADATA,
}
#: What may come first after damaged bytes; a record of another kind proves too little.
_FOUND: Final = _DATA - {Opcode.ATTACHMENT, Opcode.METADATA} | {Opcode.DATA_END}
_AFTER_DATA: Final = (
    Opcode.SCHEMA,
    Opcode.CHANNEL,
    Opcode.STATISTICS,
    Opcode.CHUNK_INDEX,
    Opcode.ATTACHMENT_INDEX,
    Opcode.METADATA_INDEX,
    Opcode.SUMMARY_OFFSET,
    Opcode.FOOTER,
)
_DATA_END: Final = PREFIX.pack(Opcode.DATA_END, 4)
_DATA_END_SIZE: Final = len(_DATA_END) + 4
_INDEX_HEAD: Final = PREFIX.size + 6
#: Bytes after the end of a chunk in which its index is searched for.
_NEAR: Final = 1 << 20
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """A record outside chunks.

    Attributes:
        opcode: Its kind.
        offset: Where it starts.
        length: Bytes of its body; of what is there, if it is cut.
        cut: The file ends within it.
        place: A chunk as the summary lists it.
        resized: Its length is not the one it says it has.
    """

    opcode: int
    offset: int
    length: int
    cut: bool = False
    place: ChunkPlace | None = None
    resized: bool = False

    @property
    def start(self) -> int:
        """Where its body starts."""
        return self.offset + PREFIX.size

    @property
    def end(self) -> int:
        """Where the next record starts."""
        return self.start + self.length


class FileLayout:
    """The records of the data section of a file.

    Attributes:
        summary: What the summary says.
        size: Bytes of the file.
        stop: Where the data section ends; where the file or its summary does if that is unknown.
        closed: It is known to end there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, 2)
        self.summary = summary = find_summary(file)
        end = summary.start - _DATA_END_SIZE
        self.closed = summary.ended and (
            self._bytes(end, len(_DATA_END)).tobytes() == _DATA_END
            or (summary.valid and summary.start < summary.end)
        )
        self.stop = end if self.closed else summary.end
        self._places = {place.offset: place for place in summary.places}
        self._offsets = [place.offset for place in summary.places]

    def record(self, at: int) -> Record | None:
        """Return the record at `at`; None if there is none that can be true."""
        found, place = self._record(at), self._places.get(at)
        if place is not None and (found is None or found.end != place.offset + place.length):
            # The head of the chunk is damaged, or the summary.
            if self._follows(place.offset + place.length + place.index_length):
                return Record(Opcode.CHUNK, at, place.length - PREFIX.size, False, place, True)
        elif found is not None and found.opcode == Opcode.CHUNK:
            found = replace(found, place=place)
            if not found.cut and not self._follows(found.end):
                return self._resized(found)
        return found

    def search(self, start: int) -> int:
        """Return where the next record begins, from `start` on."""
        return next_record(self._bytes, start, self.stop, _FOUND, self._end_of)

    def chunk(self, record: Record) -> PackedChunk | None:
        """Read a chunk; None if that is impossible."""
        self._file.seek(record.start)
        body = memoryview(self._file.read(min(record.length, MAX_CHUNK + CHUNK_HEAD.size)))
        try:
            packed = packed_chunk(body, record.cut or record.resized)
            at = CHUNK_HEAD.size + len(packed.compression) + LENGTH.size
            if not record.resized or at + len(packed.data) == len(body):
                return packed
            return replace(packed, data=body[at:])
        except UNREADABLE:
            place = record.place
            if place is None:
                return None
        # zstd and lz4 begin with a signature, wherever that is after the head.
        for name in ('zstd', 'lz4', ''):
            data = body[CHUNK_HEAD.size + len(name) + LENGTH.size :]
            rebuilt = PackedChunk(place.start, place.end, 0, 0, name, data)
            if rebuilt.signed:
                return rebuilt
        return None

    def index_after(self, record: Record, most: int) -> tuple[NDArray[np.void] | None, bool, int]:
        """Read the MessageIndex records after a chunk.

        Args:
            record: The chunk; or a MessageIndex record that stands for the first of them.
            most: Messages that the chunk may hold.

        Returns:
            ENTRY (n,), None if it has no index; whether that is all; where the next record starts.
        """
        at, place = record.end, record.place
        if record.opcode == Opcode.MESSAGE_INDEX:
            at = record.offset
        if record.cut:
            return None, False, at
        stop, known = self.stop, False
        if place is not None and self._follows(at + place.index_length):
            stop, known = at + place.index_length, True
        found: list[NDArray[np.void]] = []
        # Where the chunk was cut to end at an index, others may have been in front of that.
        whole, count = known or not record.resized, 0
        while at < stop:
            entries, end = self._index_at(at, stop)
            if entries is None:
                if not known:
                    break
                whole = False
                at = next_record(
                    self._bytes, at + 1, stop, {Opcode.MESSAGE_INDEX},
                    lambda start: self._index_at(start, stop)[1],
                )  # fmt: skip
                continue
            count += len(entries)
            if count > most:
                whole = False
            else:
                found.append(entries)
            at = end or stop
        if not found and (whole or not known) and not (place is not None and place.index_length):
            return None, False, at
        entries = np.concatenate(found) if found else np.empty(0, ENTRY)
        return entries, whole and bool(found), at

    def is_near(self, log_time: int, by: int = 0) -> bool:
        """Return whether a log time lies within what the summary says, give or take `by` ns."""
        told = self.summary.statistics if self.summary.valid else None
        if told is None or told.message_start_time > told.message_end_time:
            return True
        return told.message_start_time - by <= log_time <= told.message_end_time + by

    def checksum_fits(self, end: int) -> bool | None:
        """Return whether the data section has the checksum that it should; None without one."""
        record = self._bytes(end, _DATA_END_SIZE).tobytes()
        if not record.startswith(_DATA_END) or len(record) < _DATA_END_SIZE:
            return None
        (expected,) = struct.unpack_from('<I', record, len(_DATA_END))
        if not expected:
            return None
        # Writers do not agree on whether the magic bytes at the beginning count.
        return any(self._crc(start, end) == expected for start in (0, len(MAGIC)))

    def _crc(self, start: int, end: int) -> int:
        crc = 0
        for at in range(start, end, _PIECE):
            crc = zlib.crc32(self._bytes(at, min(_PIECE, end - at)).data, crc)
        return crc

    def _bytes(self, start: int, size: int) -> NDArray[np.uint8]:
        if start < 0:
            return np.empty(0, np.uint8)
        self._file.seek(start)
        return np.frombuffer(self._file.read(size), np.uint8)

    def _follows(self, at: int) -> bool:
        """Return whether a record, or the end of the data section, may be at `at`."""
        return at == self.stop or (at < self.stop and self._record(at) is not None)

    def _end_of(self, at: int) -> int | None:
        """Return where a record at `at` ends, for a search."""
        record = self._record(at)
        if record is None or (record.cut and record.opcode != Opcode.CHUNK):
            return None
        if record.opcode == Opcode.MESSAGE:
            head = self._bytes(record.start, MESSAGE_HEAD.size).tobytes()
            if not self.is_near(MESSAGE_HEAD.unpack(head)[2], by=86_400 * 10**9):
                return None
        if record.opcode in (Opcode.SCHEMA, Opcode.CHANNEL) and not self._is_definition(record):
            return None
        if record.opcode == Opcode.MESSAGE_INDEX and self._index_at(at, self.stop)[0] is None:
            return None
        return self.stop if record.opcode == Opcode.DATA_END else record.end

    def _record(self, at: int) -> Record | None:
        head = self._bytes(at, PREFIX.size)
        if len(head) < PREFIX.size:
            return None
        opcode, length = PREFIX.unpack(head.tobytes())
        record = Record(opcode, at, length)
        if record.end > self.stop:
            if self.summary.ended:
                return None
            record = replace(record, length=self.stop - record.start, cut=True)
        following = bisect_right(self._offsets, at)
        if following < len(self._offsets) and record.end > self._offsets[following]:
            place = self.summary.places[following]
            head = self._bytes(place.offset, PREFIX.size)
            if head.tobytes() == PREFIX.pack(Opcode.CHUNK, max(place.length - PREFIX.size, 0)):
                return None
        return record if self._is_valid(record, length) else None

    def _is_valid(self, record: Record, length: int) -> bool:
        """Return whether a record is one that may be where it is, and can be read."""
        opcode = record.opcode
        if opcode == Opcode.HEADER:
            return record.offset == len(MAGIC)
        if opcode == Opcode.CHUNK:
            return self._is_chunk(record, length)
        if opcode == Opcode.DATA_END:
            return length == _DATA_END_SIZE - PREFIX.size and self._ends(record.end)
        if opcode in (Opcode.MESSAGE, Opcode.ATTACHMENT):
            return length >= MESSAGE_HEAD.size and (not record.cut or length <= MAX_CHUNK)
        if record.cut and length > MAX_RECORD:
            return False
        if opcode == Opcode.MESSAGE_INDEX:
            size = length - 6
            return size >= 0 and not size % INDEX_ENTRY.itemsize
        return opcode in _DATA or opcode >= _PRIVATE

    def _is_definition(self, record: Record) -> bool:
        try:
            body = read_body(self._file, record.start, record.length)
            if record.opcode == Opcode.SCHEMA:
                parse(Schema, body)
            else:
                parse(Channel, body)
        except UNREADABLE:
            return False
        return True

    def _ends(self, at: int) -> bool:
        """Return whether the data section may have ended in front of `at`."""
        if self.closed:
            return False
        head = self._bytes(at, PREFIX.size)
        return len(head) < PREFIX.size or head[0] in _AFTER_DATA

    def _is_chunk(self, record: Record, length: int) -> bool:
        """Return whether the lengths inside a chunk add up to that of its record."""
        head = self._bytes(record.start, 64).tobytes()
        if len(head) < CHUNK_HEAD.size:
            return record.cut
        data = CHUNK_HEAD.size + CHUNK_HEAD.unpack_from(head)[-1] + LENGTH.size
        if data > len(head):
            return record.cut and record.length <= len(head)
        return bool(data + LENGTH.unpack_from(head, data - LENGTH.size)[0] == length)

    def _resized(self, chunk: Record) -> Record:
        """Return a chunk that ends where its index, or the next chunk, begins."""
        low = chunk.start + CHUNK_HEAD.size + LENGTH.size
        high = min(chunk.end + _NEAR, self.stop)
        kinds = {Opcode.MESSAGE_INDEX, Opcode.CHUNK}
        end = next_record(self._bytes, low, high, kinds, self._end_of)
        if end == high < self.stop:
            return chunk
        return replace(chunk, length=end - chunk.start, resized=True)

    def _index_at(self, at: int, stop: int) -> tuple[NDArray[np.void] | None, int | None]:
        """Read the MessageIndex record at `at`; returns its entries, and where it ends."""
        head = self._bytes(at, _INDEX_HEAD).tobytes()
        if len(head) < _INDEX_HEAD:
            return None, None
        opcode, length = PREFIX.unpack_from(head)
        end = at + PREFIX.size + length
        if opcode != Opcode.MESSAGE_INDEX or end > stop or length > MAX_CHUNK:
            return None, None
        try:
            raw = self._bytes(at, end - at).tobytes()
            channel, listed, _ = message_index(raw, 0)
        except UNREADABLE:
            return None, None
        entries = np.empty(len(listed), ENTRY)
        entries['channel'] = channel
        entries['log'], entries['offset'] = listed['log'], listed['offset']
        return entries, end
