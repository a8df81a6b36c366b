# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LeRobot reads what `m2r2 export lerobot` writes; skipped where it is not installed."""

import json
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.core.labels import label_at
from test.cli.run import done
from test.consumers.environments import interpreter, read_with
from test.export.frames.numbered import (
    RATE,
    SIDE,
    TRUTH,
    camera,
    commands,
    every,
    messages,
    number_in,
    write,
)

HAND, STATE = 'observation.images.hand_camera', 'observation.state'


@pytest.fixture(scope='module')
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings of two cameras."""
    interpreter('lerobot')
    folder = tmp_path_factory.mktemp('recordings')
    for k, name in enumerate(('first', 'second')):
        seconds = 4.0 - k
        side = camera(SIDE, every(RATE, seconds), 500 + 100 * k)
        sent = commands(every(10, seconds))
        write(folder / name, [*messages(seconds, 100 * k), *side, *sent])
    return folder


@pytest.mark.parametrize(
    'options',
    [
        (),
        ('--codec', 'av1', '--language', '--per-sensor', '--task', 'put it together'),
        ('--codec', 'hevc'),
        ('--images',),
    ],
)
def test_every_frame(recordings: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    out = tmp_path / 'out'
    done('export', 'lerobot', recordings, '--out', out, *options)
    read = read_with('lerobot', out, tmp_path / 'read.npz')
    stamps = np.array(every(RATE, 4.0) + every(RATE, 3.0))
    assert (read['stamp_ns'] == stamps).all()
    assert read['stamp_ns'].dtype == np.int64
    numbers = [*range(80), *range(100, 160)]
    assert images(read[HAND]) == numbers
    assert images(read['observation.images.side']) == [*range(500, 580), *range(600, 660)]
    assert images(read[f'around/{HAND}']) == numbers[69:72]
    assert read[STATE][:70, 0] == pytest.approx(np.arange(70) / RATE, abs=1e-3)
    assert read['action'][:4, 0].tolist() == [0, 0, 1, 1]
    labels = [label or 'unknown' for label in label_at(TRUTH, stamps)]
    names = ['ein fügen', 'pick', 'unknown']
    assert [names[k] for k in read['subtask_index']] == labels
    assert read['text/task'].tolist() == (['put it together'] * 140 if options[3:] else labels)
    if '--language' in options:
        rows = json.loads(read['text/language_persistent'][100])
        assert [row['content'] for row in rows] == [
            'pick',
            'ein fügen',
            'unknown',
            'pick',
            'unknown',
        ][: len(rows)]
        assert read['observation.wrench'].shape == (140, 6)


def test_every_episode_of_segments(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    options = ('--episodes', 'segment', '--action', 'next-state')
    done('export', 'lerobot', recordings, '--out', out, *options)
    read = read_with('lerobot', out, tmp_path / 'read.npz')
    first = [*range(40), *range(50, 64)]
    second = [k + 100 for k in (*range(40), *range(50, 60))]
    assert images(read[HAND]) == [*first, *second]
    assert np.bincount(read['episode_index']).tolist() == [20, 20, 14, 20, 20, 10]


def images(values: np.ndarray) -> list[int]:
    """Return the numbers that images tell, as LeRobot gives them, (n, 3, height, width)."""
    pixels = np.round(values * 255).astype(np.uint8)
    return [number_in(image.transpose(1, 2, 0)) for image in pixels]
