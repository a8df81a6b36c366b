# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a topic could serve, and why not."""

from dataclasses import dataclass
from typing import Final

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.modalities import BUILTIN, VECTOR
from m2r2_ros.readers.guessing import MODALITY_TYPES, never_guessed
from m2r2_ros.readers.paths import number_paths
from m2r2_ros.readers.topics import TRANSFORMS, TopicSpec
from m2r2_ros.readers.types import Message, message_type
from m2r2_ros.readers.usual import usual_fields

#: Types with numbers that say nothing of a robot by themselves.
_IDLE: Final = frozenset(
    {'builtin_interfaces/msg/Time', 'builtin_interfaces/msg/Duration', 'rosgraph_msgs/msg/Clock',
     'rcl_interfaces/msg/Log', 'rcl_interfaces/msg/ParameterEvent',
     'diagnostic_msgs/msg/DiagnosticArray', 'diagnostic_msgs/msg/DiagnosticStatus'}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Uses:
    """What a topic could serve.

    Attributes:
        modalities: Built-in ones that can be read from its type; VECTOR where it holds other
            numbers.
        fields: Paths of its numbers, the shortest first; for VECTOR.
        why_not: Why it is not guessed, or cannot serve at all; '' otherwise.
    """

    modalities: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    why_not: str = ''


def uses_of(topic: str, type_name: str, definition: str = '') -> Uses:
    """Return what a topic could serve.

    Args:
        topic: Its name.
        type_name: Type of its messages.
        definition: ros2msg text of the type; '' for a type that is known here.
    """
    why = never_guessed(topic)
    if why == 'labels':
        return Uses(why_not=why)
    if known := tuple(name for name, types in MODALITY_TYPES.items() if type_name in types):
        return Uses(known, (), why)
    if type_name == TRANSFORMS:
        static = topic.endswith('_static')
        return Uses(() if static else ('pose',), (), 'read with /tf' if static else 'name frames')
    if type_name in _IDLE:
        return Uses(why_not='says nothing of the robot')
    try:
        root = message_type(type_name, definition)
    except M2R2Error:
        return Uses(why_not='no definition of its type')
    fields = tuple(number_paths(root))
    built_in = tuple(name for name in _VECTORS if _has_usual(name, topic, root))
    if not built_in and not fields:
        return Uses(why_not='no numbers in it')
    return Uses(built_in or (VECTOR,), fields, why or 'name fields')


_VECTORS: Final = tuple(name for name, m in BUILTIN.items() if m.kind == VECTOR)


def _has_usual(name: str, topic: str, root: Message) -> bool:
    try:
        return bool(usual_fields(TopicSpec(name, topic), root))
    except M2R2Error:
        return False
