# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Take the messages that can be read out of a damaged MCAP file, and count those that are lost."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from mcap.opcode import Opcode
from numpy.typing import NDArray

from m2r2_ros.bags.mcap.balance import balance
from m2r2_ros.bags.mcap.chunks import Unpacked, unpack_damaged
from m2r2_ros.bags.mcap.contents import ChunkIndexed, Contents, sort_out
from m2r2_ros.bags.mcap.layout import FileLayout, Record
from m2r2_ros.bags.mcap.names import Names
from m2r2_ros.bags.mcap.records import (
    CHANNELS,
    DAY,
    END_OF_TIME,
    MAGIC,
    MAX_CHUNK,
    MESSAGE,
    MESSAGE_HEAD,
    PREFIX,
    UNREADABLE,
    read_body,
)
from m2r2_ros.bags.mcap.tally import FileTally, Loss, Tally
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.reading import why
from m2r2_ros.core.text import listed


class Salvage:
    """Copies the messages of one damaged file into a bag."""

    def __init__(self, path: Path, file: BinaryIO, bag: BagWriter, tally: Tally) -> None:
        self._path, self._file, self._bag, self._tally = path, file, bag, tally
        self._layout = FileLayout(file)
        self._names = Names(bag, self._layout.summary, self._conflict)
        self._counts = FileTally()
        self._cut = False

    def run(self) -> Iterator[int]:
        """Copy record by record; yields how far the file has been read."""
        layout, position = self._layout, len(MAGIC)
        waiting: Record | None = None  # a message, until the next record confirms its length
        ended = False
        while position < layout.stop:
            record = layout.record(position)
            if record is None:
                begin = position if waiting is None else waiting.offset
                resume = layout.search(begin + 1)
                if waiting is not None and resume >= position:
                    self._take_message(waiting, doubtful=True)
                    begin = position
                self._lose(begin, resume - begin, 'no record can be made out')
                self._counts.leave_open()
                position, waiting = resume, None
                continue
            if waiting is not None:
                self._take_message(waiting)
                waiting = None
            if record.opcode == Opcode.DATA_END:
                ended = True
                break
            if record.opcode == Opcode.MESSAGE and not record.cut:
                waiting, position = record, record.end
            else:
                position = self._take(record)
            yield min(position, layout.size)
        if waiting is not None:
            self._take_message(waiting)
        ended |= layout.closed
        if not ended and not self._cut:
            self._lose(
                layout.stop,
                0,
                'the file has no end: its recorder was stopped before it could finish, and what '
                'it had not written yet cannot be known',
            )
        names = self._names.all
        balance(self._path, layout, position if ended else None, self._counts, self._tally, names)
        summary = layout.summary
        self._tally.close_file(self._counts, summary.counts, names)

    def _take(self, record: Record) -> int:
        """Copy what a record holds; returns where the next begins."""
        self._cut |= record.cut
        if record.opcode == Opcode.CHUNK:
            return self._take_chunk(record)
        if record.cut:
            self._lose(record.offset, record.length, 'the file ends inside a record')
            self._counts.leave_open()
        elif record.opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
            self._take_definition(
                record.opcode, read_body(self._file, record.start, record.length), record
            )
        elif record.opcode == Opcode.MESSAGE_INDEX:
            return self._lose_indexed(record)
        elif record.opcode == Opcode.METADATA:
            self._counts.metadata += 1
        elif record.opcode == Opcode.ATTACHMENT:
            self._lose(record.offset, record.length, 'attachments are not copied', 0)
        elif record.opcode != Opcode.HEADER:
            reason = f'records of a private kind ({record.opcode:#x}) are not copied'
            self._lose(record.offset, record.length, reason)
            self._counts.leave_open()
        return record.end

    def _take_definition(
        self, opcode: int, body: bytes, record: Record, unpacked: Unpacked | None = None
    ) -> None:
        """Note what a schema or channel says, in a chunk or outside."""
        try:
            new = self._names.take(opcode, body, checked=unpacked is not None and unpacked.checked)
            if new and unpacked and unpacked.doubtful:
                self._tally.remark(
                    f'{self._path}: the damaged chunk at {record.offset} describes topics, whose '
                    'names and types may be wrong'
                )
        except UNREADABLE as error:
            self._lose(record.offset, record.length, f'a record is damaged ({why(error)})')
            self._counts.leave_open()

    def _take_message(self, record: Record, *, doubtful: bool = False) -> None:
        """Copy a message outside chunks."""
        self._file.seek(record.start)
        body = memoryview(self._file.read(min(record.length, MAX_CHUNK)))
        key, _, log_time, _ = MESSAGE_HEAD.unpack_from(body)
        channel, time = np.array([key], np.uint16), np.array([log_time], np.uint64)
        topic, counts = self._names.topic(key), self._counts
        reason = ''
        if len(body) < record.length:
            reason = f'a message of {record.length} bytes, more than the {MAX_CHUNK} that are read'
        elif log_time >= END_OF_TIME:
            reason = 'a message from beyond the year 2262'
        elif not self._layout.is_near(log_time, DAY):
            reason = 'a message from another time than the summary says'
        if reason or topic is None:
            counts.add(counts.lost, channel, time)
            self._lose(record.offset, record.length, reason or _lost_topics([key]), 1)
            return
        self._bag.write(topic, body[MESSAGE_HEAD.size :], log_time)
        counts.found[key] += 1
        counts.start = min(counts.start, log_time)
        counts.unchecked += 1
        counts.uncounted += 1
        if doubtful or key in self._names.unsure or not self._layout.is_near(log_time):
            counts.add(counts.doubtful, channel, time)
            self._lose(record.offset, record.length, 'a message may be wrong', 0, 1)

    def _lose_indexed(self, record: Record) -> int:
        """Count what an index lists whose chunk is gone; returns where the next record begins."""
        most = MAX_CHUNK // MESSAGE.itemsize
        entries, _, after = self._layout.index_after(record, most)
        if entries is None or not len(entries) or after <= record.offset:
            return record.end
        self._counts.add(self._counts.lost, entries['channel'], entries['log'])
        length = after - record.offset
        self._lose(record.offset, length, 'the chunk of an index is not there', len(entries))
        return after

    def _take_chunk(self, record: Record) -> int:
        """Copy the messages of a chunk; returns where the next record begins."""
        packed = self._layout.chunk(record)
        if packed is None:
            self._lose(record.offset, record.length, 'a chunk of which not even the head is there')
            self._counts.leave_open()
            return record.end
        unpacked = unpack_damaged(packed, record.cut)
        spans, size, records = [(packed.start, packed.end)], packed.size, packed.most_records
        del packed
        most = 1 + max(min(size, MAX_CHUNK), len(unpacked.data)) // MESSAGE.itemsize
        entries, whole, after = self._layout.index_after(record, most)
        if record.place is not None:
            spans.append((record.place.start, record.place.end))
            self._counts.places += 1
        indexed = ChunkIndexed(entries, whole, records, spans)
        contents = sort_out(unpacked.data, indexed, checked=unpacked.checked, cut=record.cut)
        if unpacked.doubtful:
            contents.doubtful[:] = True
        unknown = self._copy(unpacked, contents, record)
        counts = self._counts
        if not unpacked.checked:
            counts.unchecked += 0 if unpacked.doubtful else len(contents.positions)
            if not whole:
                counts.uncounted += len(contents.positions)
        self._count(record, unpacked.defect, indexed, contents, unknown)
        if not whole and entries is not None:
            self._tally.remark(
                f'{self._path}: the index of the chunk at {record.offset} is damaged'
            )
        return after

    def _copy(self, unpacked: Unpacked, contents: Contents, record: Record) -> Collection[int]:
        """Write the messages of a chunk; returns the channels that have no topic."""
        data = unpacked.data
        unknown: set[int] = set()
        cuts = np.searchsorted(contents.positions, contents.definitions).tolist()
        start = 0
        for at, cut in zip(contents.definitions, cuts, strict=True):
            unknown |= self._write(data, contents, start, cut)
            start = cut
            opcode, length = PREFIX.unpack_from(data.data, at)
            body = data[at + PREFIX.size : at + PREFIX.size + length].tobytes()
            self._take_definition(opcode, body, record, unpacked)
        return unknown | self._write(data, contents, start, len(contents.positions))

    def _write(
        self, data: NDArray[np.uint8], contents: Contents, start: int, stop: int
    ) -> set[int]:
        """Write messages between two descriptions of channels."""
        if start == stop:
            return set()
        heads, counts = contents.heads[start:stop], self._counts
        keys = heads['channel']
        topics = {key: self._names.topic(key) for key in np.unique(keys).tolist()}
        unknown = {key for key, topic in topics.items() if topic is None}
        unsure = self._names.unsure & topics.keys()
        if unsure:
            contents.doubtful[start:stop] |= np.isin(keys, list(unsure))
        if unknown:
            gone = np.isin(keys, list(unknown))
            contents.doubtful[start:stop] &= ~gone
            contents.unknown += int(gone.sum())
            counts.add(counts.lost, keys[gone], heads['log'][gone])
            counts.found -= np.bincount(keys[gone], minlength=CHANNELS)
        counts.found += np.bincount(keys, minlength=CHANNELS)
        counts.start = min(counts.start, int(heads['log'].min()))
        view, write = data.data, self._bag.write
        begins = contents.positions[start:stop] + MESSAGE.itemsize
        ends = contents.positions[start:stop] + PREFIX.size + heads['size'].astype(np.int64)
        rows = (keys, begins, ends, heads['log'])
        for key, begin, end, log_time in zip(*(row.tolist() for row in rows), strict=True):
            topic = topics[key]
            if topic is not None:
                write(topic, view[begin:end], log_time)
        return unknown

    def _count(
        self,
        record: Record,
        defect: str,
        indexed: ChunkIndexed,
        contents: Contents,
        unknown: Collection[int],
    ) -> None:
        """Note what is lost of a chunk, and what may be wrong."""
        counts, lost = self._counts, contents.lost
        counts.add(counts.lost, lost['channel'], lost['log'])
        counts.add(counts.elsewhere, contents.elsewhere['channel'], contents.elsewhere['log'])
        heads = contents.heads[contents.doubtful]
        times = heads['log'].copy()
        times[~indexed.near(times)] = END_OF_TIME  # the time itself is what is wrong
        counts.add(counts.doubtful, heads['channel'], times)
        number: int | None = len(lost) + contents.dropped
        if record.cut or ((defect or contents.damaged) and not indexed.whole):
            number = None
            counts.leave_open(*indexed.spans[0])
        reasons = []
        if record.cut:
            reasons.append('the file ends inside a chunk; what came before is kept')
        elif defect:
            reasons.append(f'a damaged chunk ({defect}); what still reads is kept')
        elif contents.damaged:
            reasons.append(f'a chunk with {contents.damaged} bytes that are no records')
        elif number or len(contents.elsewhere):
            reasons.append('a chunk without messages that its index lists, or with damaged ones')
        elif len(heads):
            reasons.append('a chunk with messages of which the index or the description differs')
        if reasons:
            self._lose(record.offset, record.length, '; '.join(reasons), number, len(heads))
        if unknown:
            reason = _lost_topics(unknown)
            self._lose(record.offset, record.length, reason, contents.unknown)

    def _conflict(self, text: str, only_summary: bool) -> None:
        """Tell of descriptions that differ."""
        if only_summary:
            self._tally.remark(f'{self._path}: {text}')
        else:
            self._lose(0, 0, text, 0)

    def _lose(
        self,
        offset: int,
        length: int,
        reason: str,
        messages: int | None = None,
        doubtful: int = 0,
    ) -> None:
        self._tally.lose(Loss(self._path, offset, length, reason, messages, doubtful))


def _lost_topics(channels: Collection[int]) -> str:
    """Say of which channels the topics are lost."""
    if len(channels) == 1:
        return f'the topic of channel {min(channels)} is lost'
    return f'the topics of channels {listed(list(map(str, sorted(channels))))} are lost'
