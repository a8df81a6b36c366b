# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the ROS graph knows about a topic: its type, its publishers and the QoS they offer."""

import re
from collections.abc import Callable, Container, Iterable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from rclpy.duration import Infinite
from rclpy.node import Node, TopicEndpointInfo
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

from m2r2_ros.bags.writing.metadata import dump_yaml
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.readers.guessing import MODALITY_TYPES

#: Types that some modality can be read from.
_READABLE: Final = frozenset().union(*MODALITY_TYPES.values())
_FOREVER: Final = {'sec': 9223372036, 'nsec': 854775807}
_TYPE: Final = re.compile(r'[a-z][a-z0-9_]*/msg/[A-Z][A-Za-z0-9]*')
_FIELD: Final = re.compile(r'^\s*([a-zA-Z][\w/]*)(?:\[[^\]]*\])?(?:<=\d+)?\s+\w+', re.MULTILINE)


def topic_types(
    node: Node, wanted: Callable[[str, str], bool] = lambda name, kind: True
) -> dict[str, str]:
    """Return the type of every published topic that has a single type.

    Args:
        node: Looks at the graph.
        wanted: Of which name and type; a robot may have a thousand topics that are of no use, and
            it takes ten times as long to find who publishes one as to find its type.
    """
    return {
        name: types[0]
        for name, types in node.get_topic_names_and_types()
        if len(types) == 1 and wanted(name, types[0]) and node.count_publishers(name)
    }


def readable_topics(node: Node, named: Container[str]) -> dict[str, str]:
    """Return the types of published topics that a modality can be read from, or that are named."""
    return topic_types(node, lambda name, kind: kind in _READABLE or name in named)


def message_class(type_name: str) -> Any:  # noqa: ANN401 - a generated class
    """Return the class of a message type.

    Raises:
        ConfigError: It is not the name of a type, or its package is not installed.
    """
    if not _TYPE.fullmatch(type_name):
        msg = f'{type_name!r} is not the name of a message type, such as std_msgs/msg/String'
        raise ConfigError(msg)
    package, _, name = type_name.partition('/msg/')
    try:
        return getattr(import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError) as error:
        deb = package.replace('_', '-')
        msg = (
            f'messages of type {type_name} cannot be received or sent here: package {package} is '
            f'not installed, or older than the type; install ros-$ROS_DISTRO-{deb}'
        )
        raise ConfigError(msg) from error


@cache
def installed_definition(type_name: str) -> str:
    """Return the ros2msg text of an installed type and of all that it holds, '' without .msg."""
    texts: dict[str, str] = {}
    pending = [type_name]
    while pending:
        name = pending.pop(0)
        if name in texts:
            continue
        package, _, short = name.partition('/msg/')
        try:
            path = Path(get_package_share_directory(package), 'msg', f'{short}.msg')
            texts[name] = path.read_text()
        except (PackageNotFoundError, OSError):
            return ''
        pending += [
            f'{field.replace("/", "/msg/") if "/" in field else f"{package}/msg/{field}"}'
            for field in _FIELD.findall(texts[name])
            if field[0].isupper() or '/' in field
        ]
    first, *others = texts
    nested = (f'MSG: {other.replace("/msg/", "/")}\n{texts[other]}' for other in others)
    parts = [texts[first], *nested]
    return ('=' * 80 + '\n').join(part.rstrip('\n') + '\n' for part in parts)


def matching_qos(publishers: Sequence[TopicEndpointInfo], depth: int) -> QoSProfile:
    """Return the strictest QoS that every publisher can serve.

    Best effort alone would lose large messages, reliable alone would hear nothing of a best-effort
    driver; so reliable where all are, and the same for latched topics.
    """
    offered = [p.qos_profile for p in publishers]
    reliable = all(q.reliability == ReliabilityPolicy.RELIABLE for q in offered)
    latched = bool(offered) and all(
        q.durability == DurabilityPolicy.TRANSIENT_LOCAL for q in offered
    )
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def offered_qos(publishers: Iterable[TopicEndpointInfo]) -> str:
    """Return the YAML text that rosbag2 records of publishers."""
    return dump_yaml([_profile(p.qos_profile) for p in publishers])


def _profile(qos: QoSProfile) -> dict[str, Any]:
    return {
        'history': qos.history.name.lower(),
        'depth': qos.depth,
        'reliability': qos.reliability.name.lower(),
        'durability': qos.durability.name.lower(),
        'deadline': _duration(qos.deadline),
        'lifespan': _duration(qos.lifespan),
        'liveliness': qos.liveliness.name.lower(),
        'liveliness_lease_duration': _duration(qos.liveliness_lease_duration),
        'avoid_ros_namespace_conventions': qos.avoid_ros_namespace_conventions,
    }


def _duration(duration: Any) -> dict[str, int]:  # noqa: ANN401 - rclpy.duration.Duration
    if duration == Infinite or duration.nanoseconds >= Infinite.nanoseconds:
        return dict(_FOREVER)
    sec, nsec = divmod(duration.nanoseconds, 1_000_000_000)
    return {'sec': sec, 'nsec': nsec}
