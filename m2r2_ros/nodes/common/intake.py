# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Raw messages of many topics, taken in bulk, with every loss counted."""

import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node, TopicEndpointInfo
from rclpy.qos import QoSProfile, ReliabilityPolicy

from m2r2_ros.nodes.common.graph import matching_qos, message_class
from m2r2_ros.nodes.common.received import Received

#: Messages that the middleware keeps between two takings: five seconds of 1 kHz, three seconds of
#: a fast camera, whose images are large.
DEPTH: Final = 5000
IMAGE_DEPTH: Final = 90
_IMAGES: Final = frozenset(
    {'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/PointCloud2'}
)


class _Polled(CallbackGroup):
    """Keeps subscriptions out of every executor: they are polled.

    An executor builds a wait set of everything for each message; taking what is there costs a few
    microseconds a message.
    """

    def can_execute(self, entity: Any) -> bool:  # noqa: ANN401 - any rclpy entity
        """Say no."""
        return False

    def beginning_execution(self, entity: Any) -> bool:  # noqa: ANN401 - any rclpy entity
        """Say no."""
        return False

    def ending_execution(self, entity: Any) -> None:  # noqa: ANN401 - any rclpy entity
        """Do nothing."""


class Inlet:
    """A raw subscription to one topic that keeps up with its publishers.

    Attributes:
        topic: Full name.
        type_name: Message type.
        lost: Messages that a publisher sent and that never came, by their sequence numbers; not
            counted while there are several publishers.
        publishers: Its publishers at present.
    """

    def __init__(self, node: Node, topic: str, type_name: str) -> None:
        """Subscribe, with the QoS that fits the publishers there are.

        Raises:
            ConfigError: The package of the type is not installed.
        """
        self.topic, self.type_name, self.lost = topic, type_name, 0
        self.publishers: Sequence[TopicEndpointInfo] = node.get_publishers_info_by_topic(topic)
        self._node, self._class, self._group = node, message_class(type_name), _Polled()
        self._depth = IMAGE_DEPTH if type_name in _IMAGES else DEPTH
        self._sequence = 0
        self._leftover: list[Received] = []
        self._lock = threading.Lock()
        self._qos = matching_qos(self.publishers, self._depth)
        self._subscription = self._subscribe(self._qos)

    def _subscribe(self, qos: QoSProfile) -> Any:  # noqa: ANN401 - an rclpy Subscription
        return self._node.create_subscription(
            self._class, self.topic, _never, qos, raw=True, callback_group=self._group
        )

    @property
    def qos(self) -> QoSProfile:
        """What it subscribes with."""
        return self._qos

    def refresh(self) -> bool:
        """Look at the publishers again, and resubscribe where they need another QoS.

        Returns:
            Whether it resubscribed.
        """
        self.publishers = self._node.get_publishers_info_by_topic(self.topic)
        if not self.publishers:
            return False
        qos = matching_qos(self.publishers, self._depth)
        if qos == self._qos:
            return False
        # What has come already is taken from the old one: the new one must not miss it.
        with self._lock:
            old, self._qos = self._subscription, qos
            self._subscription = self._subscribe(qos)
            self._leftover += self._take_from(old)
            self._sequence = 0
        self._node.destroy_subscription(old)
        return True

    def take(self) -> list[Received]:
        """Return what has come since the last call."""
        with self._lock:
            leftover, self._leftover = self._leftover, []
            return leftover + self._take_from(self._subscription)

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)

    def _take_from(self, subscription: Any) -> list[Received]:  # noqa: ANN401 - a Subscription
        found: list[Received] = []
        take, kind = subscription.handle.take_message, subscription.msg_type
        counted, before = len(self.publishers) == 1, self._sequence
        with subscription.handle:
            # No more than it keeps: a flood may come faster than it is taken.
            for _ in range(self._depth):
                if (taken := take(kind, True)) is None:
                    break
                raw, info = taken
                sequence = info['publication_sequence_number'] or 0
                if counted and 0 < before < sequence - 1:
                    self.lost += sequence - before - 1
                before = sequence
                # Not every middleware says when.
                found.append(Received(raw, info['received_timestamp'] or time.time_ns()))
        self._sequence = before
        return found

    @property
    def reliable(self) -> bool:
        """Whether lost messages are sent again."""
        return bool(self._qos.reliability == ReliabilityPolicy.RELIABLE)


def _never(message: bytes) -> None:
    """Take no message: see _Polled."""
