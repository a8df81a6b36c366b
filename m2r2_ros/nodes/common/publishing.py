# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where bags are written to, live: every topic becomes a publisher, every message is published."""

import time
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from m2r2_ros.bags.writing.metadata import qos_profiles
from m2r2_ros.bags.writing.sink import RELIABLE
from m2r2_ros.nodes.common.graph import message_class

#: Messages kept for a subscriber that falls behind: a second of the fastest sensor.
_DEPTH = 1000
#: Seconds that subscribers may take to confirm the last messages, of all topics together.
_CONFIRM = 1.0


class PublisherSink:
    """Keeps the protocol MessageSink: what writes to a bag can speak to a robot's graph too.

    Topics are published in the node's namespace: '/wrench' as 'wrench'.
    """

    def __init__(self, node: Node) -> None:
        """Begin without topics."""
        self._node = node
        self._publishers: dict[str, Any] = {}

    def add_topic(
        self,
        name: str,
        type_name: str,
        *,
        definition: str | None = None,
        type_hash: str | None = None,
        qos: str = RELIABLE,
    ) -> None:
        """Make a publisher; definition and hash are those that are installed.

        Raises:
            ConfigError: The package of the type is not installed.
        """
        self._publishers[name] = self._node.create_publisher(
            message_class(type_name), name.removeprefix('/'), publisher_qos(qos)
        )

    def write(self, topic: str, raw: bytes, log_time: int) -> None:
        """Publish a message now."""
        self._publishers[topic].publish(raw)

    def close(self) -> None:
        """Take the publishers down, once subscribers have had everything."""
        deadline = time.monotonic() + _CONFIRM
        for publisher in self._publishers.values():
            left = max(0.0, deadline - time.monotonic())
            publisher.wait_for_all_acked(Duration(seconds=left))
            self._node.destroy_publisher(publisher)
        self._publishers.clear()


def publisher_qos(text: str) -> QoSProfile:
    """Return a publisher's QoS from what rosbag2 recorded of it.

    Args:
        text: YAML of a list of profiles, with policies by name or by number; of several, all must
            be latched or best effort for this one to be; '' is reliable.

    Raises:
        BagError: It is not the YAML of a list of profiles.
    """
    profiles = qos_profiles(text)
    best_effort = profiles and all(p.get('reliability') == 'best_effort' for p in profiles)
    latched = profiles and all(p.get('durability') == 'transient_local' for p in profiles)
    return QoSProfile(
        depth=1 if latched else _DEPTH,
        reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
