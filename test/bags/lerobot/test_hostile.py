# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LeRobot datasets that are damaged or lie: errors name the place, and nothing else happens."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError
from test.bags.lerobot.files import CAMERA, Layout, changed, write_dataset
from test.bags.lerobot.test_source import FILM, read

TABLE = {2: 'data/chunk-000/episode_000000.parquet', 3: 'data/chunk-000/file-000.parquet'}
EPISODES = 'meta/episodes/chunk-000/file-000.parquet'


def dataset(folder: Path, version: int = 2, **info: Any) -> Path:
    return write_dataset(folder / 'set', Layout(version=version, film=False, info=info))


def refused(folder: Path) -> str:
    with pytest.raises(BagError) as caught:
        for path in find_recordings([folder]):
            recording = open_recording(path)
            for _ in recording.blocks(recording.readable):
                pass
    return str(caught.value)


@pytest.mark.parametrize(
    ('info', 'expected'),
    [
        ({'fps': 0}, 'fps: expected 0.001 to 100000'),
        ({'fps': float('nan')}, 'fps: expected a number'),
        ({'fps': 1e9}, 'fps: expected 0.001 to 100000'),
        ({'fps': '30'}, 'fps: expected a number'),
        ({'chunks_size': 0}, 'chunks_size: expected a whole number above 0'),
        ({'codebase_version': 'v1.6'}, 'v2.0, v2.1 or v3.0'),
        ({'codebase_version': 'v30'}, 'v2.0, v2.1 or v3.0'),
        ({'data_path': '../{episode_index}.parquet'}, 'is no path in the dataset'),
        ({'data_path': '/etc/{episode_index}.parquet'}, 'is no path in the dataset'),
        ({'data_path': 'data/{episode_index.__class__}'}, 'none of its 2 episodes'),
        ({'data_path': 'data/{secret}'}, 'expected'),
        ({'data_path': 'data/{episode_index:9d}' + 'x' * 5000}, 'none of its 2 episodes'),
        ({'features': []}, 'features: expected a mapping'),
        ({'features': {'a': {'dtype': 'float32', 'shape': [0]}}}, 'shape: expected whole numbers'),
        ({'features': {'a': {'dtype': 'float32', 'shape': [2**40]}}}, 'shape: expected'),
    ],
)
def test_absurd_facts_are_refused(tmp_path: Path, info: dict[str, Any], expected: str) -> None:
    found = refused(dataset(tmp_path, **info))
    assert expected in found
    assert 'set' in found


def test_a_film_name_leads_nowhere_else(tmp_path: Path) -> None:
    film = {'dtype': 'video', 'shape': [3, 3, 3], 'names': None}
    found = refused(dataset(tmp_path, features={'../../x': film}))
    assert 'is no path in the dataset' in found


def replaced(name: str, column: pa.Array) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(table.column_names.index(name), name, column)


@pytest.mark.parametrize(
    ('name', 'column', 'expected'),
    [
        ('observation.state', pa.array([[1.0, 2.0]] * 40), 'expected 3 numbers in each row'),
        ('observation.state', pa.array([[1.0] * 3] * 39 + [None]), 'a row without a value'),
        ('task_index', pa.array(['a'] * 40), 'expected whole numbers, found string'),
        ('frame_index', pa.array([None] * 40, pa.int64()), 'expected whole numbers'),
        ('timestamp', pa.array(['a'] * 40), 'expected 1 numbers in each row, found string'),
    ],
)
def test_columns_of_another_kind_are_named(
    tmp_path: Path, name: str, column: pa.Array, expected: str
) -> None:
    folder = dataset(tmp_path)
    changed(folder / TABLE[2], replaced(name, column))
    found = refused(folder)
    assert expected in found
    assert TABLE[2] in found
    assert name in found


@pytest.mark.parametrize('version', [2, 3])
def test_columns_that_are_missing_are_told(tmp_path: Path, version: int) -> None:
    folder = dataset(tmp_path, version)
    gone = ['observation.state', 'timestamp', 'frame_index']
    changed(folder / TABLE[version], lambda table: table.drop_columns(gone))
    recording = open_recording(folder / 'episode_000000')
    assert 'no topic of observation.state: there is no column of it' in recording.notes
    assert recording.topics['/action/command'].count == 40


def test_timestamps_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    folder = dataset(tmp_path)
    bad = pa.array(np.where(np.arange(40) == 7, np.nan, 0.0).astype(np.float32))
    changed(folder / TABLE[2], replaced('timestamp', bad))
    recording = open_recording(folder / 'episode_000000')
    assert 'timestamp: 1 are no numbers' in recording.notes[0]
    assert recording.end - recording.start == 4_000_000_000


