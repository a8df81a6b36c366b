# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags that are damaged or lie: errors name the file, and memory stays bounded."""

import bz2
import random
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import lz4.frame
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError
from test.bags.ros1.files import messages, write_bag

Packs: TypeAlias = Callable[[bytes], bytes]


def read_all(path: Path) -> int:
    recording = open_recording(path)
    blocks = recording.blocks(recording.readable)
    return sum(len(block) for found in blocks for block in found)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    return write_bag(tmp_path / 'a.bag', messages(20))


def refused(path: Path) -> str:
    with pytest.raises(BagError) as caught:
        read_all(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        (b'', 'expected a ROS 1 bag'),
        (b'#ROSBAG V1.2\n' + bytes(100), "found b'#ROSBAG V1.2"),
        (b'#ROSBAG V2.0\n', 'no chunk that is whole'),
        (b'#ROSBAG V2.0\n' + b'\xff' * 100, 'no chunk that is whole'),
        (b'\x89MCAP0\r\n', 'expected a ROS 1 bag'),
    ],
)
def test_what_is_no_bag_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / 'a.bag').write_bytes(content)
    assert expected in refused(tmp_path / 'a.bag')


def test_any_damage_is_told_or_harmless(bag: Path) -> None:
    whole = bag.read_bytes()
    chance = random.Random(1)
    failed = 0
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 1, 8])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        bag.write_bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])
        try:
            assert read_all(bag) <= 60
        except BagError as error:
            assert str(bag) in str(error)
            failed += 1
    assert 0 < failed < 60


def chunk_with(bag: Path, change: Callable[[bytes], tuple[bytes, bytes]]) -> None:
    """Replace the header and the data of the first chunk, in a bag that then has no index."""
    data = bag.read_bytes()
    at = data.index(b'op=\x05') - 8
    length = struct.unpack('<I', data[at : at + 4])[0]
    low = at + 8 + length
    size = struct.unpack('<I', data[low - 4 : low])[0]
    header, content = change(data[low : low + size])
    index = data.index(b'index_pos=') + 10
    begin = data[:index] + bytes(8) + data[index + 8 : at]
    lengths = struct.pack('<I', len(header)), struct.pack('<I', len(content))
    bag.write_bytes(begin + lengths[0] + header + lengths[1] + content)


def field(name: bytes, value: bytes) -> bytes:
    return struct.pack('<I', len(name) + 1 + len(value)) + name + b'=' + value


def chunk_header(kind: bytes, size: int) -> bytes:
    held = field(b'compression', kind) + field(b'op', b'\x05')
    return held + field(b'size', struct.pack('<I', size))


def test_a_chunk_can_be_made_anew(bag: Path) -> None:
    """What the next test damages is read when it is whole."""
    for kind, pack in ((b'bz2', bz2.compress), (b'lz4', lz4.frame.compress)):
        write_bag(bag.with_name(f'{kind.decode()}.bag'), messages(20))
        path = bag.with_name(f'{kind.decode()}.bag')

        def packed(data: bytes, kind: bytes = kind, pack: Packs = pack) -> tuple[bytes, bytes]:
            return chunk_header(kind, len(data)), pack(data)

        chunk_with(path, packed)
        assert read_all(path) > 5


@pytest.mark.parametrize(
    ('kind', 'pack'), [(b'bz2', bz2.compress), (b'lz4', lz4.frame.compress)], ids=['bz2', 'lz4']
)
def test_bombs_are_not_unpacked(bag: Path, kind: bytes, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(1 << 26))
    for said in (1000, (1 << 28) + 1, (1 << 32) - 1):
        write_bag(path := bag.with_name(f'{said}.bag'), messages(20))
        header = chunk_header(kind, said)
        chunk_with(path, partial(lambda header, data: (header, bomb), header))
        assert 'no chunk that is whole' in refused(path)


def test_a_chunk_packed_otherwise_is_named(bag: Path) -> None:
    data = bag.read_bytes()
    bag.write_bytes(data.replace(b'compression=none', b'compression=zstd'))
    assert "packed by 'zstd'; expected none, bz2 or lz4" in refused(bag)


def test_a_message_outside_the_times_of_its_chunk_is_refused(bag: Path) -> None:
    data = bag.read_bytes()
    at = data.rindex(b'start_time=') + len(b'start_time=')
    late = struct.pack('<I', 1_500_000_001)
    bag.write_bytes(data[:at] + late + data[at + 4 :])
    assert 'outside the times in the index' in refused(bag)


def test_a_definition_that_cannot_be_read_leaves_the_rest(bag: Path) -> None:
    data = bag.read_bytes()
    bag.write_bytes(data.replace(b'float32[] values', b'float32[] v@lues'))
    recording = open_recording(bag)
    assert sorted(recording.readable) == ['/ft', '/range']
    with pytest.raises(BagError, match='the definition of type my_msgs/msg/Gauge'):
        next(iter(recording.blocks(['/gauge'])))


def test_an_encrypted_bag_is_refused(bag: Path) -> None:
    data = bag.read_bytes()
    at = data.index(b'op=\x03') - 8
    length = struct.unpack('<I', data[at : at + 4])[0]
    more = field(b'encryptor', b'x/y')
    header = struct.pack('<I', length + len(more)) + data[at + 4 : at + 4 + length] + more
    rest = data[at + 4 + length + len(more) :]
    padding = struct.unpack('<I', data[at + 4 + length : at + 8 + length])[0] - len(more)
    bag.write_bytes(data[:at] + header + struct.pack('<I', padding) + rest[4:])
    assert 'is encrypted' in refused(bag)
