# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Diagnostics, once a second, also while the ROS clock stands still."""

from collections.abc import Callable
from typing import Final

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

from m2r2_ros.nodes.common.faults import Faults, sendable
from m2r2_ros.nodes.common.status import Status

PERIOD: Final = 1.0


class Diagnostics:
    """Publishes the state of a node on /diagnostics."""

    def __init__(self, node: Node, collect: Callable[[], list[Status]], faults: Faults) -> None:
        """Begin to publish what `collect` returns, and the faults."""
        self._node, self._collect, self._faults = node, collect, faults
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        # Wall time: a paused replay must not silence its own diagnosis.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(PERIOD, self.publish, clock=clock)

    def publish(self) -> None:
        """Publish now."""
        name = self._node.get_fully_qualified_name()
        statuses: list[Status] = []
        with self._faults.caught('diagnostics'):  # which must not fall silent for it
            statuses = self._collect()
        array = DiagnosticArray()
        array.header.stamp = self._node.get_clock().now().to_msg()
        array.status = [
            DiagnosticStatus(
                level=bytes([status.level]),
                name=f'{name.lstrip("/")}: {status.name}',
                message=sendable(status.message),
                hardware_id=name,
                values=[
                    KeyValue(key=sendable(k), value=sendable(v)) for k, v in status.values.items()
                ],
            )
            for status in [*statuses, self._faults.status()]
        ]
        self._publisher.publish(array)
