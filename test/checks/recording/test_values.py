# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.checks.finding import Severity
from m2r2_ros.checks.recording.baseline import baseline_of
from m2r2_ros.checks.recording.plateaus import Plateaus
from m2r2_ros.checks.recording.stillness import Stillness
from m2r2_ros.checks.recording.topic_times import TimeGrid
from test.checks.recording.robot import (
    CAMERA_TOPIC,
    GRIPPER_TOPIC,
    JOINTS_TOPIC,
    POSE_TOPIC,
    SOUND_TOPIC,
    TWIST_TOPIC,
    WRENCH_TOPIC,
    Array,
    Stream,
    Streams,
    at,
    check,
    findings,
    robot,
    write,
)

VALUES = ('value.finite', 'value.clip', 'value.frozen')


def spoilt(tmp_path: Path, topic: str, values: Array) -> Path:
    streams = robot()
    tmp_path.mkdir(exist_ok=True)
    return write(tmp_path / 'bag', streams | {topic: streams[topic].with_values(values)})


def frozen(stream: Stream, start: float, end: float) -> Array:
    on = stream.during(start, end)
    values = stream.values.copy()
    values[on] = values[np.flatnonzero(on)[0] - 1]
    return values


@pytest.mark.parametrize('number', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('topic', [WRENCH_TOPIC, POSE_TOPIC, GRIPPER_TOPIC, JOINTS_TOPIC])
def test_numbers_that_are_none_are_errors_with_their_times(
    tmp_path: Path, topic: str, number: float
) -> None:
    stream = robot()[topic]
    values = stream.values.copy()
    values[stream.during(3, 4), 0] = number
    values[stream.during(9, 9.2), -1] = number
    first, second = findings(check(spoilt(tmp_path, topic, values), VALUES))
    assert {f.check for f in (first, second)} == {'value.finite'}
    assert (first.severity, first.topic) == (Severity.ERROR, topic)
    assert first.measured == stream.during(3, 4).sum()
    assert at(first) == pytest.approx((3, 4), abs=0.08)
    assert at(second) == pytest.approx((9, 9.2), abs=0.08)


def test_many_places_are_told_together_in_the_end(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    stream = robot()[WRENCH_TOPIC]
    values = stream.values.copy()
    for second in range(14):
        values[stream.during(second, second + 0.01 + 0 * rng.random())] = np.nan
    path = spoilt(tmp_path, WRENCH_TOPIC, values)
    found = findings(check(path, VALUES), 'value.finite')
    assert 1 <= len(found) <= 10
    assert sum(f.measured or 0 for f in found) == np.isnan(values).any(1).sum()


def test_a_force_that_is_cut_off_is_clipped(tmp_path: Path) -> None:
    values = robot()[WRENCH_TOPIC].values.clip(-8, 8)
    (found,) = findings(check(spoilt(tmp_path, WRENCH_TOPIC, values), VALUES))
    assert (found.check, found.severity) == ('value.clip', Severity.WARNING)
    assert 'number 3 of 6 stays exactly at -8' in found.message
    assert (found.measured or 0) >= 2


def test_one_plateau_is_clipping_only_below_what_a_good_recording_reaches(tmp_path: Path) -> None:
    good = baseline_of(open_recording(write(tmp_path / 'good', robot(1))))
    stream = robot()[WRENCH_TOPIC]
    values = stream.values.copy()
    peak = int(np.argmin(values[:, 2]))
    values[peak - 3 : peak + 4, 2] = 0.6 * values[peak, 2]
    path = spoilt(tmp_path, WRENCH_TOPIC, values)
    assert not findings(check(path, VALUES))
    (found,) = findings(check(path, VALUES, baseline=good))
    assert found.check == 'value.clip'


def test_what_is_quantised_or_rests_at_its_limit_is_not_clipped(tmp_path: Path) -> None:
    streams = robot()
    wrench, gripper = streams[WRENCH_TOPIC], streams[GRIPPER_TOPIC]
    # One digit is 4 N: knocks have plateaus at many values.
    streams[WRENCH_TOPIC] = wrench.with_values(np.round(wrench.values / 4) * 4)
    streams[GRIPPER_TOPIC] = gripper.with_values(gripper.values.clip(0.001, 0.079))
    twist = streams[TWIST_TOPIC]
    streams[TWIST_TOPIC] = twist.with_values(twist.values.clip(-0.2, 0.2))
    assert not findings(check(write(tmp_path / 'bag', streams), ['value.clip']))


def test_sound_that_is_cut_off_is_clipped(tmp_path: Path) -> None:
    sound = robot()[SOUND_TOPIC]
    moments = np.arange(sound.values.size).reshape(sound.values.shape) / 16_000
    tone = np.sin(2 * np.pi * 200 * moments) * (2 + np.sin(moments))
    path = spoilt(tmp_path, SOUND_TOPIC, tone.clip(-0.8, 0.8))
    (found,) = findings(check(path, VALUES))
    assert (found.check, found.topic) == ('value.clip', SOUND_TOPIC)
    assert not findings(check(spoilt(tmp_path / 'whole', SOUND_TOPIC, tone / 4), VALUES))


@pytest.mark.parametrize(
    'topic',
    [WRENCH_TOPIC, POSE_TOPIC, TWIST_TOPIC, GRIPPER_TOPIC, JOINTS_TOPIC, SOUND_TOPIC, CAMERA_TOPIC],
)
def test_a_sensor_that_froze_is_found(tmp_path: Path, topic: str) -> None:
    path = spoilt(tmp_path, topic, frozen(robot()[topic], 10, 11))
    (found,) = findings(check(path, VALUES))
    assert (found.check, found.severity, found.topic) == ('value.frozen', Severity.WARNING, topic)
    assert found.measured == pytest.approx(1, abs=0.2)
    assert at(found) == pytest.approx((10, 11), abs=0.25)


def test_a_robot_without_noise_may_stand_still(tmp_path: Path) -> None:
    streams = robot()
    for topic in (POSE_TOPIC, TWIST_TOPIC, JOINTS_TOPIC, WRENCH_TOPIC, CAMERA_TOPIC):
        streams[topic] = streams[topic].with_values(frozen(streams[topic], 6.05, 7.95))
    twist = streams[TWIST_TOPIC]
    still = twist.during(6.05, 7.95)[:, None]
    streams[TWIST_TOPIC] = twist.with_values(np.where(still, 0.0, twist.values))
    # Its noise would tell: at rest, and nowhere else, it says the same.
    for topic, digits in ((POSE_TOPIC, 4), (JOINTS_TOPIC, 4), (TWIST_TOPIC, 2), (WRENCH_TOPIC, 0)):
        streams[topic] = streams[topic].with_values(streams[topic].values.round(digits))
    assert not findings(check(write(tmp_path / 'bag', streams), VALUES))


def two_arms() -> Streams:
    """Return two arms without noise, each of which stands while the other works."""
    streams: Streams = {}
    for side, rests in (('left', ((3, 5), (9, 11))), ('right', ((0, 2), (6, 8), (13, 15)))):
        for topic, digits in ((POSE_TOPIC, 5), (TWIST_TOPIC, 3)):
            arm = robot()[topic]
            values = arm.values.round(digits)
            for start, end in rests:
                on = arm.during(start, end)
                values[on] = values[np.flatnonzero(on)[0]] if topic == POSE_TOPIC else 0.0
            streams[f'/{side}_arm{topic}'] = arm.with_values(values)
    return streams


def test_an_arm_may_stand_while_another_one_works(tmp_path: Path) -> None:
    streams = two_arms()
    assert not findings(check(write(tmp_path / 'bag', streams), ('value.frozen',)))
    topic = f'/right_arm{POSE_TOPIC}'
    streams[topic] = streams[topic].with_values(frozen(streams[topic], 11, 12))
    (found,) = findings(check(write(tmp_path / 'broken', streams), ('value.frozen',)))
    assert found.topic == topic
    assert at(found) == pytest.approx((11, 12), abs=0.25)


def test_a_velocity_that_has_noise_in_motion_may_be_zero_at_rest(tmp_path: Path) -> None:
    wheels = robot()[TWIST_TOPIC]
    noise = 0.004 * np.random.default_rng(0).normal(size=wheels.values.shape)
    moves = np.where(wheels.during(6, 10), 0.0, 1.0)[:, None]
    odometry = wheels.with_values(moves * (noise + np.eye(6)[0] / 2))
    path = write(tmp_path / 'bag', {TWIST_TOPIC: odometry})
    assert not findings(check(path, ('value.frozen',)))


def test_a_gripper_that_holds_says_the_same_and_did_not_freeze(tmp_path: Path) -> None:
    values = robot()[GRIPPER_TOPIC].values.round(3)
    assert not findings(check(spoilt(tmp_path, GRIPPER_TOPIC, values), VALUES))


def test_silence_and_a_camera_before_a_still_robot_did_not_freeze(tmp_path: Path) -> None:
    streams = robot()
    sound, camera = streams[SOUND_TOPIC], streams[CAMERA_TOPIC]
    silent = np.where(sound.during(9, 14)[:, None], 0.0, sound.values)
    streams[SOUND_TOPIC] = sound.with_values(silent)
    streams[CAMERA_TOPIC] = camera.with_values(frozen(camera, 6.1, 7.9))
    assert not findings(check(write(tmp_path / 'bag', streams), VALUES))


def test_commands_and_a_fixed_camera_pose_may_stay_the_same(tmp_path: Path) -> None:
    streams = robot()
    pose = streams[POSE_TOPIC]
    fixed = pose.with_values(np.tile(pose.values[:1], (len(pose.values), 1)))
    streams |= {'/camera_pose': fixed, '/target_pose': pose.with_values(frozen(pose, 9, 12))}
    assert not findings(check(write(tmp_path / 'bag', streams), VALUES))


@pytest.mark.parametrize('blocks', [2, 9, 60])
def test_how_samples_are_cut_into_blocks_changes_nothing(blocks: int) -> None:
    rng = np.random.default_rng(blocks)
    values = rng.choice([0.0, 1.0, 2.0, -2.0], 600, p=[0.5, 0.2, 0.2, 0.1]).repeat(
        rng.integers(1, 9, 600)
    )
    stamps = np.arange(len(values), dtype=np.int64) * 10_000_000
    grid = TimeGrid(0, int(stamps[-1]), 0.2)
    cuts = np.sort(rng.integers(0, len(values), blocks - 1))
    same = np.append(False, values[1:] == values[:-1])
    seen = []
    for parts in (cuts[:0], cuts):
        plateaus, still = Plateaus(5), Stillness(0.1, grid)
        for part in np.split(np.arange(len(values)), parts):
            plateaus.add(values[part], stamps[part])
            still.repeats(same[part], stamps[part])
            if len(part):
                still.motion(values[part, None], stamps[part])
        still.finish()
        seen.append(
            (plateaus.peaks, plateaus.others, still.runs, still.share, still.moved.tolist())
        )
    assert seen[0] == seen[1]
    assert seen[0][0] and seen[0][2]


def test_messages_out_of_order_break_nothing(tmp_path: Path) -> None:
    stream = robot()[WRENCH_TOPIC]
    logs = stream.logs + np.random.default_rng(0).integers(0, 300_000_000, len(stream.logs))
    streams = robot() | {WRENCH_TOPIC: replace(stream, logs=logs)}
    assert not findings(check(write(tmp_path / 'bag', streams), VALUES))
