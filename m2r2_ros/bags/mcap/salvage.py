# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Take the messages that can be read out of a damaged MCAP file."""

import struct
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk
from numpy.typing import NDArray

from m2r2_ros.bags.mcap.index import read_summary
from m2r2_ros.bags.mcap.records import (
    MAGIC,
    MAX_CHUNK,
    MAX_RECORD,
    PREFIX,
    UNREADABLE,
    numbers,
    parse,
    read_body,
    unpack,
    walk,
    walk_chunk,
)
from m2r2_ros.bags.writing.metadata import qos_profiles
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError

_CHUNK: Final = struct.Struct('<QQQII')  # start, end, uncompressed size, CRC, length of a name
_LENGTH: Final = struct.Struct('<Q')
_MESSAGE: Final = struct.Struct('<HIQQ')  # channel, sequence, log time, publish time
_INDEX_HEAD: Final = 6  # channel and length, in front of 16 bytes for each message
_INDEX_ENTRY: Final = 16
#: Opcodes from here on are private: valid, unknown and passed over.
_PRIVATE: Final = 0x80
#: More topics than any robot has; MCAP itself ends at 65535.
_MAX_TOPICS: Final = 4096


@dataclass(frozen=True, slots=True)
class Loss:
    """A range of a file from which nothing, or not everything, was recovered.

    Attributes:
        file: The damaged file.
        offset: Where the range begins, bytes.
        length: How long it is, bytes.
        reason: What is wrong with it.
        messages: Messages lost, as the index says; None where their number is unknown.
    """

    file: Path
    offset: int
    length: int
    reason: str
    messages: int | None = None


