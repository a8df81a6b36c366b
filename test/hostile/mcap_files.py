# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files that were made to do harm."""

import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import lz4.frame
import zstandard
from mcap.opcode import Opcode
from mcap.writer import CompressionType

from m2r2_ros.bags.mcap.repair import repair
from m2r2_ros.bags.recording import open_recording
from test.bags.files import mcap_bytes

MAGIC: Final = b'\x89MCAP0\r\n'
MB: Final = 1 << 20
HUGE: Final = (2**24, 2**31, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1)


def text(content: bytes) -> bytes:
    return struct.pack('<I', len(content)) + content


def record(opcode: int, body: bytes, length: int | None = None) -> bytes:
    """Return a record, of a length that is not that of its body if one is given."""
    return struct.pack('<BQ', opcode, len(body) if length is None else length) + body


def schema(key: int, definition: bytes = b'float64 data\n') -> bytes:
    body = struct.pack('<H', key) + text(b'std_msgs/msg/Float64') + text(b'ros2msg')
    return record(Opcode.SCHEMA, body + text(definition))


def channel(key: int, topic: bytes, qos: bytes = b'', schema_key: int = 1) -> bytes:
    metadata = text(b'offered_qos_profiles') + text(qos)
    body = struct.pack('<HH', key, schema_key) + text(topic) + text(b'cdr') + text(metadata)
    return record(Opcode.CHANNEL, body)


def message(key: int, body: bytes = b'', log_time: int = 0) -> bytes:
    return record(Opcode.MESSAGE, struct.pack('<HIQQ', key, 0, log_time, 0) + body)


def chunk(
    packed: bytes,
    size: int,
    compression: bytes = b'zstd',
    packed_size: int | None = None,
    span: tuple[int, int] = (0, 0),
) -> bytes:
    """Return a chunk that claims to unpack to `size` bytes and to hold `packed_size`."""
    stored = len(packed) if packed_size is None else packed_size
    head = struct.pack('<QQQII', *span, size, 0, len(compression)) + compression
    body = head + struct.pack('<Q', stored) + packed
    return record(Opcode.CHUNK, body, min(len(body) - len(packed) + stored, 2**64 - 1))


def zstd_chunk(content: bytes, span: tuple[int, int] = (0, 0)) -> bytes:
    return chunk(zstandard.compress(content), len(content), span=span)


def file(*records: bytes) -> bytes:
    """Return a file whose recorder was stopped."""
    return MAGIC + record(Opcode.HEADER, text(b'ros2') + text(b'test')) + b''.join(records)


