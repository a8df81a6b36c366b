# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from m2r2_ros.core.labels import label_at
from test.cli.run import done, m2r2
from test.export.frames.numbered import (
    HAND,
    RATE,
    RAW,
    TRUTH,
    camera,
    commands,
    every,
    forces,
    jpeg,
    messages,
    raw_camera,
    write,
)
from test.export.rlds.records import example, records


def episodes(folder: Path) -> list[dict[str, list[Any]]]:
    files = sorted(folder.glob('*.tfrecord-*'))
    return [example(record) for file in files for record in records(file)]


def info(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / 'dataset_info.json').read_text())
    return found


@pytest.fixture(scope='module')
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings with labels of their own; not to be written to."""
    folder = tmp_path_factory.mktemp('floor')
    for k, name in enumerate(('first', 'second')):
        entries = [*messages(4.0 - k, 100 * k), *commands(every(10, 4.0 - k))]
        write(folder / name, entries)
    return folder


def test_steps_are_those_of_the_recordings(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / 'Mein Datensatz'
    done('export', 'rlds', recordings, '--out', out)
    first, second = episodes(out)
    assert first['steps/observation/hand_camera'] == [jpeg(k) for k in range(80)]
    assert second['steps/observation/hand_camera'] == [jpeg(k) for k in range(100, 160)]
    stamps = every(RATE, 4.0)
    assert first['steps/stamp_ns'] == stamps
    labels = [label or 'unknown' for label in label_at(TRUTH, np.array(stamps))]
    assert [text.decode() for text in first['steps/subtask']] == labels
    state = np.array(first['steps/observation/state']).reshape(80, -1)
    assert state[:70, 0] == pytest.approx(np.arange(70) / RATE, abs=1e-3)
    assert np.array(first['steps/action']).reshape(80, 6)[:4, 0].tolist() == [0, 0, 1, 1]
    assert first['steps/is_first'] == [1] + [0] * 79
    assert first['steps/is_last'] == first['steps/is_terminal'] == [0] * 79 + [1]
    assert first['steps/reward'] == [0.0] * 80
    assert first['steps/discount'] == [1.0] * 80
    assert first['episode_metadata/recording'] == [b'first']
    assert first['episode_metadata/success'] == [-1]
    assert info(out)['name'] == 'mein_datensatz'
    (split,) = info(out)['splits']
    assert split['shardLengths'] == ['2']
    (file,) = out.glob('*.tfrecord-*')
    assert file.name == 'mein_datensatz-train.tfrecord-00000-of-00001'
    assert int(split['numBytes']) == file.stat().st_size


def test_features_say_what_steps_have(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    done('export', 'rlds', recordings / 'first', '--out', out, '--per-sensor')
    features = json.loads((out / 'features.json').read_text())['featuresDict']['features']
    steps = features['steps']['sequence']['feature']['featuresDict']['features']
    seen = steps['observation']['featuresDict']['features']
    assert seen['hand_camera']['image']['shape']['dimensions'] == ['48', '160', '3']
    assert seen['hand_camera']['image']['encodingFormat'] == 'jpeg'
    assert seen['wrench']['tensor']['shape']['dimensions'] == ['6']
    (episode,) = episodes(out)
    declared = {f'steps/{key}' for key in steps if key != 'observation'}
    declared |= {f'steps/observation/{key}' for key in seen}
    declared |= {
        f'episode_metadata/{k}' for k in features['episode_metadata']['featuresDict']['features']
    }
    assert declared == set(episode)


def test_episodes_of_segments_are_rewarded(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    options = ('--episodes', 'segment', '--task', 'räum auf', '--name', 'parts')
    done('export', 'rlds', recordings / 'first', '--out', out, *options)
    found = episodes(out)
    assert [len(e['steps/reward']) for e in found] == [20, 20, 14]
    assert [e['steps/reward'][-1] for e in found] == [1.0, 0.0, 1.0]
    assert [e['episode_metadata/success'] for e in found] == [[1], [0], [1]]
    assert set(found[0]['steps/language_instruction']) == {'räum auf'.encode()}
    assert info(out)['name'] == 'parts'


def test_images_that_are_no_files_become_png(tmp_path: Path) -> None:
    write(tmp_path / 'a', [*raw_camera(RAW, every(RATE, 1.0)), *forces(every(50, 1.0))])
    out = tmp_path / 'out'
    done('export', 'rlds', tmp_path / 'a', '--out', out)
    (episode,) = episodes(out)
    assert all(image.startswith(b'\x89PNG') for image in episode['steps/observation/raw'])


def test_what_fails_leaves_nothing_behind(recordings: Path, tmp_path: Path) -> None:
    stamps = every(RATE, 2.0)
    bags = tmp_path / 'bags'
    write(bags / 'first', messages(1.0))
    sizes = [
        *camera(HAND, stamps[:30]),
        *camera(HAND, stamps[30:], 30, (176, 48)),
        *[e for e in messages(2.0) if e.topic != HAND],
    ]
    write(bags / 'sizes', sizes)
    write(bags / 'third', messages(1.5))
    out = tmp_path / 'out'
    result = m2r2('export', 'rlds', bags, '--out', out, '--episodes', 'segment')
    assert '1 of 3 recordings could not be exported' in result.error
    names = [episode['episode_metadata/recording'][0] for episode in episodes(out)]
    # The first segment of the second had been written.
    assert names == [b'first', b'third', b'third']
    lines = [json.loads(x) for x in (out / 'meta' / 'm2r2_episodes.jsonl').read_text().splitlines()]
    assert [line['episode_index'] for line in lines] == [0, 1, 2]
    result = m2r2('export', 'rlds', bags / 'sizes', '--out', tmp_path / 'none')
    assert '176 by 48' in result.error
    assert not list(tmp_path.glob('none*'))


@pytest.mark.parametrize('name', ['Größe', '9lives', 'a b', '../up'])
def test_names_that_tfds_refuses_are_refused(recordings: Path, tmp_path: Path, name: str) -> None:
    result = m2r2('export', 'rlds', recordings, '--out', tmp_path / 'out', '--name', name)
    assert '--name' in result.error