class Salvage:
    """Copies the messages of one damaged file into a bag.

    Attributes:
        losses: What could not be recovered so far.
    """

    def __init__(self, path: Path, file: BinaryIO, bag: BagWriter) -> None:
        self.losses: list[Loss] = []
        self._path, self._file, self._bag = path, file, bag
        self._size = file.seek(0, 2)
        summary = read_summary(path, file)
        self._definitions = summary.definitions
        starts = [place.offset for place in summary.chunks if place.offset < self._size]
        self._resumes = [*sorted(starts), self._size]
        self._topics: dict[int, str] = {}
        self._lost_chunk = False  # the MessageIndex records that follow count what was lost

    def run(self) -> Iterator[int]:
        """Copy record by record; yields how far the file has been read."""
        # Topics may have been announced in a chunk that is lost.
        for channel in self._definitions.channels.values():
            self._add_channel(channel)
        position = len(MAGIC)
        while position < self._size:
            for opcode, start, length in walk(self._file, position, self._size):
                if not self._is_record(opcode, start, length):
                    break
                self._take(opcode, start, length)
                position = start + length
                if opcode == Opcode.DATA_END or position > self._size:
                    return
                yield position
            if position < self._size:
                resume = self._resumes[bisect_right(self._resumes, position)]
                self._lose(position, resume - position, 'no record can be made out')
                position = resume
        self._lose(
            position, 0, 'the file has no end: its recorder was stopped before it could finish'
        )

    def _is_record(self, opcode: int, start: int, length: int) -> bool:
        """Return whether the opcode exists and the length is plausible."""
        if not (Opcode.HEADER <= opcode <= Opcode.DATA_END or opcode >= _PRIVATE):
            return False
        if opcode == Opcode.CHUNK:
            return self._is_chunk(start, length)
        most = MAX_CHUNK if opcode in (Opcode.MESSAGE, Opcode.ATTACHMENT) else MAX_RECORD
        return start + length <= self._size or length <= most

    def _is_chunk(self, start: int, length: int) -> bool:
        """Return whether the lengths inside a chunk add up to that of its record."""
        self._file.seek(start)
        head = self._file.read(64)
        if len(head) < _CHUNK.size:
            return True
        data = _CHUNK.size + _CHUNK.unpack_from(head)[-1] + _LENGTH.size
        if data > len(head):
            return start + len(head) == self._size
        return bool(data + _LENGTH.unpack_from(head, data - _LENGTH.size)[0] == length)

    def _take(self, opcode: int, start: int, length: int) -> None:
        """Copy what a record holds."""
        there = min(length, self._size - start)
        if opcode == Opcode.MESSAGE_INDEX and there == length:
            if self._lost_chunk:
                count = max(length - _INDEX_HEAD, 0) // _INDEX_ENTRY
                lost = self.losses[-1]
                self.losses[-1] = replace(lost, messages=(lost.messages or 0) + count)
            return
        self._lost_chunk = False
        if opcode == Opcode.CHUNK:
            self._take_chunk(start, there, cut=there < length)
        elif there < length:
            self._lose(start - PREFIX.size, there, 'the file ends inside a record')
        elif opcode in (Opcode.MESSAGE, Opcode.SCHEMA, Opcode.CHANNEL):
            self._take_records(start, length, self._single(opcode, start, length))

    def _take_chunk(self, start: int, length: int, *, cut: bool) -> None:
        offset = start - PREFIX.size
        try:
            data = unpack(parse(Chunk, read_body(self._file, start, length, MAX_CHUNK)), cut)
            self._take_records(start, length, _records(data, cut))
        except UNREADABLE as error:
            if not cut:
                self._lose(offset, length, _text(error))
                self._lost_chunk = True
        if cut:
            self._lose(offset, length, 'the file ends inside a chunk; what came before is kept')

    def _single(self, opcode: int, start: int, length: int) -> Iterator[tuple[int, memoryview]]:
        """Read a record outside chunks."""
        yield opcode, memoryview(read_body(self._file, start, length, MAX_CHUNK))

    def _take_records(
        self, start: int, length: int, records: Iterator[tuple[int, memoryview]]
    ) -> None:
        """Copy the messages of a chunk, or of one record outside; note what cannot be copied."""
        unknown: Counter[int] = Counter()
        damage = ''
        try:
            for opcode, body in records:
                try:
                    self._take_record(opcode, body, unknown)
                except UNREADABLE as error:
                    damage = damage or _text(error)
        except UNREADABLE as error:
            # Where the next record begins is unknown.
            damage = damage or _text(error)
        offset = start - PREFIX.size
        if damage:
            self._lose(offset, length, f'a record is damaged ({damage})')
        if unknown:
            self._lose(offset, length, _lost_topics(unknown), unknown.total())

    def _take_record(self, opcode: int, body: memoryview, unknown: Counter[int]) -> None:
        """Copy a message, or keep a definition; counts messages of channels without a topic."""
        if opcode != Opcode.MESSAGE:
            if channel := self._definitions.take(opcode, bytes(body)):
                self._add_channel(channel)
            return
        key, _, log_time, _ = _MESSAGE.unpack_from(body)
        if key not in self._topics:
            unknown[key] += 1
        elif log_time >= 1 << 63:
            msg = 'a message from beyond the year 2262'
            raise ValueError(msg)
        else:
            self._bag.write(self._topics[key], body[_MESSAGE.size :], log_time)

    def _add_channel(self, channel: Channel) -> None:
        """Add the topic of a channel to the bag, unless it is known or its type is not."""
        schema = self._definitions.schemas.get(channel.schema_id)
        if channel.id in self._topics or schema is None:
            return
        known = self._bag.topics.get(channel.topic)
        if known is None:
            if len(self._bag.topics) >= _MAX_TOPICS:
                return
            self._bag.add_topic(
                channel.topic,
                schema.name,
                definition=self._definitions.texts[schema.id],
                type_hash=channel.metadata.get('topic_type_hash', ''),
                qos=_valid_qos(channel.metadata.get('offered_qos_profiles', '')),
            )
        if known is None or known.type_name == schema.name:
            self._topics[channel.id] = channel.topic

    def _lose(self, offset: int, length: int, reason: str, messages: int | None = None) -> None:
        """Note a loss, as one with the last if that is of the same kind and directly before it."""
        last = self.losses[-1] if self.losses else None
        if last and last.reason == reason and last.offset + PREFIX.size + last.length == offset:
            self.losses.pop()
            length += offset - last.offset
            offset = last.offset
            messages = last.messages if messages is None else messages + (last.messages or 0)
        self.losses.append(Loss(self._path, offset, length, reason, messages))


def _records(data: NDArray[np.uint8], cut: bool) -> Iterator[tuple[int, memoryview]]:
    """Yield the opcodes and bodies of the records of a chunk."""
    for opcode, start, length in walk_chunk(data, cut):
        yield opcode, data.data[start : start + length]


def _lost_topics(channels: Collection[int]) -> str:
    """Say of which channels the topics are lost."""
    if len(channels) == 1:
        return f'the topic of channel {min(channels)} is lost'
    return f'the topics of channels {numbers(sorted(channels))} are lost'


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


def _valid_qos(text: str) -> str:
    """Return QoS text if rosbag2 can read it: a repair does not fail because of it."""
    try:
        qos_profiles(text)
    except BagError:
        return ''
    return text
