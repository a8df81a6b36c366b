# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The end of an MCAP file that its recorder could not write any more."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    McapRecord,
    MessageIndex,
    Metadata,
    MetadataIndex,
    Statistics,
    SummaryOffset,
)

from m2r2_ros.bags.mcap.chunks import CHUNK_HEAD, LENGTH, walk_chunk
from m2r2_ros.bags.mcap.index import McapIndex, load_chunk, read_index
from m2r2_ros.bags.mcap.records import MAGIC, PREFIX, corrupt, walk
from m2r2_ros.bags.mcap.summary import ChunkPlace
from m2r2_ros.bags.writing.metadata import FileInfo, TopicInfo, bag_metadata, dump_yaml

_INDEX: Final = struct.Struct('<HI')


@dataclass(slots=True)
class _Layout:
    """What of a file stays as it is.

    Attributes:
        end: Where it ends, bytes; what follows is written anew.
        chunks: Its chunks.
    """

    end: int
    chunks: list[ChunkIndex] = field(default_factory=list)


def topics_of(index: McapIndex) -> dict[str, TopicInfo]:
    """Return the topics of a file as metadata.yaml describes them, by name."""
    known = index.definitions
    return {
        channel.topic: TopicInfo(
            channel.topic,
            known.schemas[channel.schema_id].name,
            channel.metadata.get('offered_qos_profiles', ''),
            channel.metadata.get('topic_type_hash', ''),
        )
        for channel in known.channels.values()
    }


def counts_of(index: McapIndex) -> dict[str, int]:
    """Return the messages of a file by topic."""
    channels = index.definitions.channels
    return {channel.topic: index.counts[key] for key, channel in channels.items()}


def file_info(index: McapIndex) -> FileInfo:
    """Return a file as metadata.yaml describes it."""
    return FileInfo(index.path.name, index.start, index.end, index.counts.total())


def complete(path: Path) -> bool:
    """Write summary and index at the end of a file that was cut off, in place.

    Only files of our own recorder are changed: all of theirs lies in chunks. What lies behind the
    last whole message cannot be read and gives way; of a chunk that was cut the messages in front
    of the cut are kept.

    Returns:
        Whether anything could not be read; False where the file ends at a flush.

    Raises:
        BagError: The file is damaged in a way that a cut does not explain; it is not changed.
        OSError: The file cannot be written.
    """
    index = read_index(path)
    if not index.truncated:
        return False
    with path.open('r+b') as file:
        size = file.seek(0, 2)
        layout = _layout(file, size)
        last = index.chunks[-1] if index.chunks else None
        known = {place.offset for place in index.chunks}
        for chunk in layout.chunks:
            # Only a repair can tell what of it is left.
            if chunk.chunk_start_offset not in known:
                raise corrupt(path, chunk.chunk_start_offset, 'a chunk that cannot be read')
        builder, lost = RecordBuilder(), size > layout.end
        if last is not None and not _is_whole(file, path, last, layout):
            layout.chunks = [c for c in layout.chunks if c.chunk_start_offset != last.offset]
            layout.end = last.offset
            layout.chunks.append(_rewrite(file, path, last, builder))
            lost = last.cut
        _finish(builder, layout, index)
        file.seek(layout.end)
        file.write(builder.end())
        file.truncate()
    return lost


def _layout(file: BinaryIO, size: int) -> _Layout:
    """Go over the records from the beginning, up to the cut."""
    layout = _Layout(len(MAGIC))
    for opcode, start, length in walk(file, len(MAGIC), size):
        if start + length > size or opcode in (Opcode.METADATA, Opcode.DATA_END, Opcode.FOOTER):
            break
        offset = start - PREFIX.size
        file.seek(start)
        if opcode == Opcode.CHUNK:
            layout.chunks.append(_chunk_index(file, offset, length))
        elif opcode == Opcode.MESSAGE_INDEX and layout.chunks:
            channel, entries = _INDEX.unpack(file.read(_INDEX.size))
            chunk = layout.chunks[-1]
            chunk.message_index_length += PREFIX.size + length
            if entries:
                chunk.message_index_offsets[channel] = offset
        layout.end = start + length
    return layout


