# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes on a robot that only labels: each is a process of its environment."""

import signal
from pathlib import Path

import pytest

from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.share import share_path
from test.robot.conftest import TRAINING, Robot

pytestmark = pytest.mark.ros

MODEL = share_path('models', 'cell')


def test_ros_brings_nothing_that_trains(ros_robot: Robot) -> None:
    assert ros_robot.importable(*TRAINING, 'rclpy', 'm2r2_ros.msg') == ['rclpy', 'm2r2_ros.msg']


def test_played_recording_is_labelled_shown_and_recorded(
    ros_robot: Robot, recording: Path, tmp_path: Path
) -> None:
    into = ['--ros-args', '-p', f'path:={tmp_path}', '-p', 'name:=heard']
    with ros_robot.start('python', '-m', 'm2r2_ros.nodes', 'recorder', *into) as recorder:
        try:
            # With the player, the segmenter and the visualizer.
            ros_robot.m2r2('replay', recording, '--model', MODEL, '--rate', '2', '--wait', '30')
        finally:
            recorder.send_signal(signal.SIGINT)
            output, _ = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, output
    (heard,) = tmp_path.glob('heard*')
    track = read_label_track(heard)
    assert len(track.stamps) > 20
    played = open_recording(recording)
    assert all(played.start <= stamp <= played.end + 10**9 for stamp in track.stamps)


def test_simulated_cell_names_its_extra(ros_robot: Robot) -> None:
    said = ros_robot.run('python', '-m', 'm2r2_ros.nodes', 'sim', code=2)
    assert "pip install 'm2r2_ros[sim]'" in said
