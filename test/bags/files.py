# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small recordings of numbered messages, and what was read of them."""

import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from mcap.writer import CompressionType, IndexType, Writer

from m2r2_ros.bags.recording import Recording

FLOAT = 'std_msgs/msg/Float64'
#: Topic, log time, number.
Item = tuple[str, int, int]


def payload(number: int, size: int = 0) -> bytes:
    """Return CDR bytes that hold a number."""
    return b'\0\1\0\0' + number.to_bytes(8, 'little') + bytes(size)


def mcap_bytes(
    chunks: Iterable[Sequence[Item]],
    compression: CompressionType = CompressionType.ZSTD,
    chunked: bool = True,
    index: IndexType = IndexType.ALL,
    encoding: str = 'cdr',
    summary: bool = True,
    size: int = 0,
) -> bytes:
    """Make an MCAP file of the given chunks."""
    file = io.BytesIO()
    writer = Writer(
        file,
        compression=compression,
        use_chunking=chunked,
        index_types=index,
        use_statistics=summary,
        repeat_channels=summary,
        repeat_schemas=summary,
        use_summary_offsets=summary,
        chunk_size=1 << 30,
    )
    writer.start('ros2')
    schema = writer.register_schema(FLOAT, 'ros2msg', b'float64 data\n')
    channels: dict[str, int] = {}
    for chunk in chunks:
        for topic, time, number in chunk:
            if topic not in channels:
                qos = {'offered_qos_profiles': f'- qos of {topic}', 'topic_type_hash': 'RIHS01_1'}
                channels[topic] = writer.register_channel(topic, encoding, schema, qos)
            writer.add_message(channels[topic], time, payload(number, size), time)
        writer.flush()
    writer.finish()
    return file.getvalue()


def read(recording: Recording, topics: Sequence[str] | None = None) -> list[Item]:
    """Read a recording, insist on what blocks promise, and list its messages by arrival."""
    found: list[Item] = []
    for blocks in recording.blocks(topics):
        here: dict[int, Item] = {}
        assert blocks
        assert len({block.topic for block in blocks}) == len(blocks)
        for block in blocks:
            assert len(block)
            assert (np.diff(block.arrival) > 0).all()
            for k in range(len(block)):
                raw = block.message(k).tobytes()
                assert raw[:4] == b'\0\1\0\0'
                number = int.from_bytes(raw[4:12], 'little')
                here[int(block.arrival[k])] = (block.topic, int(block.log_times[k]), number)
        assert sorted(here) == list(range(len(found), len(found) + len(here)))
        found += [here[rank] for rank in sorted(here)]
    return found


def expected(chunks: Iterable[Sequence[Item]], topics: Sequence[str] | None = None) -> list[Item]:
    """Order messages as they have to be read: by log time, then as in the file."""
    items = [item for chunk in chunks for item in chunk if topics is None or item[0] in topics]
    return sorted(items, key=lambda item: item[1])


def write(path: Path, make: Callable[[], bytes]) -> Path:
    """Write a file."""
    path.write_bytes(make())
    return path
