# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recover what can be read of a truncated or corrupt MCAP recording into a sound bag."""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Final

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Schema

from m2r2_ros.bags.mcap.salvage import (
    MAGIC,
    Loss,
    Record,
    chunk_records,
    open_chunk,
    read_summary,
    walk,
)
from m2r2_ros.bags.writing.metadata import qos_profiles
from m2r2_ros.bags.writing.replacing import refuse_same
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError

Progress = Callable[[int, int], None]

_MESSAGE: Final = struct.Struct('<HIQQ')  # channel, sequence, log time, publish time
_INDEX_HEAD: Final = 6  # channel and length, in front of 16 bytes for each message
_INDEX_ENTRY: Final = 16


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair found.

    Attributes:
        out: The new bag.
        messages: Messages recovered, by topic.
        bytes_read: Size of the damaged files.
        losses: What gave nothing or not all that it held; empty for a sound recording.
    """

    out: Path
    messages: dict[str, int]
    bytes_read: int
    losses: tuple[Loss, ...]


def repair(
    source: Path, out: Path, *, overwrite: bool = False, progress: Progress | None = None
) -> RepairReport:
    """Copy every message that can be read into a new bag.

    Handles files without an end, cut inside a chunk, and with damaged chunks in between: a chunk
    whose content is wrong is left out as a whole, of one that is cut the part in front is kept.
    One chunk is in memory at a time.

    Args:
        source: A damaged MCAP file, or a folder of one or several; never changed.
        out: The rosbag2 folder to write.
        overwrite: Replace `out`.
        progress: Called with bytes read so far and in all.

    Raises:
        BagError: There is no MCAP file, or `out` cannot be written.
    """
    files = _files(source)
    refuse_same(out, source)
    total = sum(file.stat().st_size for file in files)
    before = 0
    losses: list[Loss] = []
    with BagWriter(out, overwrite=overwrite, discard_failed=True) as bag:
        for path in files:
            salvage = _Salvage(path, bag)
            for position in salvage.run():
                if progress is not None:
                    progress(before + position, total)
            losses += salvage.losses
            before += path.stat().st_size
        counts = bag.counts
    return RepairReport(bag.path, counts, total, tuple(losses))


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        files = sorted(source.glob('*.mcap'), key=_natural_order)
    else:
        files = [source] if source.is_file() else []
    if not files:
        msg = f'{source} is or holds no MCAP file; for sqlite3 files, use `sqlite3 FILE .recover`'
        raise BagError(msg)
    if not any(map(_is_mcap, files)):
        names = ', '.join(map(str, files))
        msg = f'{names} does not begin like an MCAP file: nothing can be recovered from it'
        raise BagError(msg)
    return files


def _is_mcap(file: Path) -> bool:
    with file.open('rb') as stream:
        return stream.read(len(MAGIC)) == MAGIC


def _natural_order(path: Path) -> list[tuple[int, str]]:
    """Sort bag_2 before bag_10."""
    return [(int(part or 0), text) for text, part in re.findall(r'(\D*)(\d*)', path.name)]


class _Salvage:
    """Takes the messages out of one file."""

    def __init__(self, path: Path, bag: BagWriter) -> None:
        self.losses: list[Loss] = []
        self._path = path
        self._bag = bag
        self._schemas: dict[int, Schema] = {}
        self._topics: dict[int, str] = {}
        self._unsound = False  # the index records at hand belong to a chunk that was left out

    def run(self) -> Iterator[int]:
        """Yield, as it goes, how far the file has been read."""
        with self._path.open('rb') as file:
            summary = read_summary(file)
            offsets: list[int] = []
            if summary is not None:
                # Topics may have been announced in a chunk that is lost.
                self._schemas |= summary.schemas
                for channel in summary.channels.values():
                    self._add_channel(channel)
                offsets = sorted(index.chunk_start_offset for index in summary.chunk_indexes)
            for item in walk(self._path, file, offsets):
                if isinstance(item, Loss):
                    self.losses.append(item)
                    continue
                self._take(item)
                yield item.offset + len(item.payload)
            yield file.seek(0, 2)

    def _take(self, record: Record) -> None:
        if record.cut and record.opcode != Opcode.CHUNK:
            self._lose(record, 'the file ends inside a record')
        elif record.opcode == Opcode.CHUNK:
            self._take_chunk(record)
        elif record.opcode == Opcode.MESSAGE_INDEX:
            if self._unsound:
                count = max(len(record.payload) - _INDEX_HEAD, 0) // _INDEX_ENTRY
                known = self.losses[-1].messages or 0
                self.losses[-1] = replace(self.losses[-1], messages=known + count)
        else:
            self._unsound = False
            self._take_plain(record)

    def _take_chunk(self, record: Record) -> None:
        self._unsound = False
        try:
            content = open_chunk(record)
        except ValueError as error:
            self._lose(record, str(error))
            self._unsound = not record.cut
            return
        for inner in chunk_records(content):
            self._take_plain(replace(inner, offset=record.offset))
        if record.cut:
            self._lose(record, 'the file ends inside a chunk; what came before is kept')

    def _take_plain(self, record: Record) -> None:
        try:
            if record.opcode == Opcode.MESSAGE:
                self._take_message(record)
            elif record.opcode == Opcode.SCHEMA:
                schema = Schema.read(ReadDataStream(BytesIO(record.payload)))
                self._schemas[schema.id] = schema
            elif record.opcode == Opcode.CHANNEL:
                self._add_channel(Channel.read(ReadDataStream(BytesIO(record.payload))))
        except (McapError, struct.error, ValueError) as error:
            self._lose(record, f'a record is damaged ({error})')

    def _take_message(self, record: Record) -> None:
        channel, _, log_time, _ = _MESSAGE.unpack_from(record.payload)
        if channel not in self._topics:
            self._lose(record, f'the topic of channel {channel} is lost', 1)
            return
        self._bag.write(self._topics[channel], record.payload[_MESSAGE.size :], log_time)

    def _add_channel(self, channel: Channel) -> None:
        if channel.id in self._topics:
            return
        schema = self._schemas.get(channel.schema_id)
        if schema is None:
            return
        known = self._bag.topics.get(channel.topic)
        if known is not None and known.type_name != schema.name:
            return
        if known is None:
            self._bag.add_topic(
                channel.topic,
                schema.name,
                definition=schema.data.decode(errors='replace'),
                type_hash=channel.metadata.get('topic_type_hash', ''),
                qos=_sound_qos(channel.metadata.get('offered_qos_profiles', '')),
            )
        self._topics[channel.id] = channel.topic

    def _lose(self, record: Record, reason: str, messages: int | None = None) -> None:
        """Note a loss, as one with the last where that is the same kind in the same chunk."""
        last = self.losses[-1] if self.losses else None
        if last and messages and (last.offset, last.reason) == (record.offset, reason):
            self.losses[-1] = replace(last, messages=(last.messages or 0) + messages)
            return
        length = len(record.payload)
        self.losses.append(Loss(self._path, record.offset, length, reason, messages))


def _sound_qos(text: str) -> str:
    """Return QoS text that rosbag2 can read: a repair does not fail for the sake of it."""
    try:
        qos_profiles(text)
    except BagError:
        return ''
    return text
