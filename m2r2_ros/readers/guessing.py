# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topic serves which modality, by types and names, where nobody says."""

import re
from collections.abc import Collection, Container, Mapping
from dataclasses import replace
from typing import Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import BUILTIN
from m2r2_ros.readers.topics import TopicSpec

#: Types that each modality can be read from, the preferred ones first.
MODALITY_TYPES: Final[dict[str, tuple[str, ...]]] = {
    'image': ('sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/Image'),
    'sound': (
        'foxglove_msgs/msg/RawAudio',
        'audio_common_msgs/msg/AudioStamped',
        'audio_common_msgs/msg/AudioDataStamped',
        'audio_common_msgs/msg/AudioData',
    ),
    'wrench': ('geometry_msgs/msg/WrenchStamped', 'geometry_msgs/msg/Wrench'),
    'pose': (
        'geometry_msgs/msg/PoseStamped',
        'geometry_msgs/msg/TransformStamped',
        'geometry_msgs/msg/PoseWithCovarianceStamped',
        'geometry_msgs/msg/Pose',
        'nav_msgs/msg/Odometry',
    ),
    'twist': (
        'geometry_msgs/msg/TwistStamped',
        'geometry_msgs/msg/Twist',
        'geometry_msgs/msg/TwistWithCovarianceStamped',
        'nav_msgs/msg/Odometry',
    ),
    'gripper': (
        'sensor_msgs/msg/JointState',
        'std_msgs/msg/Float64',
        'std_msgs/msg/Float32',
    ),
    'joints': (
        'sensor_msgs/msg/JointState',
        'control_msgs/msg/JointTrajectoryControllerState',
    ),
    'imu': ('sensor_msgs/msg/Imu',),
}  # fmt: skip

#: Parts of names that speak for a topic.
_HINTS: Final[dict[str, frozenset[str]]] = {
    'image': frozenset({'color', 'colour', 'rgb', 'wrist', 'hand'}),
    'sound': frozenset({'audio', 'mic', 'microphone', 'sound'}),
    'wrench': frozenset({'ft', 'wrench', 'external', 'force', 'torque'}),
    'pose': frozenset({'current', 'tcp', 'ee', 'eef', 'effector', 'tool', 'tool0'}),
    'twist': frozenset({'current', 'tcp', 'ee', 'eef', 'effector', 'tool', 'tool0', 'twist'}),
    'gripper': frozenset({'gripper', 'finger', 'fingers', 'hand'}),
    'joints': frozenset({'joint', 'states', 'measured', 'arm'}),
    'imu': frozenset({'imu'}),
}
#: Parts of the names of commands, of images that show no scene, and of ground truth.
_NEVER: Final = frozenset(
    {'desired', 'target', 'command', 'commanded', 'cmd', 'goal', 'reference', 'references',
     'setpoint', 'commands', 'leader', 'last',
     'initialpose', 'visualizer', 'depth', 'compresseddepth', 'infra', 'infra1', 'infra2', 'mask'}
)  # fmt: skip
_LABEL_TOPICS: Final = frozenset({'action_label', 'action_segment', 'label_set'})
#: What is taken only where nothing of these is there: a model of an arm gains little from its
#: joints beside the pose, and the IMU of a camera knows nothing of the arm.
_INSTEAD_OF: Final = {'joints': ('pose', 'twist'), 'imu': ('pose', 'twist', 'joints')}


def guess_topics(
    available: Mapping[str, str],
    given: Mapping[str, TopicSpec],
    wanted: Collection[str] | None = None,
) -> dict[str, TopicSpec]:
    """Choose the topic of each modality.

    What is given stays, its type filled in; modalities given without a topic are off. The others
    take the topic whose type fits and whose name speaks for it most; shorter names first, then
    the alphabet; a topic that is given for another modality of the same kind is not taken again. A
    gripper has to be called one, since joint states are mostly those of the arm.

    Args:
        available: Types by topic name.
        given: Specs by modality.
        wanted: Modalities that a model takes; None where nothing wants any yet: then joint states
            serve where there is neither pose nor twist, and an IMU where there is nothing else.

    Returns:
        Specs by modality, those of BUILTIN first; modalities without a topic are not in it.

    Raises:
        ConfigError: A given type is not that of the topic.
    """
    chosen = {name: with_type(spec, available) for name, spec in given.items() if spec.topic}
    for modality in BUILTIN if wanted is None else [m for m in BUILTIN if m in wanted]:
        if modality in given:
            continue
        served = {spec.convention for spec in chosen.values()}
        if wanted is None and not served.isdisjoint(_INSTEAD_OF.get(modality, ())):
            continue
        # Joint states of fingers are not those of an arm.
        alike = (modality, 'gripper') if modality == 'joints' else (modality,)
        taken = {spec.topic for spec in chosen.values() if spec.convention in alike}
        if topic := _guess(modality, available, taken):
            chosen[modality] = TopicSpec(modality, topic, available[topic])
    return {name: chosen[name] for name in dict.fromkeys([*BUILTIN, *given]) if name in chosen}


def with_type(spec: TopicSpec, available: Mapping[str, str]) -> TopicSpec:
    """Return a spec with the type of its topic, '' where that is not there.

    Raises:
        ConfigError: It says another type.
    """
    found = available.get(spec.topic, '')
    if spec.type and found and found != spec.type:
        msg = (
            f'{spec.modality}: topic {spec.topic} is of type {found}, not {spec.type}; correct '
            f'{spec.modality}.type or leave it out'
        )
        raise ConfigError(msg)
    return replace(spec, type=spec.type or found)


def never_guessed(topic: str) -> str:
    """Return why a topic is guessed for no modality, '' where it may be."""
    if topic.startswith('/ground_truth') or topic.rpartition('/')[2] in _LABEL_TOPICS:
        return 'labels'
    if 'in' in topic.split('/'):  # what is sent in to a device, as in /servo/in/state
        return 'called in'
    found = sorted(_words(topic) & _NEVER)
    return f'called {found[0]}' if found else ''


def _is_hinted(modality: str, topic: str) -> bool:
    hinted = bool(_words(topic) & _HINTS[modality])
    if modality == 'gripper':
        return hinted or 'gripper' in topic.lower() or 'finger' in topic.lower()
    return hinted


def _words(topic: str) -> set[str]:
    return set(re.split('[^a-z0-9]+', topic.lower()))


def _guess(modality: str, available: Mapping[str, str], taken: Container[str]) -> str | None:
    """Return the topic that fits best and is not taken, None if none fits."""
    types = MODALITY_TYPES[modality]
    ranked = []
    for topic, type_name in available.items():
        hinted = _is_hinted(modality, topic)
        if type_name not in types or topic in taken or never_guessed(topic):
            continue
        if modality == 'gripper' and not hinted:
            continue
        order = (types.index(type_name), not hinted)
        # Cameras mostly come raw and compressed; elsewhere the name says more than the type.
        rank = order if modality in ('image', 'sound') else order[::-1]
        ranked.append((rank, len(topic), topic))
    return min(ranked)[2] if ranked else None
