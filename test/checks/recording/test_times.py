# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.checks.finding import Severity
from m2r2_ros.checks.recording.baseline import baseline_of
from m2r2_ros.core.time import SECOND
from test.checks.recording.robot import (
    CAMERA_TOPIC,
    GRIPPER_TOPIC,
    JOINTS_TOPIC,
    POSE_TOPIC,
    SOUND_TOPIC,
    START,
    TF,
    TWIST_TOPIC,
    WRENCH_TOPIC,
    Stream,
    Streams,
    at,
    check,
    findings,
    not_run,
    robot,
    write,
)

TIMES = ('time.gap', 'time.loss', 'time.order', 'time.header_skew')


def spoilt(tmp_path: Path, **streams: Stream) -> Path:
    return write(tmp_path / 'bag', robot() | {f'/{k}': s for k, s in streams.items()})


def only(tmp_path: Path, topic: str, stream: Stream) -> Path:
    return write(tmp_path / 'bag', robot() | {topic: stream})


@pytest.mark.parametrize('seed', range(3))
def test_nothing_is_wrong_with_a_healthy_robot(tmp_path: Path, seed: int) -> None:
    assert findings(check(write(tmp_path / 'bag', robot(seed)))) == []


@pytest.mark.parametrize(
    'topic', [WRENCH_TOPIC, POSE_TOPIC, GRIPPER_TOPIC, SOUND_TOPIC, CAMERA_TOPIC]
)
def test_a_sensor_that_is_silent_for_longer_than_it_may_is_an_error(
    tmp_path: Path, topic: str
) -> None:
    healthy = robot()[topic]
    path = only(tmp_path, topic, healthy[~healthy.during(5, 7.5)])
    (gap,) = findings(check(path, TIMES))
    assert (gap.check, gap.severity, gap.topic) == ('time.gap', Severity.ERROR, topic)
    start, end = at(gap)
    assert 4.9 < start < 5.1 and 7.4 < end < 7.7
    assert gap.measured == pytest.approx(end - start) and gap.unit == 's'


def test_many_short_gaps_are_told_as_one_warning_and_the_longest(tmp_path: Path) -> None:
    wrench = robot()[WRENCH_TOPIC]
    keep = np.ones(len(wrench.times), np.bool_)
    for k in range(10):
        keep[200 * k + 100 : 200 * k + 108 + k] = False
    found = findings(check(only(tmp_path, WRENCH_TOPIC, wrench[keep]), TIMES))
    gaps = [f for f in found if f.check == 'time.gap']
    assert len(gaps) == 3 and {g.severity for g in gaps} == {Severity.WARNING}
    assert sum('more gaps' in g.message for g in gaps) == 1
    assert '8 more gaps' in next(g.message for g in gaps if 'more' in g.message)
    assert max(g.measured or 0 for g in gaps) == pytest.approx(0.09, abs=0.006)


def test_a_recorder_that_stalled_and_caught_up_has_lost_nothing(tmp_path: Path) -> None:
    streams = robot()
    for topic, stream in streams.items():
        stalled = (stream.logs > START + 5 * SECOND) & (stream.logs < START + 6 * SECOND)
        logs = np.where(stalled, START + 6 * SECOND, stream.logs)
        streams[topic] = replace(stream, logs=logs)
    found = findings(check(write(tmp_path / 'bag', streams), TIMES))
    assert not [f for f in found if f.check == 'time.gap']


def test_a_topic_that_begins_late_and_ends_early_is_a_warning(tmp_path: Path) -> None:
    twist = robot()[TWIST_TOPIC]
    found = findings(check(only(tmp_path, TWIST_TOPIC, twist[twist.during(4, 12)]), TIMES))
    assert [f.severity for f in found] == [Severity.WARNING] * 2
    assert 'the first message comes 4' in found[0].message
    assert 'before the end' in found[1].message