def zstd_bomb(size: int) -> bytes:
    """Return a zstd frame of 32 bytes for each megabyte of zeros that it holds."""
    step = 1 << 17
    block = (step << 3 | 1 << 1).to_bytes(3, 'little') + b'\0'
    return b'\x28\xb5\x2f\xfd\0\x38' + block * (size // step) + b'\x01\0\0'


def claims() -> Iterator[bytes]:
    """Records that claim to be huge, in tiny files."""
    for opcode in (*range(1, 16), 0x80, 0xFF):
        for length in HUGE:
            yield file(record(opcode, bytes(70), length))
    for size in HUGE:
        yield file(chunk(bytes(30), size, b'', packed_size=size))
        for compression in (b'', b'zstd', b'lz4'):
            yield file(chunk(bytes(30), size, compression))


def zstd_bombs() -> Iterator[bytes]:
    bomb = zstd_bomb(3 << 30)
    for size in (3 << 30, 1 << 30, 64 * MB, 100):
        yield file(chunk(bomb, size))
    whole = zstd_bomb(60 * MB)
    yield file(*[chunk(whole, 60 * MB)] * 24)
    yield file(chunk(bomb, 1 << 30))[:-40]


def lz4_bombs() -> Iterator[bytes]:
    bomb = lz4.frame.compress(bytes(100 * MB))
    for size in (100 * MB, 1 << 30, 2**62, 100):
        yield file(chunk(bomb, size, b'lz4'))
        yield file(chunk(bomb[:4000], size, b'lz4', packed_size=len(bomb)))


def many_records() -> Iterator[bytes]:
    """Chunks with as many records as fit."""
    known = schema(1) + channel(1, b'/a')
    for small in (record(0x80, b''), record(Opcode.SCHEMA, b''), record(Opcode.CHUNK, b'')):
        yield file(zstd_chunk(known + small * (2 * MB // len(small))))
    unknown = b''.join(message(key) for key in range(2, 20_000))
    yield file(zstd_chunk(known + unknown * 5))
    yield file(zstd_chunk(known + message(1) * 20_000))
    yield file(zstd_chunk(known + message(1, bytes(60 * MB))))


def blank_chunks() -> Iterator[bytes]:
    """Chunks of a few kB that hold a large message of zeros, or very many tiny ones."""
    known = schema(1) + channel(1, b'/a')
    blanks = [known + message(1, bytes(60 * MB), log_time=10 + k) for k in range(3)]
    chunks = [zstd_chunk(blank, span=(10 + k, 10 + k)) for k, blank in enumerate(blanks)]
    yield file(*chunks * 3)
    tiny = zstd_chunk(known + message(1) * (60 * MB // 31))
    yield file(tiny, tiny)


def overlapping() -> Iterator[bytes]:
    """Chunks that have to be held together, or say so."""
    known = schema(1) + channel(1, b'/a')
    for shift, lie in ((1, True), (0, False)):
        chunks = []
        for k in range(6):
            times = [shift * (k + 6 * step) for step in range(60)]
            body = known + b''.join(message(1, bytes(MB), time) for time in times)
            chunks.append(zstd_chunk(body, span=(0 if lie else times[0], times[-1])))
        yield file(*chunks)
    # One message of each chunk keeps it from being passed on.
    late = [
        zstd_chunk(
            known + message(1, bytes(50 * MB), k) + message(1, b'', 1000 + k), span=(k, 1000 + k)
        )
        for k in range(8)
    ]
    yield file(*late)


def definitions() -> Iterator[bytes]:
    """Schemas and channels that are large or many."""
    yield file(*[zstd_chunk(schema(k, bytes(60 * MB))) for k in range(1, 8)])
    channels = [channel(k, b'/topic%d' % k) for k in range(600)]
    yield file(zstd_chunk(schema(1, b'x' * MB) + b''.join(channels)))
    yield file(schema(1), channel(1, b'/' + b'a' * 200_000), message(1))
    nested = b'- &a0 {x: 1}\n' + b''.join(
        b'- &a%d {x: [%s]}\n' % (k, b', '.join([b'*a%d' % (k - 1)] * 9)) for k in range(1, 12)
    )
    for qos in (b'[' * 50_000, nested, b'{' * 500, b'- {depth: !!python/object:os.system {}}'):
        yield file(schema(1), channel(1, b'/a', qos), message(1))


def misplaced() -> Iterator[bytes]:
    """Opcodes of all kinds, at the top and in a chunk, and chunks in chunks."""
    known = schema(1) + channel(1, b'/a') + message(1, b'\0\1\0\0' + bytes(8))
    for opcode in (*range(0x12), 0x7F, 0x80, 0xFF):
        bad = record(opcode, bytes(30))
        inside = known + bad + known
        yield file(known, bad, known, chunk(inside, len(inside), b''))
    nested = known
    for _ in range(100):
        nested = chunk(nested, len(nested), b'')
    yield file(nested)
    yield file(known, message(1, log_time=2**63), message(1, log_time=2**64 - 1))


def recordings() -> list[bytes]:
    """Small valid files, to be damaged."""
    chunks = [[('/a', 10 * k, k), ('/b', 10 * k + 5, k)] for k in range(2)]
    ways = [(kind, True) for kind in CompressionType] + [(CompressionType.NONE, False)]
    return [mcap_bytes(chunks, kind, chunked=chunked) for kind, chunked in ways]


def truncated() -> Iterator[bytes]:
    for content in recordings():
        yield from (content[:length] for length in range(0, len(content), 29))


def flipped() -> Iterator[bytes]:
    for content in recordings():
        for at in range(8, len(content), 29):
            yield content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]


def overwritten() -> Iterator[bytes]:
    """Counts and lengths at their greatest, wherever they are."""
    for content in recordings():
        for at in range(8, len(content) - 8, 29):
            yield content[:at] + b'\xff' * (2, 4, 8)[at % 3] + content[at + (2, 4, 8)[at % 3] :]


CASES: Final[list[Callable[[], Iterable[bytes]]]] = [
    claims,
    zstd_bombs,
    lz4_bombs,
    many_records,
    blank_chunks,
    overlapping,
    definitions,
    misplaced,
    truncated,
    flipped,
    overwritten,
]


def read_all(path: Path) -> None:
    recording = open_recording(path)
    for blocks in recording.blocks(recording.readable):
        assert all(len(block.message(len(block) - 1)) >= 0 for block in blocks)


def repair_and_read(path: Path) -> None:
    repaired = path.with_suffix('')
    report = repair(path, repaired)
    assert open_recording(repaired).message_count == sum(report.messages.values())
    read_all(repaired)
