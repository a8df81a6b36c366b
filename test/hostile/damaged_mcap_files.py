# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings, written in every way that MCAP knows, and damage done to them."""

import io
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from mcap.reader import make_reader
from mcap.writer import CompressionType, IndexType, Writer

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.messages import in_order
from test.bags.files import FLOAT
from test.real_data import DATA

#: Topic, log time, bytes.
Message = tuple[str, int, bytes]
_REAL: Final = DATA / 'real_bags' / 'ros2bag_ats_2025-12-02_12-48-52'
_MESSAGES: Final = 250


@dataclass(frozen=True)
class Way:
    """How a file is written.

    Attributes:
        compression: Of the chunks.
        chunked: It has chunks.
        crcs: Chunks and summary have checksums.
        data_crc: The data section has one.
        index: What it has of indexes.
        summary: It has a summary.
    """

    compression: CompressionType = CompressionType.NONE
    chunked: bool = True
    crcs: bool = True
    data_crc: bool = False
    index: IndexType = IndexType.ALL
    summary: bool = True

    @property
    def exact(self) -> bool:
        """Whether a checksum covers each byte of a message."""
        return self.data_crc or (self.chunked and self.crcs)

    @property
    def timed(self) -> bool:
        """Whether topic, time and length of each message are written down twice."""
        return self.exact or (self.chunked and bool(self.index & IndexType.MESSAGE))


WAYS: Final = [
    Way(CompressionType.ZSTD),
    Way(CompressionType.LZ4),
    Way(),
    Way(crcs=False),
    Way(CompressionType.ZSTD, crcs=False),
    Way(CompressionType.LZ4, crcs=False),
    Way(index=IndexType.NONE),
    Way(CompressionType.LZ4, summary=False),
    Way(crcs=False, summary=False, data_crc=True),
    Way(chunked=False),
    Way(chunked=False, data_crc=True),
]


@cache
def messages() -> tuple[Message, ...]:
    """Return messages of a real recording where there is one, and made ones."""
    noise = random.Random(7)
    made = [
        (f'/{"abc"[k % 3]}', 10**18 + 10**7 * k, b'\0\1\0\0' + noise.randbytes(k % 80 + 1))
        for k in range(_MESSAGES)
    ]
    if not _REAL.is_dir():
        return tuple(made)
    found = []
    for blocks in open_recording(_REAL).blocks():
        found += [(topic, time, bytes(raw)) for time, topic, raw in in_order(blocks)]
    return tuple(sorted(made[:50], key=lambda item: item[1]) + found[:_MESSAGES])


@cache
def written(way: Way, chunk: int = 3000) -> bytes:
    """Return a file of these messages."""
    stream = io.BytesIO()
    writer = Writer(
        stream,
        chunk_size=chunk,
        compression=way.compression,
        index_types=way.index,
        use_chunking=way.chunked,
        use_statistics=way.summary,
        repeat_channels=way.summary,
        repeat_schemas=way.summary,
        use_summary_offsets=way.summary,
        enable_crcs=way.crcs,
        enable_data_crcs=way.data_crc,
    )
    writer.start('ros2', 'test')
    schema = writer.register_schema(FLOAT, 'ros2msg', b'float64 data\n')
    channels: dict[str, int] = {}
    for topic, time, raw in messages():
        if topic not in channels:
            channels[topic] = writer.register_channel(topic, 'cdr', schema)
        writer.add_message(channels[topic], time, raw, time)
    writer.finish()
    return stream.getvalue()


def real() -> bytes | None:
    """Return the real recording, one chunk without a checksum, if there is one."""
    files = list(_REAL.glob('*.mcap'))
    return files[0].read_bytes() if files else None


def damaged(content: bytes, seed: int) -> bytes:
    """Flip, overwrite, delete, insert or cut, up to three times."""
    dice = random.Random(seed)
    data = bytearray(content)
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        # Summaries, heads and indexes are small beside messages, and are to be hit as well.
        ends = [len(data), len(data), min(600, len(data))]
        at = dice.randrange(8, max(dice.choice(ends), 9))
        if dice.random() < 0.2:
            at = max(8, len(data) - dice.randrange(1, 3000))
        at, size = min(at, len(data) - 1), dice.choice([1, 1, 2, 8, 40, 400])
        match dice.randrange(8):
            case 0 | 1 | 2:
                data[at] ^= 1 << dice.randrange(8)
            case 3:
                data[at : at + size] = dice.randbytes(len(data[at : at + size]))
            case 4:
                fill = dice.choice([b'\0', b'\xff'])
                data[at : at + size] = fill * len(data[at : at + size])
            case 5:
                del data[at : at + size]
            case 6:
                data[at:at] = dice.randbytes(size)
            case _:
                del data[at:]
    return bytes(data)


def read(path: Path) -> Iterator[Message]:
    """Yield the messages of a valid recording, as the mcap library reads them."""
    for file in sorted(path.glob('*.mcap')):
        with file.open('rb') as stream:
            for _, channel, message in make_reader(stream).iter_messages():
                yield channel.topic, message.log_time, message.data


def seen(found: Iterator[Message] | tuple[Message, ...], way: Way) -> Counter[object]:
    """Count messages by what of them cannot be damaged without notice."""
    if way.exact:
        return Counter(found)
    if way.timed:
        return Counter((topic, time, len(raw)) for topic, time, raw in found)
    return Counter(topic for topic, _, _ in found)
