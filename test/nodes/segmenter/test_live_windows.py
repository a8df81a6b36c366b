# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Live equals replay (design contract 4), without ROS: one recording, brought in both ways."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.modalities import SENSORS, declared
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.nodes.common.received import Received
from m2r2_ros.nodes.segmenter.live_windows import LiveWindows
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.driver import modalities_to_read
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.windows.config import WindowConfig
from test.replay.recordings import GRIPPER, POSE, TWIST, TYPES, WRENCH, Entry, robot, write_bag
from test.windows.streams import same

TOPICS = {'wrench': WRENCH, 'pose': POSE, 'twist': TWIST, 'gripper': GRIPPER}


def follow(windows: LiveWindows, *modalities: str) -> None:
    """Let topics of the robot appear."""
    specs = {m: TopicSpec(m, TOPICS[m], TYPES[TOPICS[m]]) for m in modalities}
    windows.follow({m: (spec, make_reader(spec, spec.type)) for m, spec in specs.items()})


def received(entries: Sequence[Entry]) -> Mapping[str, list[Received]]:
    """Return messages as they come of the subscriptions, topic by topic."""
    found: dict[str, list[Received]] = {}
    for entry in entries:
        found.setdefault(entry.topic, []).append(Received(entry.raw, entry.log_time))
    return found


def push(windows: LiveWindows, entries: Sequence[Entry], seed: int = 0) -> list[FrameWindows]:
    """Push messages in some twenty takes of any size."""
    cuts = np.random.default_rng(seed).integers(0, len(entries), 20)
    edges = sorted({0, len(entries), *cuts.tolist()})
    return [windows.push(received(entries[a:b])) for a, b in pairwise(edges)]


@pytest.mark.parametrize(
    ('modalities', 'given', 'topics'),
    [
        (SENSORS, {}, TOPICS),
        (SENSORS, {}, ('wrench', 'pose', 'gripper')),  # the twist is made from the pose
        (('wrench', 'twist'), {}, ('wrench', 'pose')),
        (('wrench', 'twist'), {}, TOPICS),  # and the pose is not needed
        (('wrench', 'twist'), {'twist': TopicSpec('twist', '')}, ('wrench', 'pose')),
    ],
)
def test_live_windows_are_those_of_the_recording(
    tmp_path: Path,
    modalities: Sequence[str],
    given: Mapping[str, TopicSpec],
    topics: Sequence[str],
) -> None:
    entries = robot(4.0, topics=[TOPICS[m] for m in topics])
    recording = open_recording(write_bag(tmp_path / 'robot', entries))
    stream = WindowStream(recording, WindowConfig(), modalities, given)
    replayed = FrameWindows.join(list(stream))

    windows = LiveWindows(WindowConfig(), modalities, given)
    follow(
        windows, *(m for m in topics if m in modalities_to_read(declared(modalities), given, ()))
    )
    live = FrameWindows.join([*push(windows, entries), windows.driver.flush()])

    assert len(live) == 39
    assert same(live, replayed)
    assert +windows.driver.counters == +stream.counters
    assert windows.driver.derived == stream.derived
    assert set(windows.health) == set(stream.topics)
    assert {h.count for h in windows.health.values()} == {200}


def present(windows: FrameWindows, modality: str) -> list[bool]:
    return [bool(yes) for yes in windows.has(modality)]


def test_the_twist_is_made_from_a_pose_that_comes_late_until_a_topic_has_it() -> None:
    entries = robot(6.0)
    thirds = [entries[k * len(entries) // 3 : (k + 1) * len(entries) // 3] for k in range(3)]
    windows = LiveWindows(WindowConfig(), ['wrench', 'twist'])
    follow(windows, 'wrench')
    without = FrameWindows.join(push(windows, thirds[0]))
    follow(windows, 'wrench', 'pose')
    assert windows.driver.derived == ('twist',)
    made = FrameWindows.join(push(windows, thirds[1]))
    assert set(windows.health) == {'wrench', 'pose'}
    poses = windows.health['pose'].count
    follow(windows, 'wrench', 'pose', 'twist')
    assert not windows.driver.derived
    sensed = FrameWindows.join(push(windows, thirds[2]))
    assert set(windows.health) == {'wrench', 'twist'}
    assert not any(present(without, 'twist'))
    assert all(present(made, 'twist')[5:])
    assert all(present(sensed, 'twist')[5:])
    assert poses == 100
    assert windows.health['twist'].count == 100


def test_messages_that_no_reader_waits_for_complete_nothing() -> None:
    entries = robot(1.0)
    windows = LiveWindows(WindowConfig(), ['wrench'])
    assert not windows.awaited()  # no topic has appeared
    follow(windows, 'wrench')
    assert not len(windows.push(received([e for e in entries if e.topic == POSE])))
    assert not windows.driver.counters
    assert len(windows.push(received(entries)))


@pytest.mark.parametrize('off', [-(10**18), 0, 10**12])
def test_what_a_window_waits_for_is_expected_after_its_usual_delay(off: int) -> None:
    """Whatever the clock of the stamps says; by the shortest delay, since late is too late."""
    windows = LiveWindows(WindowConfig(), ['wrench', 'pose'])
    follow(windows, 'wrench', 'pose')
    usual = {WRENCH: 3_000_000, POSE: 9_000_000}
    entries = [e for e in robot(2.0) if e.topic in usual]
    for k, entry in enumerate(entries):
        late = 40_000_000 if k % 7 == 0 else 0
        came = Received(entry.raw, entry.log_time + off + usual[entry.topic] + late)
        windows.push({entry.topic: [came]})
        if windows.driver.assembler.upcoming is not None and k > 20:
            tick = windows.driver.assembler.upcoming + off
            found = windows.awaited()
            assert found
            assert found == pytest.approx({t: tick + usual[t] for t in found}, abs=10_000, rel=0)
    assert len(entries) == 200