def _chunk_index(file: BinaryIO, offset: int, length: int) -> ChunkIndex:
    start, end, unpacked, _, letters = CHUNK_HEAD.unpack(file.read(CHUNK_HEAD.size))
    compression = file.read(letters).decode()
    (packed,) = LENGTH.unpack(file.read(LENGTH.size))
    return ChunkIndex(
        chunk_length=PREFIX.size + length,
        chunk_start_offset=offset,
        compression=compression,
        compressed_size=packed,
        message_end_time=end,
        message_index_length=0,
        message_index_offsets={},
        message_start_time=start,
        uncompressed_size=unpacked,
    )


def _is_whole(file: BinaryIO, path: Path, place: ChunkPlace, layout: _Layout) -> bool:
    """Return whether a chunk is there with the index of all its channels."""
    if place.cut:
        return False
    _, heads, _ = load_chunk(file, path, place, _pass)
    return layout.chunks[-1].message_index_offsets.keys() == set(heads['channel'].tolist())


def _pass(opcode: int, body: bytes) -> None:
    """Pass over schemas and channels, which the index of the file has."""


def _rewrite(file: BinaryIO, path: Path, place: ChunkPlace, builder: RecordBuilder) -> ChunkIndex:
    """Write a chunk anew, with all that can be read of it."""
    data, heads, positions = load_chunk(file, path, place, _pass)
    ends = [start + length for _, start, length in walk_chunk(data, place.cut, len(data))]
    whole = data[: max(ends, default=0)].tobytes()
    times = heads['log'].astype(np.int64)
    packed = zstandard.compress(whole)
    start, end = (int(times.min()), int(times.max())) if len(times) else (0, 0)
    Chunk('zstd', packed, end, start, zlib.crc32(whole), len(whole)).write(builder)
    index = ChunkIndex(
        chunk_length=builder.count,
        chunk_start_offset=place.offset,
        compression='zstd',
        compressed_size=len(packed),
        message_end_time=end,
        message_index_length=0,
        message_index_offsets={},
        message_start_time=start,
        uncompressed_size=len(whole),
    )
    for channel in np.unique(heads['channel']).tolist():
        rows = heads['channel'] == channel
        entries = list(zip(times[rows].tolist(), positions[rows].tolist(), strict=True))
        index.message_index_offsets[channel] = place.offset + builder.count
        MessageIndex(channel, entries).write(builder)
    index.message_index_length = builder.count - index.chunk_length
    return index


def _finish(builder: RecordBuilder, layout: _Layout, index: McapIndex) -> None:
    """Write metadata, summary and footer, as the recorder would have."""
    counts = counts_of(index)
    topics = [(topic, counts[name]) for name, topic in topics_of(index).items()]
    text = dump_yaml(bag_metadata([file_info(index)], topics))
    at = layout.end + builder.count
    Metadata('rosbag2', {'serialized_metadata': text}).write(builder)
    metadata = MetadataIndex(at, layout.end + builder.count - at, 'rosbag2')
    DataEnd(0).write(builder)
    schemas = list(index.definitions.schemas.values())
    channels = list(index.definitions.channels.values())
    statistics = Statistics(
        attachment_count=0,
        channel_count=len(channels),
        channel_message_counts={c.id: index.counts[c.id] for c in channels},
        chunk_count=len(layout.chunks),
        message_count=index.counts.total(),
        message_end_time=index.end,
        message_start_time=index.start,
        metadata_count=1,
        schema_count=len(schemas),
    )
    groups: dict[int, Sequence[McapRecord]] = {
        Opcode.SCHEMA: schemas,
        Opcode.CHANNEL: channels,
        Opcode.STATISTICS: [statistics],
        Opcode.CHUNK_INDEX: layout.chunks,
        Opcode.METADATA_INDEX: [metadata],
    }
    start, summary = layout.end + builder.count, RecordBuilder()
    offsets = []
    for opcode, records in groups.items():
        before = summary.count
        for record in records:
            record.write(summary)
        offsets.append(SummaryOffset(opcode, start + before, summary.count - before))
    offset_start = start + summary.count
    for offset in offsets:
        offset.write(summary)
    data = summary.end()
    builder.write(data)
    head = struct.pack('<BQQQ', Opcode.FOOTER, 20, start, offset_start)
    Footer(start, offset_start, zlib.crc32(head, zlib.crc32(data))).write(builder)
    builder.write(MAGIC)
