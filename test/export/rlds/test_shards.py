# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.export.rlds.example import EpisodeExample, varint
from m2r2_ros.export.rlds.shards import Shards
from test.export.rlds.records import example, records


def put(shards: Shards, record: bytes) -> None:
    shards.append(len(record), iter([record[:3], record[3:]]))


def contents(folder: Path) -> list[list[bytes]]:
    return [records(file) for file in sorted(folder.iterdir())]


def test_files_are_of_about_the_same_size(tmp_path: Path) -> None:
    shards = Shards(tmp_path, most_bytes=40)
    for k in range(5):
        put(shards, bytes([k]) * 20)
    assert shards.finish('a-train.tfrecord') == ([2, 2, 1], 5 * 36)
    assert [f.name for f in sorted(tmp_path.iterdir())][2] == 'a-train.tfrecord-00002-of-00003'
    assert contents(tmp_path) == [[bytes([k]) * 20 for k in ks] for ks in ((0, 1), (2, 3), (4,))]


def test_what_was_written_since_a_mark_is_taken_back(tmp_path: Path) -> None:
    shards = Shards(tmp_path, most_bytes=40)
    put(shards, b'of a recording that failed')
    shards.take_back()
    put(shards, b'one')
    shards.mark()
    for k in range(6):
        put(shards, bytes([k]) * 20)
    shards.take_back()
    put(shards, b'two')
    shards.mark()
    put(shards, b'three')
    shards.take_back()
    assert shards.finish('a') == ([2], 38)
    assert contents(tmp_path) == [[b'one', b'two']]


@pytest.mark.parametrize('number', [0, 1, 127, 128, 300, 2**31, 2**63 - 1, -1, -(2**63)])
def test_numbers(tmp_path: Path, number: int) -> None:
    written = EpisodeExample(tmp_path)
    written.add_integers('a', [number, 7])
    assert example(b''.join(written.parts())) == {'a': [number, 7]}
    assert len(varint(number)) <= 10


def test_columns_grow_beyond_memory(tmp_path: Path) -> None:
    written = EpisodeExample(tmp_path)
    big = bytes(range(256)) * 3000
    for k in range(3):
        written.add_bytes('images', [big, bytes([k])])
        written.add_floats('state', np.full((2, 3), k, np.float32))
        written.add_texts('übel', ['a', ''])
    record = b''.join(written.parts())
    assert len(record) == len(written)
    assert example(record) == {
        'images': [big, b'\0', big, b'\1', big, b'\2'],
        'state': [0.0] * 6 + [1.0] * 6 + [2.0] * 6,
        'übel': [b'a', b''] * 3,
    }
    written.close()
    assert not list(tmp_path.iterdir())