@pytest.mark.parametrize(('topic', 'share'), [(WRENCH_TOPIC, 0.2), (GRIPPER_TOPIC, 0.4)])
@pytest.mark.parametrize('whole', [True, False])
def test_lost_messages_are_found_even_where_they_are_lost_throughout(
    tmp_path: Path, topic: str, share: float, whole: bool
) -> None:
    healthy = robot()[topic]
    kept = np.random.default_rng(1).random(len(healthy.times)) >= share
    lossy = healthy[kept | ~healthy.during(*((0, 99) if whole else (4, 11)))]
    found = findings(check(only(tmp_path, topic, lossy), ['time.loss']), 'time.loss')
    assert found and {f.topic for f in found} == {topic}
    start, end = at(found[0])[0], at(found[-1])[1]
    assert end - start > (10 if whole else 4)
    rate = len(healthy.times) / 16
    assert found[0].measured == pytest.approx(rate * (1 - share), rel=0.15)
    assert found[0].threshold == pytest.approx(0.9 * rate, rel=0.03)


def test_a_stamp_that_steps_back_is_an_error_and_one_that_repeats_is_none(tmp_path: Path) -> None:
    pose = robot()[POSE_TOPIC]
    stamps = pose.stamps.copy()
    stamps[500] = stamps[499]
    assert not findings(
        check(write(tmp_path / 'a', robot() | {POSE_TOPIC: replace(pose, stamps=stamps)})),
    )
    stamps[700] -= 30_000_000
    path = write(tmp_path / 'b', robot() | {POSE_TOPIC: replace(pose, stamps=stamps)})
    (found,) = findings(check(path, TIMES))
    assert (found.check, found.severity) == ('time.order', Severity.ERROR)
    assert found.measured == pytest.approx(0.02, abs=0.003)
    assert at(found)[0] == pytest.approx(7.0, abs=0.05)


@pytest.mark.parametrize('offset', [0.15, -0.12])
@pytest.mark.parametrize('topic', [SOUND_TOPIC, GRIPPER_TOPIC, CAMERA_TOPIC])
def test_a_clock_that_is_off_is_found_with_its_sign(
    tmp_path: Path, topic: str, offset: float
) -> None:
    path = only(tmp_path, topic, robot()[topic].moved(stamps=offset))
    (found,) = findings(check(path, TIMES))
    assert (found.check, found.topic) == ('time.header_skew', topic)
    assert found.measured == pytest.approx(-offset, abs=0.03)


def test_a_clock_that_jumps_is_told_with_when(tmp_path: Path) -> None:
    found = findings(
        check(only(tmp_path, TWIST_TOPIC, robot()[TWIST_TOPIC].moved(stamps=0.3, start=11)), TIMES)
    )
    assert [f.check for f in found] == ['time.header_skew']
    assert at(found[0])[0] == pytest.approx(11, abs=1.01)
    assert found[0].measured == pytest.approx(-0.3, abs=0.01)


def test_a_slow_topic_may_be_late_now_and_then(tmp_path: Path) -> None:
    twist = robot()[TWIST_TOPIC]
    slow = twist[np.arange(0, len(twist.times), 100)]
    late = np.abs(np.random.default_rng(2).normal(0, 0.05, len(slow.times)))
    assert np.ptp(late) > 0.1
    battery = replace(slow, logs=slow.stamps + (late * SECOND).astype(np.int64))
    assert not findings(check(spoilt(tmp_path, battery=battery), ('time.header_skew',)))


