# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""REASSEMBLE files that are cut, damaged or something else."""

import random
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError
from test.bags.reassemble.files import Shape, write_file
from test.hostile import hdf5_files
from test.hostile.memory import MB, memory_of


@pytest.fixture(scope='module')
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('reassemble') / 'small.h5'
    # Beyond the size up to which HDF5 keeps a blob in an object header.
    return write_file(path, Shape(seconds=1.0, size=(320, 240)))


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(small, tmp_path / small.name))


def read(path: Path) -> int:
    """Read whatever can be read."""
    recording = open_recording(path)
    return sum(len(b) for blocks in recording.blocks(recording.readable) for b in blocks)


def put(path: Path, name: str, value: Any) -> None:
    with h5py.File(path, 'a') as file:
        del file[name]
        if value is not None:
            file[name] = value


def test_what_is_no_hdf5(tmp_path: Path) -> None:
    for content in (b'', b'no file of numbers', b'\x89HDF\r\n\x1a\n' + bytes(100)):
        path = tmp_path / 'a.h5'
        path.write_bytes(content)
        with pytest.raises(BagError, match=r'a\.h5 cannot be read: .*expected HDF5'):
            open_recording(path)


def test_hdf5_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / 'a.h5'
    with h5py.File(path, 'w') as file:
        file['demo_0/actions'] = np.zeros((3, 7))
    with pytest.raises(BagError, match=r'is not from REASSEMBLE.*found demo_0'):
        open_recording(path)


def test_a_file_with_nothing_but_its_groups(tmp_path: Path) -> None:
    path = tmp_path / 'a.h5'
    with h5py.File(path, 'w') as file:
        file.create_group('robot_state')
    recording = open_recording(path)
    assert (recording.message_count, recording.start, recording.end) == (0, 0, 0)
    assert list(recording.blocks()) == []
    assert len([n for n in recording.notes if n.startswith('no /')]) == 13


@pytest.mark.parametrize('share', [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_file(copy: Path, share: float) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BagError, match='cannot be read'):
        read(copy)


@pytest.mark.parametrize(
    ('name', 'value', 'expected'),
    [
        ('robot_state/pose', np.zeros((580, 6)), r'\(N, 7\)'),
        ('robot_state/pose', np.zeros(580), r'\(N, 7\)'),
        ('robot_state/pose', np.full((580, 7), b'x'), r'numbers \(N, 7\)'),
        ('robot_state/measured_torque', np.zeros((1000, 7)), r'\(N, 3\)'),
        ('timestamps/pose', np.zeros((580, 2)), r'numbers \(N,\)'),
        ('timestamps/pose', 1.0, r'numbers \(N,\)'),
        ('timestamps/hand', np.full(30, b'x'), r'numbers \(N,\)'),
        ('hand', np.zeros(30), 'one opaque value'),
        ('hand_audio', np.zeros((30, 2), np.int64), 'whole numbers'),
        ('hand_audio', np.full(30, 256), 'bytes, 0 to 255'),
        ('hand_audio', np.full(30, -1), 'bytes, 0 to 255'),
        ('segments_info/0/start', 'now', 'a number'),
        ('segments_info/0/start', np.zeros(2), 'one value'),
        ('segments_info', 1.0, 'cannot be read'),
    ],
)
def test_datasets_that_are_not_as_described(
    copy: Path, name: str, value: Any, expected: str
) -> None:
    put(copy, name, value)
    with pytest.raises(BagError, match=f'small.h5: .*{name.split("/", maxsplit=1)[0]}.*{expected}'):
        read(copy)


def test_a_group_where_a_dataset_should_be(copy: Path) -> None:
    for name in ('timestamps/pose', 'robot_state/pose', 'hand', 'hand_audio'):
        path = Path(shutil.copy(copy, copy.with_name('b.h5')))
        put(path, name, None)
        with h5py.File(path, 'a') as file:
            file.create_group(name)
        with pytest.raises(BagError, match=f'{name} cannot be read'):
            read(path)


@pytest.mark.parametrize(
    ('name', 'topic'), [('hand', '/hand/image/compressed'), ('hand_audio', '/hand/audio')]
)
def test_blobs_of_something_else_are_topics_that_cannot_be_read(
    copy: Path, name: str, topic: str
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, 100_000).astype(np.uint8)
    noise[noise == 255] = 0  # MP3 is wherever there is a sync word
    put(copy, name, np.void(noise.tobytes()) if name == 'hand' else noise.astype(np.int64))
    recording = open_recording(copy)
    assert topic in recording.topics
    assert topic not in recording.readable
    assert [note for note in recording.notes if note.startswith(f'{topic}: {name} is not an MP')]
    with pytest.raises(BagError, match=f'{topic} cannot be read: {name}'):
        list(recording.blocks([topic]))
    assert read(copy)


def test_a_film_that_breaks_off_is_told_of_when_it_is_read(copy: Path) -> None:
    with h5py.File(copy, 'r') as file:
        film = bytearray(file['hama1'][()].tobytes())
    begin = film.index(b'mdat') + 4
    film[begin + 40 : begin + 4000] = bytes(3960)
    put(copy, 'hama1', np.void(bytes(film)))
    recording = open_recording(copy)
    try:
        found = list(recording.blocks(['/hama1/image/compressed']))
    except BagError as error:
        assert '/hama1/image/compressed' in str(error)
    else:  # the decoder has concealed it
        assert sum(len(b) for blocks in found for b in blocks) == 30


def test_libraries_that_are_missing_are_named(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'h5py', None)
    with pytest.raises(BagError, match=r"pip install 'm2r2_ros\[reassemble\]'"):
        open_recording(small)


def test_damage_anywhere_is_a_clear_error_or_harmless(small: Path, tmp_path: Path) -> None:
    dice = random.Random(7)
    content = small.read_bytes()
    for k in range(60):
        damaged = bytearray(content)
        # Most of what HDF5 itself reads lies at the beginning.
        limit = 20_000 if k % 2 else len(content)
        for _ in range(dice.choice((1, 8, 64))):
            damaged[dice.randrange(limit)] = dice.randrange(256)
        path = tmp_path / 'damaged.h5'
        path.write_bytes(damaged)
        try:
            recording = open_recording(path)
            sensors = [name for name in recording.readable if 'image' not in name]
            for blocks in recording.blocks(sensors if k % 8 else recording.readable):
                assert all(len(block) for block in blocks)
        except BagError as error:
            assert 'damaged.h5' in str(error)


def test_what_is_declared_is_not_set_aside_and_no_other_file_is_opened(
    small: Path, tmp_path: Path, processes: ProcessPoolExecutor
) -> None:
    paths = list(hdf5_files.paths_of(small, tmp_path / 'files'))
    # A file is read first, so that libraries are loaded.
    usual = [small, small]
    assert processes.submit(memory_of, hdf5_files.read_whole, usual + paths).result() < 600 * MB


@pytest.mark.parametrize('name', hdf5_files.CHANGES)
def test_a_dataset_that_declares_too_much_or_leads_away_is_named(
    small: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hdf5_files.changed(small, tmp_path / 'one', name)
    monkeypatch.chdir(path.parent)
    replaced = hdf5_files.CHANGES[name][0].split('/')[0]
    links = {'a pipe', 'a group in a pipe', 'itself', 'segments without end'}
    told = 'is a link, expected no link' if name in links else '(is|has) .*, expected'
    with pytest.raises(BagError, match=f'a.h5: {replaced}.* {told}'):
        read(path)
