# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RLDS datasets that are damaged or lie: errors name the place."""

import json
import struct
from pathlib import Path
from typing import Any

import google_crc32c
import pytest

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError
from test.bags.rlds.files import episode, example, record, write_rlds

SHARD = 'toy-train.tfrecord-00000-of-00001'


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_rlds(tmp_path / 'toy', {'train': [episode(0, 4), episode(1, 5)]})


def refused(folder: Path) -> str:
    with pytest.raises(BagError) as caught:
        for path in find_recordings([folder]):
            recording = open_recording(path)
            for _ in recording.blocks(recording.readable):
                pass
    return str(caught.value)


def test_a_bit_that_flipped_is_found(dataset: Path) -> None:
    path = dataset / SHARD
    whole = path.read_bytes()
    first = struct.unpack('<Q', whole[:8])[0] + 16
    for at, expected in (
        (0, 'record 0: its length does not fit its checksum'),
        (9, 'record 0: its length does not fit its checksum'),
        (40, 'train_000000: its content does not fit its checksum'),
        (first - 2, 'train_000000: its content does not fit its checksum'),
        (first + 100, 'train_000001: its content does not fit its checksum'),
    ):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert expected in refused(dataset)


def test_a_file_that_is_cut_is_refused(dataset: Path) -> None:
    path = dataset / SHARD
    whole = path.read_bytes()
    for keep in (3, 11, 100, len(whole) - 1):
        path.write_bytes(whole[:keep])
        assert 'is cut in record' in refused(dataset)
    path.write_bytes(b'')
    assert 'holds no recording' in refused(dataset)


def test_a_length_beyond_the_file_takes_no_memory(dataset: Path) -> None:
    huge = struct.pack('<Q', 1 << 62)
    crc = google_crc32c.value(huge)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    (dataset / SHARD).write_bytes(huge + struct.pack('<I', masked) + bytes(100))
    assert 'is cut in record 0' in refused(dataset)


@pytest.mark.parametrize(
    'data',
    [
        b'\x0a\xff\xff\xff\xff\x0f',
        b'\x0a\x03\x0a\x7f\x0a',
        b'\xff' * 20,
        b'\x0b\x0c',
        b'',
        b'\x0a\x06\x0a\x04\x0a\x02\xff\xfe',
    ],
)
def test_records_that_are_no_examples_are_refused(dataset: Path, data: bytes) -> None:
    (dataset / SHARD).write_bytes(record(data))
    assert SHARD in refused(dataset)


@pytest.mark.parametrize(
    ('name', 'content', 'expected'),
    [
        ('steps/observation/state', [1.0] * 27, 'expected 7 numbers in each of 4 steps, found 27'),
        ('steps/observation/image', [b'GIF89a'] * 4, 'image 0 is neither JPEG nor PNG'),
        ('steps/language_instruction', [b'\xff'] * 4, 'text 0 is not UTF-8'),
    ],
)
def test_values_that_do_not_fit_are_named(
    tmp_path: Path, name: str, content: list[Any], expected: str
) -> None:
    folder = write_rlds(tmp_path / 'toy', {'train': [{**episode(0, 4), name: content}]})
    found = refused(folder)
    assert expected in found
    assert name in found


def test_what_is_missing_or_packed_is_told(tmp_path: Path) -> None:
    content = episode(0, 4)
    del content['steps/observation/gripper']
    content['steps/observation/depth'] = [b'packed']
    folder = write_rlds(tmp_path / 'toy', {'train': [content]})
    notes = open_recording(folder / 'train_000000').notes
    assert 'no topic of observation/gripper: the episode has none of it' in notes
    assert 'no topic of observation/depth: it is packed' in notes


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('[]', 'no mappings'),
        ('{', 'cannot be read'),
        ('{"featuresDict": {"features": {"a": {"text": {}}}}}', 'has no steps'),
        ('{"featuresDict": ' * 60 + '1' + '}' * 60, 'cannot be read'),
        ('[' * 100_000, 'cannot be read'),
    ],
)
def test_features_that_are_none_are_refused(dataset: Path, text: str, expected: str) -> None:
    (dataset / 'features.json').write_text(text)
    found = refused(dataset)
    assert expected in found
    assert 'features.json' in found


def test_widths_beyond_all_bounds_are_told(dataset: Path) -> None:
    path = dataset / 'features.json'
    content = json.loads(path.read_text())
    steps = content['featuresDict']['features']['steps']['sequence']['feature']
    action = steps['featuresDict']['features']['action']
    action['tensor']['shape']['dimensions'] = ['99999999999', '99999999999']
    path.write_text(json.dumps(content))
    notes = open_recording(dataset / 'train_000000').notes
    assert any('no topic of action: it has' in note for note in notes)


def test_features_that_are_nested_further_are_passed_over(dataset: Path) -> None:
    (dataset / SHARD).write_bytes(record(example({**episode(0, 4), 'steps/deep/x/y': [1, 2]})))
    assert open_recording(dataset / 'train_000000').message_count > 0
