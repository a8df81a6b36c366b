# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes say in a line what they do, and now and then how far they are."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from m2r2_ros.nodes.common import reports
from test.nodes.conftest import Launch, wait_until

SAID = {
    'player': (
        r'plays .*/cell_0001: \d+ topics, 1\.0 to 3\.0 s, rate 2, looping',
        r'playing at \d\.\d s, \d+ %( of pass 2)?; [1-9]\d+ messages published',
    ),
    'sim': (
        r'simulates the cell with seed 3 at 2 times real time and publishes what it senses, no '
        r'images, and ground truth',
        r'\d\.\d s simulated, [1-9]\d+ messages published',
    ),
    'visualizer': (
        r'draws the labels of /action_label as /visualizer/markers at the pose that it finds, and '
        r'on /camera as /visualizer/image/compressed, while someone looks',
        r'0 labels received, 0 markers and 0 images drawn; no pose, image from /camera',
    ),
}
GIVEN: dict[str, dict[str, Any]] = {
    'player': {'start_offset': 1.0, 'duration': 2.0, 'rate': 2.0, 'loop': True},
    'sim': {'seed': 3, 'rate': 2.0, 'cameras': False},
    'visualizer': {'image': '/camera'},
}


def test_reports_come_once_a_minute() -> None:
    assert reports.PERIOD == 60.0


@pytest.mark.parametrize('name', SAID)
def test_nodes_say_what_they_do(
    name: str,
    launch: Launch,
    peer: Any,
    episode: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from sensor_msgs.msg import CompressedImage

    monkeypatch.setattr(reports, 'PERIOD', 0.3)
    peer.create_publisher(CompressedImage, '/camera', 1)
    given = {**GIVEN[name], **({'path': str(episode)} if name == 'player' else {})}
    launch(getattr(import_module(f'm2r2_ros.nodes.{name}.node'), f'{name.title()}Node'), **given)
    introduction, progress = SAID[name]
    heard = ''

    def said() -> bool:
        nonlocal heard
        heard += capfd.readouterr().err
        return bool(re.search(rf'\[{name}\]: {progress}', heard))

    wait_until(said, what=progress)
    assert len(re.findall(rf'\[{name}\]: {introduction}', heard)) == 1
