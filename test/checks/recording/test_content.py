# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import re
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.checks.finding import Severity
from m2r2_ros.checks.recording.correlation import best_lag
from m2r2_ros.checks.recording.signals import Binned, Pieces
from m2r2_ros.core.time import SECOND
from test.checks.recording.robot import (
    GRIPPER_TOPIC,
    JOINTS_TOPIC,
    POSE_TOPIC,
    SOUND_TOPIC,
    START,
    TWIST_TOPIC,
    WRENCH_TOPIC,
    check,
    findings,
    not_run,
    robot,
    write,
)

OFFSET = ['time.content_offset']


@pytest.mark.parametrize(
    ('topic', 'blamed'),
    [
        (SOUND_TOPIC, SOUND_TOPIC),
        (POSE_TOPIC, POSE_TOPIC),
        (TWIST_TOPIC, TWIST_TOPIC),
        (GRIPPER_TOPIC, GRIPPER_TOPIC),
    ],
)
@pytest.mark.parametrize('shift', [0.15, -0.09, 0.26])
def test_content_tells_what_neither_stamps_nor_log_times_do(
    tmp_path: Path, topic: str, blamed: str, shift: float
) -> None:
    streams = robot()
    path = write(tmp_path / 'bag', streams | {topic: streams[topic].moved(shift, shift)})
    (found,) = findings(check(path))
    assert (found.check, found.topic) == ('time.content_offset', blamed)
    assert found.measured == pytest.approx(shift, abs=0.012)
    assert found.severity is (Severity.ERROR if shift > 0.2 else Severity.WARNING)


def test_of_two_alone_either_may_be_off(tmp_path: Path) -> None:
    streams = robot()
    path = write(tmp_path / 'bag', streams | {WRENCH_TOPIC: streams[WRENCH_TOPIC].moved(0.1, 0.1)})
    (found,) = findings(check(path, OFFSET))
    assert re.search('sound says knocks (99|100|101) ms earlier than wrench', found.message)
    assert 'either may be off' in found.message


def test_joint_states_that_are_off_are_blamed_by_three(tmp_path: Path) -> None:
    streams = robot()
    joints = streams[JOINTS_TOPIC].moved(0.12, 0.12)
    found = findings(check(write(tmp_path / 'bag', streams | {JOINTS_TOPIC: joints}), OFFSET))
    assert [f.topic for f in found] == [JOINTS_TOPIC]
    assert found[0].measured == pytest.approx(0.12, abs=0.012)


def test_no_clear_peak_is_no_finding_and_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    streams = robot()
    sound = streams[SOUND_TOPIC]
    path = write(
        tmp_path / 'bag',
        {
            WRENCH_TOPIC: streams[WRENCH_TOPIC],
            SOUND_TOPIC: sound.with_values(0.1 * rng.normal(0, 1, sound.values.shape)),
        },
    )
    results = check(path, OFFSET)
    assert not findings(results)
    assert 'no clear peak between sound and wrench' in not_run(results, 'time.content_offset')


def test_sensors_that_feel_nothing_alike_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / 'bag', {WRENCH_TOPIC: robot()[WRENCH_TOPIC]})
    assert 'no two sensors that feel the same' in not_run(check(path), 'time.content_offset')


def test_commands_may_run_ahead(tmp_path: Path) -> None:
    streams = robot()
    ahead = streams[POSE_TOPIC].moved(-0.2, -0.2)
    path = write(tmp_path / 'bag', streams | {'/target_pose': ahead})
    assert not findings(check(path, OFFSET))


@pytest.mark.parametrize('lag', [-37, -1, 0, 5, 60])
def test_the_lag_of_a_copy_is_found_between_steps(lag: int) -> None:
    rng = np.random.default_rng(lag + 100)
    fine = np.convolve(rng.normal(0, 1, 40_000), np.hanning(81), 'same')
    first = fine[2000:38_000].reshape(-1, 10).mean(1)
    second = fine[2000 - 10 * lag - 4 : 38_000 - 10 * lag - 4].reshape(-1, 10).mean(1)
    first[300:350] = np.nan
    peak = best_lag(first[None], second[None], 100)
    assert peak is not None
    assert peak.lag == pytest.approx(lag + 0.4, abs=0.1)
    assert peak.height > 0.95


def test_signals_that_never_change_have_no_peak() -> None:
    assert best_lag(np.ones((1, 900)), np.ones((1, 900)), 100) is None
    assert best_lag(np.full((1, 900), np.nan), np.ones((1, 900)), 100) is None


def test_of_a_long_recording_only_pieces_are_kept() -> None:
    end = START + 20_000 * SECOND
    pieces = Pieces(START, end, 0.01)
    assert pieces.count * pieces.steps < 40_000
    binned = Binned(pieces, 1)
    times = np.arange(START, end, 5_000_000_000, dtype=np.int64)
    binned.add(times, np.ones((len(times), 1)))
    means = binned.means()
    assert 60 <= np.isfinite(means).sum() < 0.1 * len(times)


def test_a_recording_of_a_blink_is_not_compared(tmp_path: Path) -> None:
    short = {name: stream[stream.during(0, 1)] for name, stream in robot().items()}
    path = write(tmp_path / 'bag', short)
    assert open_recording(path).end - START < 2 * SECOND
    assert not findings(check(path, OFFSET))