@pytest.mark.parametrize('version', [2, 3])
@pytest.mark.parametrize('keep', [0, 3, 100, -1])
def test_tables_that_are_cut_are_refused(tmp_path: Path, version: int, keep: int) -> None:
    folder = dataset(tmp_path, version)
    path = folder / TABLE[version]
    path.write_bytes(path.read_bytes()[:keep])
    assert TABLE[version] in refused(folder)


def test_a_list_of_episodes_that_lies_is_refused(tmp_path: Path) -> None:
    for number, (column, value) in enumerate(
        [
            ('data/chunk_index', pa.array([-1, 0])),
            ('data/file_index', pa.array(['..', '..'])),
            ('length', pa.array([1.5, 2.5])),
            ('episode_index', pa.array([None, 1])),
        ]
    ):
        folder = dataset(tmp_path / str(number), 3)
        changed(folder / EPISODES, replaced(column, value))
        assert 'expected a whole number' in refused(folder)


def test_lines_that_are_no_entries_are_named(tmp_path: Path) -> None:
    folder = dataset(tmp_path)
    path = folder / 'meta/episodes.jsonl'
    for text, expected in (
        ('[1]\n', 'line 1: expected a mapping'),
        ('{"episode_index": 0}\n', 'line 1: length: expected a whole number'),
        ('{\n', 'line 1 cannot be read'),
        ('\n{"episode_index": -1, "length": 3}', 'line 2: episode_index'),
        ('[' * 100_000, 'cannot be read'),
    ):
        path.write_text(text)
        assert expected in refused(folder)


def test_films_that_are_damaged_are_named(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(version=2, lengths=(40,)))
    film = folder / f'videos/chunk-000/{CAMERA}/episode_000000.mp4'
    whole = film.read_bytes()
    film.write_bytes(whole[: len(whole) // 2])
    assert str(film) in refused(folder)
    middle = whole.index(b'mdat') + 300
    film.write_bytes(whole[:middle] + bytes(len(whole) // 3) + whole[middle + len(whole) // 3 :])
    with pytest.raises(BagError, match=r'episode_000000\.mp4'):
        read(open_recording(folder / 'episode_000000'), FILM)


def test_an_episode_whose_film_is_not_there_has_all_else(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(version=2, lengths=(40,)))
    film = folder / f'videos/chunk-000/{CAMERA}/episode_000000.mp4'
    film.unlink()
    recording = open_recording(folder / 'episode_000000')
    assert FILM not in recording.topics
    assert f'no topic of {CAMERA}: {film} is not there: download it' in recording.notes
    assert recording.message_count


def test_images_of_other_kinds_are_refused(tmp_path: Path) -> None:
    layout = Layout(version=2, lengths=(3,), film=False, pictures=True)
    folder = write_dataset(tmp_path / 'set', layout)
    held = pa.array([{'bytes': b'GIF89a', 'path': '/etc/passwd'}] * 3)
    name = 'observation.images.wrist'
    changed(folder / TABLE[2], replaced(name, held))
    assert f'{name}: image 0 is neither JPEG nor PNG' in refused(folder)
    kind = pa.struct({'bytes': pa.binary(), 'path': pa.string()})
    lost = pa.array([{'bytes': None, 'path': '/etc/passwd'}] * 3, kind)
    changed(folder / TABLE[2], replaced(name, lost))
    assert f'{name}: image 0 is neither JPEG nor PNG' in refused(folder)


def test_an_episode_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    folder = dataset(tmp_path)
    with pytest.raises(BagError, match='there is no episode 7; it has 0 to 1'):
        open_recording(folder / 'episode_000007')
    with pytest.raises(BagError, match='whose episodes are called episode_000000'):
        open_recording(folder / 'other')


def test_a_folder_that_holds_a_broken_dataset_is_searched_on(tmp_path: Path) -> None:
    good = write_dataset(tmp_path / 'all/good', Layout(version=2, film=False))
    bad = write_dataset(tmp_path / 'all/bad', Layout(version=2, film=False))
    (bad / 'meta/info.json').write_text(json.dumps([]))
    said: list[str] = []
    found = find_recordings([tmp_path / 'all'], said.append)
    assert found == [good / 'episode_000000', good / 'episode_000001']
    assert 'meta/info.json' in said[0]
