# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Live equals replay for two of a kind and for what was declared, without ROS."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.nodes.common.received import Received
from m2r2_ros.nodes.segmenter.discovery import GIVEN, MODEL, Discovery
from m2r2_ros.nodes.segmenter.live_windows import LiveWindows
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topic_map import TopicMap
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.windows.config import WindowConfig
from test.replay.recordings import Entry, write_bag
from test.replay.two_arms import declarations, two_arms
from test.windows.streams import same


@pytest.fixture
def given(tmp_path: Path) -> TopicMap:
    return declarations(tmp_path)


def types_of(entries: list[Entry]) -> dict[str, str]:
    return {e.topic: e.type_name for e in entries}


def live(entries: list[Entry], given: TopicMap, discovery: Discovery) -> LiveWindows:
    """Return windows that follow all topics that are there."""
    windows = LiveWindows(WindowConfig(), given.modalities, given.topics)
    specs = discovery.look(types_of(entries), guess=True)
    windows.follow({s.modality: (s, make_reader(s, s.type)) for s in specs})
    return windows


def push(windows: LiveWindows, entries: list[Entry], seed: int = 0) -> FrameWindows:
    """Push messages in some thirty takes of any size, topic by topic in each."""
    cuts = np.random.default_rng(seed).integers(0, len(entries), 30).tolist()
    parts = []
    for a, b in pairwise(sorted({0, len(entries), *cuts})):
        received: dict[str, list[Received]] = {}
        for entry in entries[a:b]:
            received.setdefault(entry.topic, []).append(Received(entry.raw, entry.log_time))
        parts.append(windows.push(received))
    return FrameWindows.join([*parts, windows.driver.flush()])


@pytest.mark.parametrize('seed', [0, 1])
def test_live_windows_are_those_of_the_recording(
    tmp_path: Path, given: TopicMap, seed: int
) -> None:
    entries = two_arms(4.0, seed)
    recording = open_recording(write_bag(tmp_path / 'bag', entries))
    stream = WindowStream(recording, WindowConfig(), given.modalities, given.topics)
    replayed = FrameWindows.join(list(stream))
    windows = live(entries, given, Discovery(given.modalities, given.topics, {}, '/'))
    found = push(windows, entries, seed)
    assert len(found) > 35
    assert found.present[2:-2].all()
    assert same(found, replayed)
    assert +windows.driver.counters == +stream.counters
    assert windows.driver.derived == stream.derived == ('left_twist', 'right_twist')
    assert set(windows.health) == set(given.topics)
    assert windows.health['tactile'].count == 800  # thinned for windows, not for diagnostics


def test_a_model_finds_the_topics_of_its_training_set_as_they_were_declared(
    given: TopicMap,
) -> None:
    entries = two_arms(0.1)
    types = types_of(entries)
    expected = {
        name: replace(spec, type=types[spec.topic]).to_entry()
        for name, spec in given.topics.items()
    }
    discovery = Discovery(given.modalities, {}, expected, '/')
    # Twists need no topic once there are poses.
    assert set(discovery.missing) - {'left_twist', 'right_twist'} == set(given.topics)
    found = {spec.modality: spec for spec in discovery.look(types, guess=False)}
    assert set(found) == set(given.topics)
    assert set(discovery.origin.values()) == {MODEL}
    assert found['right_gripper'].scale == pytest.approx(1e-3)
    assert (found['right_gripper'].unit, found['right_gripper'].joints) == ('m', ('width',))
    assert (found['tactile'].fields, found['tactile'].dims) == (('data[1:17]',), 16)
    assert found['tactile'].scale == 0.01
    # Beside one that is given, in another unit, the others stay as they were.
    spec = replace(given.topics['right_gripper'], unit='cm')
    mine = Discovery(given.modalities, {'right_gripper': spec}, expected, '/')
    (gripper,) = [s for s in mine.look(types, guess=False) if s.modality == 'right_gripper']
    assert gripper.scale == pytest.approx(1e-2)
    assert mine.origin['right_gripper'] == GIVEN


def test_a_unit_that_disagrees_is_refused_and_delays_no_other(given: TopicMap) -> None:
    wrong = replace(given.topics['tactile'], unit='bar')
    topics = {**given.topics, 'tactile': wrong}
    discovery = Discovery(given.modalities, topics, {}, '/')
    found = discovery.look(types_of(two_arms(0.1)), guess=False)
    assert {s.modality for s in found} == set(given.topics) - {'tactile'}
    assert discovery.refused == {
        'tactile': "tactile.unit: 'bar' is a pressure, expected a force in 'N'"
    }
