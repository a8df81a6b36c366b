# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Live equals replay (design contract 4), over DDS: player, segmenter and recorder together."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from rclpy.node import Node
from std_srvs.srv import Trigger

from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.nodes.player.node import PlayerNode
from m2r2_ros.nodes.recorder.node import RecorderNode
from m2r2_ros.nodes.segmenter.node import SegmenterNode
from m2r2_ros.replay.labeller import label_recording
from m2r2_ros.segmenters import open_model
from m2r2_ros.segmenters.network import NetworkSegmenter
from test.network.networks import SMALL
from test.nodes.bundles import write_bundle
from test.nodes.conftest import Launch, call, wait_until

SENSORS = ['/ft_sensor/wrench', '/current_pose', '/current_twist', '/gripper/joint_states']
TOPICS = [*SENSORS, '/microphone/audio']


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FrameWindows]]:
    """Keep what goes through segmenters, live and offline."""
    seen: list[FrameWindows] = []
    extend = NetworkSegmenter.extend

    def look(self: NetworkSegmenter, windows: FrameWindows) -> Any:
        seen.append(windows)
        return extend(self, windows)

    monkeypatch.setattr(NetworkSegmenter, 'extend', look)
    yield seen


def test_live_labels_are_those_of_the_recording(
    launch: Launch,
    peer: Node,
    tmp_path: Path,
    episode: Path,
    windows: list[FrameWindows],
    patient: None,
) -> None:
    bundle = write_bundle(tmp_path / 'bundle', SMALL)
    recorder = launch(RecorderNode, path=str(tmp_path / 'bags'), topics=[*TOPICS, '/action_.*'])
    segmenter = launch(SegmenterNode, model=str(bundle))
    windows.clear()  # those of warming up
    player = launch(
        PlayerNode, path=str(episode), topics=TOPICS, restamp=True, paused=True, duration=5.0
    )
    wait_until(lambda: all(peer.count_subscribers(topic) == 2 for topic in TOPICS))
    assert call(peer, Trigger, '/player/resume').success
    wait_until(player.stop.is_set, seconds=60.0, what='the end of the episode')
    sent = player._playback.published
    wait_until(lambda: segmenter.samples == sent, what='the last message')
    segmenter.trigger_deactivate()
    live = FrameWindows.join(windows)
    bag = recorder.end()

    windows.clear()
    model = open_model(bundle)
    label_recording(bag, model, tmp_path / 'labels')
    replayed = FrameWindows.join(windows)

    # Nothing was lost on the way, and every window of either is in the other.
    recorded = open_recording(bag)
    assert sum(recorded.topics[topic].count for topic in TOPICS) == sent
    assert not segmenter.counters['windows.skipped']
    assert np.array_equal(live.stamps, replayed.stamps)
    complete = live.present & replayed.present
    both = np.asarray(complete.all(axis=1))
    assert both.sum() > 0.9 * len(both)
    equal = identical(live, replayed)
    assert equal[both].all()

    # A head looks back, so that labels agree up to the first window that differs.
    same = int(np.argmin(np.append(equal, False)))
    assert same > 0.9 * len(equal)
    first = read_label_track(bag)
    second = read_label_track(tmp_path / 'labels' / f'{bag.name}_labels')
    assert np.array_equal(first.stamps, live.stamps)
    assert first.labels[:same] == second.labels[:same]
    assert np.allclose(first.probabilities[:same], second.probabilities[:same], rtol=0, atol=1e-5)
    assert np.ptp(first.probabilities, axis=0).max() > 0.01  # not one and the same all along


def identical(a: FrameWindows, b: FrameWindows) -> NDArray[np.bool_]:
    """Return which windows are the same to the bit."""
    pairs = [(a.present, b.present), (a.sounds['sound'], b.sounds['sound'])]
    pairs += [(a.sensors[name], b.sensors[name]) for name in a.sensors]
    same = [(x == y).reshape(len(x), -1).all(axis=1) for x, y in pairs]
    return np.logical_and.reduce(same)
