# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inlets for all topics that are wanted, as publishers come and go."""

from collections.abc import Callable
from typing import Final

from rclpy.node import Node

from m2r2_ros.bags.writing.snapshot import Entry
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.nodes.common.intake import Inlet
from m2r2_ros.nodes.recorder.wanted import Wanted

#: Looks at the graph between two at the publishers of known topics.
_REFRESH: Final = 5


class Inlets:
    """Subscribes to every wanted topic that is published. Not thread-safe.

    Attributes:
        open: Inlets by topic.
        skipped: Why a topic is not received, or not in full, by topic.
    """

    def __init__(self, node: Node, wanted: Wanted, on_new: Callable[[Inlet], None]) -> None:
        """Begin without subscriptions.

        Args:
            node: The node that subscribes.
            wanted: What to subscribe to.
            on_new: Called with an inlet before its first message is taken.
        """
        self._node, self._wanted, self._on_new = node, wanted, on_new
        self.open: dict[str, Inlet] = {}
        self.skipped: dict[str, str] = {}
        self._told: set[str] = set()
        self._looks = 0

    @property
    def missing(self) -> list[str]:
        """Topics that were asked for by name and are not published."""
        return sorted(self._wanted.named - self.open.keys() - self.skipped.keys())

    def look(self) -> None:
        """Subscribe to what is new; now and then follow the publishers of the rest."""
        self._looks += 1
        if self._looks % _REFRESH == 0:
            self._refresh()
        for topic, _ in self._node.get_topic_names_and_types():
            if topic not in self.open and topic not in self.skipped and topic in self._wanted:
                self._subscribe(topic)

    def take(self) -> list[Entry]:
        """Return what has come since the last call, in the order in which it came."""
        entries = [
            (received.time, topic, received.raw)
            for topic, inlet in self.open.items()
            for received in inlet.take()
        ]
        entries.sort(key=lambda entry: entry[0])
        return entries

    def close(self) -> None:
        """Unsubscribe from everything."""
        for inlet in self.open.values():
            inlet.close()
        self.open.clear()
        self.skipped.clear()

    def _refresh(self) -> None:
        self.skipped.clear()
        for topic, inlet in self.open.items():
            inlet.refresh()
            others = {p.topic_type for p in inlet.publishers} - {inlet.type_name}
            if others:
                names = ', '.join(sorted(others))
                reason = f'{topic} is received as {inlet.type_name}; what comes as {names} is not'
                self._skip(topic, reason)

    def _subscribe(self, topic: str) -> None:
        types = {p.topic_type for p in self._node.get_publishers_info_by_topic(topic)}
        if not types:
            return
        if len(types) > 1:
            names = ', '.join(sorted(types))
            self._skip(topic, f'{topic} has several types ({names}): its publishers must agree')
            return
        try:
            inlet = Inlet(self._node, topic, types.pop())
        except (ConfigError, RuntimeError) as error:  # the latter from the middleware
            self._skip(topic, f'{topic}: {error}')
            return
        self._on_new(inlet)
        self.open[topic] = inlet

    def _skip(self, topic: str, reason: str) -> None:
        self.skipped[topic] = reason
        if reason not in self._told:
            self._told.add(reason)
            self._node.get_logger().warning(reason)
