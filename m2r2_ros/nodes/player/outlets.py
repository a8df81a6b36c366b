# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The publishers of a recording's topics, and which of them cannot be published here."""

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from ament_index_python.packages import get_package_share_directory
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy

from m2r2_ros.bags.source import Topic
from m2r2_ros.core.errors import ConfigError, M2R2Error
from m2r2_ros.nodes.common.graph import message_class
from m2r2_ros.nodes.common.publishing import publisher_qos

#: Types that begin with a stamp, in their first field.
_STAMPED: Final = frozenset({'std_msgs/Header', 'builtin_interfaces/Time'})
#: Latched messages that are kept for those who come later.
_LATCHED: Final = 1000


class Outlets:
    """Publishers by the topic's name in the recording.

    Attributes:
        skipped: Why topics are not published, by name.
        latched: Topics whose messages are kept for subscribers that come later.
        stamped: Topics whose messages begin with a stamp.
    """

    def __init__(self, node: Node, topics: Iterable[Topic]) -> None:
        """Make a publisher for each topic whose type is the installed one.

        Topics are published in the node's namespace: '/wrench' as 'wrench'.
        """
        self._node = node
        self._publishers: dict[str, Any] = {}
        self.skipped: dict[str, str] = {}
        self.latched: set[str] = set()
        self.stamped: set[str] = set()
        for topic in topics:
            try:
                self._add(topic)
            except M2R2Error as error:
                self.skipped[topic.name] = str(error)

    def __len__(self) -> int:
        return len(self._publishers)

    def __iter__(self) -> Any:  # noqa: ANN401 - names
        return iter(self._publishers)

    def publish(self, topic: str, raw: bytes) -> None:
        """Publish a message now."""
        self._publishers[topic].publish(raw)

    def unheard(self) -> list[str]:
        """Return the topics without a subscriber."""
        return [k for k, p in self._publishers.items() if not p.get_subscription_count()]

    def unconfirmed(self) -> list[str]:
        """Return the topics of which a reliable subscriber has not received everything yet."""
        now = Duration(seconds=0)
        return [k for k, p in self._publishers.items() if not p.wait_for_all_acked(now)]

    def _add(self, topic: Topic) -> None:
        kind = message_class(topic.type_name)
        installed = _installed_hash(topic.type_name)
        if topic.type_hash and installed and topic.type_hash != installed:
            msg = (
                f'it was recorded with another version of {topic.type_name} ({topic.type_hash}) '
                f'than the one that is installed ({installed}): install that of the recording'
            )
            raise ConfigError(msg)
        qos = publisher_qos(topic.qos)
        if qos.durability == DurabilityPolicy.TRANSIENT_LOCAL:
            # Static transforms of several publishers are one topic here, and all are wanted.
            qos.depth = min(max(topic.count, 1), _LATCHED)
            self.latched.add(topic.name)
        if next(iter(kind.get_fields_and_field_types().values()), '') in _STAMPED:
            self.stamped.add(topic.name)
        name = topic.name.removeprefix('/')
        self._publishers[topic.name] = self._node.create_publisher(kind, name, qos)


def restamped(raw: bytes, offset: int) -> bytes:
    """Return a CDR message whose first field is a stamp, or a header, with its stamp moved.

    A stamp of zero means that the message has no stamp, and stays.

    Args:
        raw: With encapsulation header.
        offset: Nanoseconds.
    """
    if len(raw) < 12:
        return raw
    layout = '<iI' if raw[1] & 1 else '>iI'
    seconds, nanoseconds = struct.unpack_from(layout, raw, 4)
    if not seconds and not nanoseconds:
        return raw
    moved = divmod(seconds * 1_000_000_000 + nanoseconds + offset, 1_000_000_000)
    return raw[:4] + struct.pack(layout, *moved) + raw[12:]


def _installed_hash(type_name: str) -> str:
    """Return the RIHS01 hash of an installed type, '' before Iron."""
    package, _, short = type_name.partition('/msg/')
    path = Path(get_package_share_directory(package), 'msg', f'{short}.json')
    if not path.is_file():
        return ''
    hashes = json.loads(path.read_text())['type_hashes']
    return str(next(h['hash_string'] for h in hashes if h['type_name'] == type_name))
