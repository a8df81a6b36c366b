# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many episodes: their options, their processes, and that a seed determines each."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.simulation.batch import (
    MANIFEST,
    expect_same_options,
    missing_episodes,
    write_episodes,
)
from m2r2_ros.simulation.clock import Clock
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.episode import write_episode
from m2r2_ros.simulation.faults import parse_fault
from m2r2_ros.views.signals import read_signals
from test.simulation.recordings import messages

CONFIG = EpisodeConfig(seconds=1.0, cameras=False)


def test_a_folder_keeps_to_its_options(tmp_path: Path) -> None:
    folder = tmp_path / 'new'
    expect_same_options(folder, CONFIG)
    expect_same_options(folder, CONFIG)
    broken = replace(CONFIG, faults=(parse_fault('pose-nan@1s'),))
    with pytest.raises(ConfigError, match=r"simulation.yaml.*faults \[\], not \['pose-nan"):
        expect_same_options(folder, broken)
    for other in (b'- nothing of ours', b'{', b'\xff\xfe'):
        (folder / MANIFEST).write_bytes(other)
        with pytest.raises(ConfigError, match=r'simulation\.yaml.*choose another folder'):
            expect_same_options(folder, CONFIG)


@pytest.fixture(scope='module')
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes, each written by a process of its own; in the second a plug is inserted."""
    folder = tmp_path_factory.mktemp('batch')
    told: dict[int, float] = {}
    done = write_episodes(folder, [3, 4], CONFIG, jobs=2, on_progress=told.__setitem__)
    assert done.keys() == told.keys() == {3, 4}
    assert all(length > 1 and failed >= 0 for length, _, failed in done.values())
    assert [actions for _, actions, _ in done.values()] == [
        len(read_truth(folder / f'cell_000{seed}').segments) for seed in done
    ]
    return folder


def test_episodes_are_written_together_and_the_rest_later(batch: Path) -> None:
    assert missing_episodes(batch, range(2, 6)) == [2, 5]
    (batch / 'cell_0002.partial').mkdir()
    assert missing_episodes(batch, range(2, 6)) == [2, 5]


def test_a_seed_determines_every_message_in_every_process(batch: Path, tmp_path: Path) -> None:
    write_episode(tmp_path, 4, CONFIG)
    here = messages(tmp_path / 'cell_0004')
    assert here == messages(batch / 'cell_0004')
    assert here != messages(batch / 'cell_0003')


def test_sensors_and_faults_do_not_change_what_happens(batch: Path, tmp_path: Path) -> None:
    texts = ('wrench-dropout@0.5s+1s', 'pose-nan@1s+1s', 'microphone-offset=0.5@0s')
    broken = replace(
        CONFIG,
        motion_rate=250.0,
        gripper_rate=100.0,
        audio_rate=48_000,
        drift=60.0,
        faults=tuple(map(parse_fault, texts)),
    )
    write_episode(tmp_path, 4, broken)
    whole, cut = (messages(folder / 'cell_0004') for folder in (batch, tmp_path))
    truth = [topic for topic in whole if topic.startswith('/ground_truth')]
    assert len(truth) == 6
    assert all(cut[topic] == whole[topic] for topic in truth)
    start = whole['/ground_truth/label_set'][0][0]
    times = np.array([t for t, _ in cut['/ft_sensor/wrench']]) - start
    assert not ((times > 0.502e9) & (times < 1.5e9)).any()
    assert len(cut['/ft_sensor/wrench']) == pytest.approx(len(whole['/ft_sensor/wrench']) - 1000, 2)
    assert len(cut['/gripper/joint_states']) > 5 * len(whole['/gripper/joint_states'])
    late, healthy = (
        read_signals(folder / 'cell_0004', frames=0).loudness for folder in (tmp_path, batch)
    )
    assert late is not None
    assert healthy is not None
    assert (late.stamps[0] - healthy.stamps[0]) / 1e9 == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('seconds', 0.0),
        ('seconds', float('nan')),
        ('image_rate', 0.5),
        ('image_size', 2000),
        ('audio_rate', 44_100),
        ('motion_rate', 5000.0),
        ('gripper_rate', -1.0),
        ('drift', float('inf')),
    ],
)
def test_options_that_cannot_be_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=name):
        replace(CONFIG, **{name: value})


def test_a_clock_ticks_in_order_however_it_is_asked() -> None:
    def clock() -> Clock:
        return Clock(580.0, np.random.default_rng(1), jitter=0.3)

    whole, numbers = clock().until(10.0)
    assert (np.diff(whole) > 0).all()
    assert len(whole) == pytest.approx(5800, abs=2)
    cut = clock()
    pieces = [cut.until(end) for end in (0.0, 0.3, 0.3, 4.0, 10.0)]
    assert np.array_equal(np.concatenate([times for times, _ in pieces]), whole)
    assert np.array_equal(np.concatenate([index for _, index in pieces]), numbers)
