# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of a recorder that runs: how they come about, and what is in them."""

from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.serialization import deserialize_message
from std_msgs.msg import Int64
from std_srvs.srv import Trigger

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.nodes.recorder.node import RecorderNode
from test.nodes.conftest import call, wait_until


def messages(bag: Path) -> dict[str, list[bytes]]:
    """Return the messages of a bag by topic."""
    found: dict[str, list[bytes]] = {}
    for blocks in open_recording(bag).blocks():
        for block in blocks:
            raws = [block.message(i).tobytes() for i in range(len(block))]
            found.setdefault(block.topic, []).extend(raws)
    return found


def numbers(bag: Path, topic: str = '/number') -> list[int]:
    return [deserialize_message(raw, Int64).data for raw in messages(bag).get(topic, [])]


def log_times(bag: Path) -> list[int]:
    blocks = [block for blocks in open_recording(bag).blocks() for block in blocks]
    return [int(time) for block in blocks for time in block.log_times]


def heard_by(publisher: Any, subscribers: int = 1) -> None:
    """Wait until a publisher has its subscribers."""
    wait_until(lambda: publisher.get_subscription_count() >= subscribers, what=publisher.topic_name)


def written(recorder: RecorderNode, topic: str, count: int) -> None:
    """Wait until so many messages of a topic are in the bag."""
    bag = recorder._session.latest
    assert bag is not None
    wait_until(lambda: bag.counts.get(topic, 0) >= count, what=f'{count} on {topic}')


def stopped(peer: Node) -> Path:
    response = call(peer, Trigger, '/recorder/stop')
    assert response.success, response.message
    return Path(response.message)


def started(peer: Node) -> Path:
    response = call(peer, Trigger, '/recorder/start')
    assert response.success, response.message
    return Path(response.message)