def test_a_clock_that_most_topics_share_is_told_once_and_loses_nothing(tmp_path: Path) -> None:
    streams = {
        topic: replace(stream, logs=START + (stream.logs - START) * 5 // 4)
        for topic, stream in robot().items()
        if topic != SOUND_TOPIC  # which ends alone
    }
    off = streams[GRIPPER_TOPIC].moved(stamps=0.2, start=11)
    results = check(write(tmp_path / 'bag', streams | {GRIPPER_TOPIC: off}), TIMES)
    found = findings(results)
    assert {f.check for f in found} == {'time.header_skew'}
    (drift,) = (f for f in found if f.unit == 'ppm')
    assert not drift.topic
    assert drift.measured == pytest.approx(200_000, rel=0.01)
    assert [f.topic for f in found if f.topic] == [GRIPPER_TOPIC]
    assert 'as those of a simulation' in not_run(results, 'time.loss')


def test_transforms_that_are_of_the_future_are_no_skewed_clock(tmp_path: Path) -> None:
    path = spoilt(tmp_path, tf=replace(robot()[TWIST_TOPIC].moved(stamps=1.0), type_name=TF))
    results = check(path, ('time.header_skew',))
    assert not findings(results)
    assert '/tf: its publishers have times of their own' in not_run(results, 'time.header_skew')


def test_what_is_always_older_than_a_sensor_may_be_is_not_masked_by_a_gap(tmp_path: Path) -> None:
    pose = robot()[POSE_TOPIC]
    seldom = pose[np.arange(0, len(pose.times), 50)]  # half a second apart
    path = spoilt(tmp_path, amcl_pose=seldom[~seldom.during(6, 10)])
    (found,) = findings(check(path, ('time.gap',)))
    assert (found.topic, found.severity) == ('/amcl_pose', Severity.WARNING)


def test_a_clock_that_drifts_is_found_by_how_much(tmp_path: Path) -> None:
    twist = robot()[TWIST_TOPIC]
    drifting = replace(twist, stamps=twist.stamps - (twist.times * 1e-3 * SECOND).astype(np.int64))
    (found,) = findings(check(only(tmp_path, TWIST_TOPIC, drifting), TIMES))
    assert (found.check, found.unit) == ('time.header_skew', 'ppm')
    assert found.measured == pytest.approx(1000, rel=0.02)


def test_events_and_commands_have_no_gaps_and_the_report_says_why(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    twist = robot()[TWIST_TOPIC]
    events = twist[np.sort(rng.choice(len(twist.times), 60, replace=False))]
    pauses = np.concatenate(([0.5], 0.01 * np.ones(30), [4.0], 0.01 * np.ones(30)))
    commands = replace(
        twist[np.arange(len(pauses))],
        logs=twist.logs[0] + (np.cumsum(pauses) * SECOND).astype(np.int64),
        stamps=twist.stamps[0] + (np.cumsum(pauses) * SECOND).astype(np.int64),
    )
    path = spoilt(tmp_path, door=events, twist_cmd=commands, rare=twist[np.arange(4) * 300])
    results = check(path, TIMES)
    assert not findings(results, 'time.gap') and not findings(results, 'time.loss')
    told = not_run(results, 'time.gap')
    assert '/door: messages come when something happens' in told
    assert '/twist_cmd: commands' in told and '/rare: fewer than 10 messages' in told


def test_a_recording_is_as_good_as_itself_whatever_speaks_rarely_or_commands(
    tmp_path: Path,
) -> None:
    twist = robot()[TWIST_TOPIC]
    commands = twist[twist.during(0, 4) | twist.during(9, 14)]
    path = spoilt(tmp_path, cmd_vel=commands, mode=twist[np.array([0, 200, 350, 1500])])
    assert not findings(check(path, TIMES, baseline=baseline_of(open_recording(path))))


def test_a_good_recording_tells_what_is_missing_or_too_slow_throughout(tmp_path: Path) -> None:
    seldom = robot(1)[TWIST_TOPIC][np.array([0, 200, 350, 1500])]
    good = baseline_of(open_recording(write(tmp_path / 'good', robot(1) | {'/mode': seldom})))
    streams: Streams = robot()
    wrench = streams[WRENCH_TOPIC]
    streams[WRENCH_TOPIC] = wrench[np.arange(len(wrench.times)) % 2 == 0]
    del streams[JOINTS_TOPIC]
    path = write(tmp_path / 'bad', streams)
    assert not findings(check(path, TIMES))
    found = findings(check(path, TIMES, baseline=good))
    assert {(f.topic, f.severity) for f in found} == {
        (WRENCH_TOPIC, Severity.WARNING), (JOINTS_TOPIC, Severity.ERROR),
        ('/mode', Severity.WARNING),
    }  # fmt: skip
    slow = next(f for f in found if f.topic == WRENCH_TOPIC)
    assert slow.measured == pytest.approx(100, rel=0.03)


def test_a_recording_of_nothing_and_of_one_message_gives_no_finding(tmp_path: Path) -> None:
    pose = robot()[POSE_TOPIC]
    assert not findings(check(write(tmp_path / 'empty', {})))
    one = write(tmp_path / 'one', {POSE_TOPIC: pose[np.arange(len(pose.times)) == 3]})
    assert not findings(check(one))
    assert 'fewer than 10' in not_run(check(one), 'time.gap')
