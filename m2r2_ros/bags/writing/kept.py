# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that are kept, where others would write them."""

from m2r2_ros.bags.writing.sink import RELIABLE


class KeptMessages:
    """A sink that keeps what it is given; see MessageSink.

    Attributes:
        topics: Type and QoS by topic.
        messages: Log time, nanoseconds, and CDR by topic.
    """

    def __init__(self) -> None:
        self.topics: dict[str, tuple[str, str]] = {}
        self.messages: dict[str, list[tuple[int, bytes]]] = {}

    def add_topic(
        self,
        name: str,
        type_name: str,
        *,
        definition: str | None = None,
        type_hash: str | None = None,
        qos: str = RELIABLE,
    ) -> None:
        """Take a topic of this package."""
        self.topics[name] = type_name, qos
        self.messages[name] = []

    def write(self, topic: str, raw: bytes, log_time: int) -> None:
        """Take a message."""
        self.messages[topic].append((log_time, raw))
