# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What rosbag2 expects of a bag in addition to its messages: metadata.yaml and QoS profiles."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import yaml

from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import reading
from m2r2_ros.core.text import excerpt
from m2r2_ros.core.yaml_text import parse_yaml

#: The newest layout of metadata.yaml (Jazzy and later); older readers check it.
METADATA_VERSION: Final = 9

#: rosbag2 gives an empty bag this starting time.
NO_MESSAGES: Final = 2**63 - 1

#: Policies that bags before Jazzy number, and what rosbags calls their names.
_POLICIES: Final = {
    'history': 'QosHistory',
    'reliability': 'QosReliability',
    'durability': 'QosDurability',
    'liveliness': 'QosLiveliness',
}
_FOREVER: Final = {'sec': 9223372036, 'nsec': 854775807}


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """A topic as metadata.yaml describes it.

    Attributes:
        name: Topic name.
        type_name: Message type, 'pkg/msg/Type'.
        qos: Offered QoS profiles as YAML text, one for each publisher; '' where none is known.
        type_hash: RIHS01 hash of the type; '' where it is not known.
    """

    name: str
    type_name: str
    qos: str
    type_hash: str


def reliable_qos(durability: str) -> str:
    """Return the YAML text of one reliable publisher, as rosbag2 records it.

    Args:
        durability: 'volatile' or 'transient_local'.
    """
    profile = {
        'history': 'unknown',
        'depth': 0,
        'reliability': 'reliable',
        'durability': durability,
        'deadline': dict(_FOREVER),
        'lifespan': dict(_FOREVER),
        'liveliness': 'automatic',
        'liveliness_lease_duration': dict(_FOREVER),
        'avoid_ros_namespace_conventions': False,
    }
    return dump_yaml([profile])


@lru_cache(maxsize=256)
def qos_profiles(text: str) -> list[dict[str, Any]]:
    """Return QoS profiles with their policies by name, as version 9 wants them.

    Bags before Jazzy number the policies; rosbag2 refuses numbers in a bag of version 9.

    Raises:
        BagError: `text` is not the YAML of a list of profiles.
    """
    expected = 'a list of rosbag2 profiles'
    profiles = parse_yaml(text, 'QoS profiles', expected, BagError) or []
    if not isinstance(profiles, list) or not all(isinstance(p, dict) for p in profiles):
        msg = f'QoS profiles: expected {expected}, found {excerpt(text)!r}'
        raise BagError(msg)
    return [{key: _policy(key, value) for key, value in p.items()} for p in profiles]


@lru_cache(maxsize=256)
def normal_qos(text: str) -> str:
    """Return QoS profiles as the YAML text of version 9, '' without any; see qos_profiles."""
    profiles = qos_profiles(text)
    return dump_yaml(profiles) if profiles else ''


def _policy(key: str, value: Any) -> Any:  # noqa: ANN401 - YAML holds what it holds
    if isinstance(value, list | dict) and not _is_duration(value):
        msg = f'QoS profiles: {excerpt(key)}: expected a policy or a duration of sec and nsec'
        raise BagError(msg)
    if key in _POLICIES and isinstance(value, int):
        from rosbags import interfaces

        with reading(f'QoS profiles: {key}', 'the number of a policy', BagError):
            return getattr(interfaces, _POLICIES[key])(value).name.lower()
    return value


def _is_duration(value: list[Any] | dict[str, Any]) -> bool:
    return isinstance(value, dict) and not any(isinstance(v, list | dict) for v in value.values())


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file of a bag as metadata.yaml describes it.

    Attributes:
        name: Its name in the folder.
        start: Earliest log time, nanoseconds; NO_MESSAGES for a file without messages.
        end: Latest log time, nanoseconds; 0 for a file without messages.
        count: Messages.
    """

    name: str
    start: int
    end: int
    count: int


def bag_metadata(
    files: Sequence[FileInfo],
    topics: Iterable[tuple[TopicInfo, int]],
    custom: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the content of metadata.yaml below `rosbag2_bagfile_information`.

    Args:
        files: The files in the order they were written, at least one.
        topics: Each topic with its number of messages in all files.
        custom: What else there is to say, for those who know the keys.
    """
    start, end = min(file.start for file in files), max(file.end for file in files)
    return {
        'version': METADATA_VERSION,
        'storage_identifier': 'mcap',
        **_span(start, end, sum(file.count for file in files)),
        'topics_with_message_count': [_listed(topic, count) for topic, count in topics],
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': [file.name for file in files],
        'files': [{'path': f.name, **_span(f.start, f.end, f.count)} for f in files],
        'custom_data': dict(custom) if custom else None,
        'ros_distro': os.environ.get('ROS_DISTRO', 'unknown'),
    }


def _span(start: int, end: int, count: int) -> dict[str, Any]:
    return {
        'starting_time': {'nanoseconds_since_epoch': start},
        'duration': {'nanoseconds': end - start if count else 0},
        'message_count': count,
    }


def _listed(topic: TopicInfo, count: int) -> dict[str, Any]:
    return {
        'topic_metadata': {
            'name': topic.name,
            'type': topic.type_name,
            'serialization_format': 'cdr',
            'offered_qos_profiles': qos_profiles(topic.qos),
            'type_description_hash': topic.type_hash,
        },
        'message_count': count,
    }


def dump_yaml(content: object) -> str:
    """Return `content` as block-style YAML in the order given."""

    # An alias (`*id001`), which PyYAML writes where an object appears twice, is legal YAML, but
    # nothing that reads bags expects one.
    class Plain(yaml.CSafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    return str(yaml.dump(content, Dumper=Plain, sort_keys=False))
