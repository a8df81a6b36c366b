# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of a bag are split, flushed and ended before the disk is full."""

import random
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

import yaml
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import (
    DurabilityPolicy,
    QoSProfile,
)
from std_msgs.msg import String
from std_srvs.srv import Trigger

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.nodes.recorder.node import RecorderNode
from test.nodes.conftest import Launch, call, wait_until
from test.nodes.recorder.bags import heard_by, numbers, started, stopped, written

LATCHING = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
RELIABLE = QoSProfile(depth=1000)
HUGE = 1_000_000_000


def test_bag_is_split_by_time(launch: Launch, peer: Node, tmp_path: Path, counting: Any) -> None:
    counting()
    recorder = launch(RecorderNode, path=str(tmp_path), topics=['/number'], max_duration=0.2)
    written(recorder, '/number', 150)
    bag = stopped(peer)
    content = yaml.safe_load((bag / 'metadata.yaml').read_text())
    files = content['rosbag2_bagfile_information']['files']
    assert len(files) >= 3
    assert all(file['duration']['nanoseconds'] < 200e6 for file in files)
    found = numbers(bag)
    assert found == list(range(found[0], found[-1] + 1))


def test_bag_is_split_by_size(launch: Launch, peer: Node, tmp_path: Path) -> None:
    noise = peer.create_publisher(String, '/noise', RELIABLE)
    recorder = launch(RecorderNode, path=str(tmp_path), topics=['/noise'], max_size_mb=1)
    heard_by(noise)
    for k in range(10):
        # Half of the bits of a hexadecimal digit are noise.
        noise.publish(String(data=random.Random(k).randbytes(300_000).hex()))
        written(recorder, '/noise', k + 1)
    bag = stopped(peer)
    sizes = [file.stat().st_size for file in sorted(bag.glob('*.mcap'))]
    assert len(sizes) == 3
    assert all(1e6 <= size < 2e6 for size in sizes[:-1])
    assert open_recording(bag).message_count == 10


def test_every_flush_waits_for_the_disk_if_asked(
    launch: Launch, peer: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr('m2r2_ros.bags.writing.part.os.fsync', synced.append)
    launch(RecorderNode, path=str(tmp_path), fsync=True, flush_interval=0.01)
    wait_until(lambda: len(synced) > 3)


def test_recording_ends_before_the_disk_is_full(
    launch: Launch, peer: Node, tmp_path: Path, counting: Any, diagnosis: Any
) -> None:
    counting()
    latched = peer.create_publisher(String, '/robot_description', LATCHING)
    latched.publish(String(data='arm'))
    recorder = launch(RecorderNode, path=str(tmp_path))
    written(recorder, '/number', 10)
    recorder.set_parameters([Parameter('min_free_mb', value=HUGE)])
    status = diagnosis('recording', 'stopped: ')
    assert status.level == DiagnosticStatus.ERROR
    assert 'min_free_mb keeps: make room' in status.message
    [bag] = find_recordings([tmp_path])
    assert not open_recording(bag).truncated
    assert (bag / 'metadata.yaml').exists()
    assert len(numbers(bag)) >= 10
    for service in ('start', 'stop'):
        response = call(peer, Trigger, f'/recorder/{service}')
        assert not response.success
        assert 'min_free_mb' in response.message
    recorder.set_parameters([Parameter('min_free_mb', value=0)])
    assert started(peer) != bag
    assert diagnosis('recording', 'recording ').level == DiagnosticStatus.OK
    written(recorder, '/robot_description', 1)


@pytest.fixture
def short_files() -> Iterator[None]:
    """Let files of this process end at half a megabyte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_failing_disk_is_reported_even_if_nothing_more_comes(
    launch: Launch, peer: Node, tmp_path: Path, diagnosis: Any, short_files: None
) -> None:
    noise = peer.create_publisher(String, '/noise', RELIABLE)
    launch(RecorderNode, path=str(tmp_path), topics=['/noise'], flush_interval=0.05)
    heard_by(noise)
    # Less than a chunk, so that the flush is the first to meet the end.
    noise.publish(
        String(data=''.join(map(chr, random.Random(0).choices(range(1, 128), k=900_000))))
    )
    status = diagnosis('recording', 'stopped: ')
    assert status.level == DiagnosticStatus.ERROR
    assert 'File too large' in status.message
