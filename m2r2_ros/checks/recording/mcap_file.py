# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An MCAP file, record by record: its end, the frames of its records, and every checksum."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from mcap.opcode import Opcode

from m2r2_ros.bags.mcap.chunks import message_index, packed_chunk, unpack
from m2r2_ros.bags.mcap.records import MAGIC, MAX_CHUNK, PREFIX, UNREADABLE, read_body, walk
from m2r2_ros.bags.mcap.summary import read_summary
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.recording.options import FileOptions
from m2r2_ros.core.reading import why
from m2r2_ros.core.text import excerpt

CUT: Final = 'file.cut'
CHUNK: Final = 'file.chunk'
#: The checksum of a DataEnd record, and bytes of which one is taken at a time.
_CRC: Final = 4
_PIECE: Final = 1 << 20
#: Log times from here on are no times.
_END_OF_TIME: Final = 1 << 63


class McapCheck:
    """Looks at everything in a file that says of other bytes what they ought to be."""

    def __init__(
        self, path: Path, name: str, options: FileOptions, tell: Callable[[int], None]
    ) -> None:
        """Begin.

        Args:
            path: The file.
            name: What it is called in findings; '' where it is the only one.
            options: How many places are told.
            tell: Called with the bytes that were read.
        """
        self._path, self._place = path, f'{name}: ' if name else ''
        self._options, self._tell = options, tell
        self._chunks = self._unsigned = self._loose = 0
        self._data_differs = False
        #: Damaged chunks: where, why, times, and messages as their indexes list them.
        self._bad: list[tuple[int, str, int | None, int | None, int]] = []
        self._listed: set[int] = set()

    def run(self) -> Iterator[Result]:
        """Yield what is wrong with the file, and what could not be told."""
        try:
            with self._path.open('rb') as file:
                yield from self._look(file)
        except OSError as error:
            yield self._cut(f'the file cannot be read: {error.strerror or error}')

    def _look(self, file: BinaryIO) -> Iterator[Result]:
        size = file.seek(0, 2)
        file.seek(0)
        if file.read(len(MAGIC)) != MAGIC:
            what = 'it does not begin like an MCAP file' if size else 'the file is empty'
            yield self._cut(what)
            return
        summary = read_summary(file)
        short = self._walk(file, size, ended=summary.ended)
        if not summary.ended:
            place = f'; {short}' if short else ''
            yield self._cut(
                f'the file ends after {size} bytes without a footer: it was cut, or its recorder '
                f'was killed{place}'
            )
        elif short:
            yield self._cut(short)
        elif not summary.valid:
            yield self._damaged('the summary at its end is damaged, or its checksum does not match')
        if self._data_differs:
            yield self._damaged('the checksum of its data, which is all but the summary, differs')
        yield from self._told()

    def _walk(self, file: BinaryIO, size: int, *, ended: bool) -> str:
        """Look at all records; returns where there is a short one, or none, '' where all fit."""
        end = len(MAGIC)
        for opcode, position, length in walk(file, end, size - len(MAGIC)):
            begin, end = position - PREFIX.size, position + length
            if end > size:
                return (
                    f'the record at byte {begin} has {size - position} of the {length} bytes that '
                    'it says it has'
                )
            if opcode == Opcode.CHUNK:
                self._chunk(file, position, length)
            elif opcode == Opcode.MESSAGE_INDEX:
                self._index(file, begin, length)
            elif opcode == Opcode.MESSAGE:
                self._loose += 1
            elif opcode == Opcode.DATA_END and length >= _CRC:
                crc = int.from_bytes(read_body(file, position, length)[:_CRC], 'little')
                self._data_differs = bool(crc) and crc != _crc_of(file, begin)
            elif opcode == Opcode.FOOTER:
                return ''
            self._tell(end)
        return f'what begins at byte {end} are no records' if ended else ''

    def _chunk(self, file: BinaryIO, position: int, length: int) -> None:
        """Unpack a chunk and compare its checksum."""
        self._chunks += 1
        start = end = None
        try:
            if length > MAX_CHUNK:
                msg = f'chunk of {length} bytes, more than the {MAX_CHUNK} that are read'
                raise ValueError(msg)
            chunk = packed_chunk(read_body(file, position, length, MAX_CHUNK))
            if chunk.start <= chunk.end < _END_OF_TIME:
                start, end = chunk.start, chunk.end
            unpack(chunk, cut=False)
            self._unsigned += not chunk.crc
        except UNREADABLE as error:
            self._bad.append((position - PREFIX.size, excerpt(why(error)), start, end, 0))
            self._listed = {position + length}

    def _index(self, file: BinaryIO, begin: int, length: int) -> None:
        """Count the messages of a damaged chunk, whose index lies behind it."""
        if begin not in self._listed:
            return
        try:
            raw = read_body(file, begin, PREFIX.size + length)
            _, entries, _ = message_index(raw, 0)
        except UNREADABLE:
            return
        at, reason, start, end, count = self._bad[-1]
        self._bad[-1] = at, reason, start, end, count + len(entries)
        self._listed = {begin + PREFIX.size + length}

    def _told(self) -> Iterator[Result]:
        """Yield what there is to say of the chunks."""
        for at, reason, start, end, count in self._bad[: self._options.most]:
            lost = f', {count} messages' if count else ''
            yield Finding(
                CHUNK, Severity.ERROR, f'{self._place}at byte {at}{lost}: {reason}', '', start, end
            )
        more = len(self._bad) - self._options.most
        if more > 0:
            yield self._damaged(f'{more} more of {self._chunks} chunks are damaged')
        name = self._path.name
        if self._unsigned:
            yield NotRun(
                CHUNK,
                f'{name}: {self._unsigned} of {self._chunks} chunks have no CRC: they unpack, and '
                'whether to what was recorded nobody can say',
            )
        if self._loose:
            why_not = f'{self._loose} messages outside chunks have no checksum'
            yield NotRun(CHUNK, f'{name}: {why_not}')

    def _cut(self, what: str) -> Finding:
        return Finding(CUT, Severity.ERROR, self._place + what)

    def _damaged(self, what: str) -> Finding:
        return Finding(CHUNK, Severity.ERROR, self._place + what)


def _crc_of(file: BinaryIO, length: int) -> int:
    """Return the CRC-32 of the first bytes of a file."""
    file.seek(0)
    crc = 0
    while length and (piece := file.read(min(length, _PIECE))):
        crc = zlib.crc32(piece, crc)
        length -= len(piece)
    return crc
