# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A model that was found without labels drives the segmenter node; one that cannot is refused."""

from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from m2r2_ros.msg import ActionLabel
from rclpy.node import Node
from std_srvs.srv import Trigger

from m2r2_ros.bags.labels.reader import read_given_labels, read_label_track
from m2r2_ros.core.errors import BundleError
from m2r2_ros.nodes.player.node import PlayerNode
from m2r2_ros.nodes.segmenter.node import SegmenterNode
from test.cli.run import done
from test.nodes.conftest import Launch, call, listen, wait_until
from test.nodes.segmenter.test_live_equals_replay import SENSORS


def discovered(episode: Path, folder: Path, method: str) -> Path:
    done('discover', episode, '--method', method, '--out', folder)
    return folder / 'bundle'


def test_labels_of_a_robot_are_those_of_its_recording(
    launch: Launch, peer: Node, tmp_path: Path, episode: Path, patient: None
) -> None:
    bundle = discovered(episode, tmp_path / 'found', 'events')
    done('label', episode, '--model', bundle, '--as-live', '--out', tmp_path / 'labels')
    replayed = read_label_track(tmp_path / 'labels' / f'{episode.name}_labels')
    labels = listen(peer, ActionLabel, 'action_label')
    segmenter = launch(SegmenterNode, model=str(bundle))
    player = launch(PlayerNode, path=str(episode), topics=SENSORS, restamp=True, paused=True)
    wait_until(lambda: all(peer.count_subscribers(topic) == 1 for topic in SENSORS))
    assert call(peer, Trigger, '/player/resume').success
    wait_until(player.stop.is_set, seconds=60.0, what='the end of the episode')
    sent = player._playback.published
    wait_until(lambda: segmenter.samples == sent, what='the last message')
    segmenter.trigger_deactivate()
    wait_until(lambda: len(labels) >= len(replayed) - 2, what='labels')
    assert {label.revision_lag for label in labels} == {labels[0].revision_lag}
    assert labels[0].revision_lag > 0
    # Stamps are others, so that a boundary may fall into the frame beside.
    segments = len(read_given_labels(tmp_path / 'labels' / f'{episode.name}_labels').segments)
    assert segments > 1
    assert abs(max(label.segment_index for label in labels) + 1 - segments) <= 1
    assert {label.label for label in labels} <= set(replayed.label_set.names)  # type: ignore[union-attr]


def test_a_method_that_needs_the_end_is_refused(
    launch: Launch, tmp_path: Path, episode: Path
) -> None:
    bundle = discovered(episode, tmp_path / 'found', 'awe')
    with pytest.raises(BundleError, match='awe needs the whole recording'):
        launch(SegmenterNode, model=str(bundle))
