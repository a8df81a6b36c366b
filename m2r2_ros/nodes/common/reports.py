# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A line in the log once a minute, so that who watches a node sees that it works."""

from collections.abc import Callable
from typing import Final

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

from m2r2_ros.nodes.common.faults import Faults, sendable

#: Seconds between two reports.
PERIOD: Final = 60.0


class Reports:
    """Logs what a node does: in a line now, and how far it is once a minute of wall time."""

    def __init__(self, node: Node, what: str, progress: Callable[[], str], faults: Faults) -> None:
        """Log `what`, and from now on what `progress` returns."""
        self._node, self._progress, self._faults = node, progress, faults
        node.get_logger().info(sendable(what))
        # Wall time: the ROS clock may stand still.
        node.create_timer(PERIOD, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _report(self) -> None:
        with self._faults.caught('report'):
            self._node.get_logger().info(sendable(self._progress()))
