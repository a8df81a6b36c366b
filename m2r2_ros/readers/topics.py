# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topic gives which modality: from a YAML file, and guessed where it is silent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.core.options import Section
from m2r2_ros.core.time import to_ns

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
    'pose': ('geometry_msgs/msg/PoseStamped', 'geometry_msgs/msg/TransformStamped'),
    'twist': ('geometry_msgs/msg/TwistStamped', 'geometry_msgs/msg/Twist'),
    'gripper': (
        'sensor_msgs/msg/JointState',
        'std_msgs/msg/Float64',
        'std_msgs/msg/Float32',
    ),
}  # fmt: skip
#: numpy type of one sample in sound data that does not describe itself, by format name.
SOUND_FORMATS: Final = {
    'S8': 'i1', 'U8': 'u1', 'S16LE': '<i2', 'S16BE': '>i2', 'S32LE': '<i4', 'S32BE': '>i4',
    'F32LE': '<f4', 'F32BE': '>f4',
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """Where a modality comes from and how it is read.

    Attributes:
        modality: Name of the modality.
        topic: Topic name; '' switches the modality off.
        type: Type name; '' takes it from the recording or the publisher.
        like: The built-in modality that it is one of, such as 'wrench' for 'left_wrench'; '' for a
            vector of its own.
        fields: Paths of the numbers of a vector, such as 'position[0:7]' or 'wrench.force.z'; ()
            takes those that are usual for the type.
        joints: Joints that are taken, by name, in this order; () takes all.
        names: Path of the list of joint names; '' takes the usual one of the type.
        sum: Whether the numbers are added up to one, as the widths of two fingers are.
        frames: Base and tool, where a pose comes out of transforms or joint states; () otherwise.
        urdf: File, or topic, of the robot's description, for a pose out of joint states.
        dims: Numbers of a sample as it is read; 0 takes what the first message has.
        scale: What is read times this, plus `offset`, is in the unit of the modality.
        offset: In the unit of the modality.
        rate: Samples per second of sound whose messages do not contain it; 0 if they do.
        channels: Interleaved channels of such sound.
        format: Sample format of such sound, one of SOUND_FORMATS.
        stamp_reference: Whether a stamp is the time of a chunk's 'start' or its 'end'.
        time_offset: Seconds added to all stamps, for devices whose clock is off.
    """

    modality: str
    topic: str
    type: str = ''
    like: str = ''
    fields: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    names: str = ''
    sum: bool = False
    frames: tuple[str, ...] = ()
    urdf: str = ''
    dims: int = 0
    scale: float = 1.0
    offset: float = 0.0
    rate: int = 0
    channels: int = 1
    format: str = 'S16LE'
    stamp_reference: str = 'start'
    time_offset: float = 0.0

    @property
    def time_offset_ns(self) -> int:
        """Return `time_offset` in nanoseconds."""
        return to_ns(self.time_offset)


def load_topics(path: Path) -> dict[str, TopicSpec]:
    """Read a topic map: each modality a topic name, null for off, or a mapping of fields.

    Raises:
        ConfigError: The file cannot be read, or a field is unknown or of the wrong kind.
    """
    root = Section.read(path, f'a mapping of {", ".join(MODALITIES)}')
    given = [m for m in MODALITIES if root.has(m)]
    root.close()
    return {m: _spec(root, m) for m in given}


def _spec(root: Section, modality: str) -> TopicSpec:
    """Check one entry."""
    value = root.entries[modality]
    section = root.part(modality, value if isinstance(value, dict) else {'topic': value})
    topic = 'a topic name, or null for off'
    spec = TopicSpec(
        modality,
        section.get('topic', (str, type(None)), expected=topic) or '',
        section.text('type', '', expected='a type name such as sensor_msgs/msg/Image'),
        time_offset=section.number('time_offset', 0.0, expected='a number of seconds'),
    )
    if modality == 'gripper':
        spec = replace(
            spec,
            joints=section.texts('joints', [], expected='a list of joint names'),
            scale=section.number('scale', 1.0),
            offset=section.number('offset', 0.0, expected='a number of metres'),
        )
    if modality == 'sound':
        spec = replace(
            spec,
            rate=section.count('rate', 0, expected='a whole number of samples per second'),
            channels=section.count('channels', 1),
            format=section.choice('format', tuple(SOUND_FORMATS), 'S16LE'),
            stamp_reference=section.choice('stamp_reference', ('start', 'end'), 'start'),
        )
    section.close()
    if section.entries.get('topic', '') == '':
        section.refuse('topic', topic, '')
    return spec


#: Parts of names that speak for a topic.
_HINTS: Final[dict[str, frozenset[str]]] = {
    'image': frozenset({'color', 'colour', 'rgb', 'wrist', 'hand'}),
    'sound': frozenset({'audio', 'mic', 'microphone', 'sound'}),
    'wrench': frozenset({'ft', 'wrench', 'external', 'force', 'torque'}),
    'pose': frozenset({'current', 'tcp', 'ee', 'eef', 'effector', 'tool', 'tool0'}),
    'twist': frozenset({'current', 'tcp', 'ee', 'eef', 'effector', 'tool', 'tool0', 'twist'}),
    'gripper': frozenset({'gripper', 'finger', 'fingers', 'hand'}),
}
#: Parts of the names of commands, of images that show no scene, and of ground truth.
_NEVER: Final = frozenset(
    {'desired', 'target', 'command', 'commanded', 'cmd', 'goal', 'reference', 'references',
     'setpoint',
     'initialpose', 'visualizer', 'depth', 'compresseddepth', 'infra', 'infra1', 'infra2', 'mask'}
)  # fmt: skip
_LABEL_TOPICS: Final = frozenset({'action_label', 'action_segment', 'label_set'})


def guess_topics(
    available: Mapping[str, str], given: Mapping[str, TopicSpec]
) -> dict[str, TopicSpec]:
    """Choose the topic of each modality.

    What is given stays, its type filled in; modalities given without a topic are off. The others
    take the topic whose type fits and whose name speaks for it most; shorter names first, then
    the alphabet. A gripper has to be called one, since joint states are mostly those of the arm.

    Args:
        available: Types by topic name.
        given: Specs by modality.

    Returns:
        Specs by modality, in the order of MODALITIES; modalities without a topic are not in it.

    Raises:
        ConfigError: A given type is not that of the topic.
    """
    chosen = {}
    for modality in MODALITIES:
        spec = given.get(modality)
        if spec is None:
            topic = _guess(modality, available)
            if topic:
                chosen[modality] = TopicSpec(modality, topic, available[topic])
        elif spec.topic:
            found = available.get(spec.topic, '')
            if spec.type and found and found != spec.type:
                msg = (
                    f'{modality}: topic {spec.topic} is of type {found}, not {spec.type}; correct '
                    f'{modality}.type or leave it out'
                )
                raise ConfigError(msg)
            chosen[modality] = replace(spec, type=spec.type or found)
    return chosen


def _guess(modality: str, available: Mapping[str, str]) -> str | None:
    """Return the topic that fits best, None if none fits."""
    types = MODALITY_TYPES[modality]
    ranked = []
    for topic, type_name in available.items():
        words = set(re.split('[^a-z0-9]+', topic.lower()))
        hinted = bool(words & _HINTS[modality])
        if modality == 'gripper':
            hinted = hinted or 'gripper' in topic.lower() or 'finger' in topic.lower()
        if (
            type_name not in types
            or words & _NEVER
            or topic.startswith('/ground_truth')
            or topic.rpartition('/')[2] in _LABEL_TOPICS
            or (modality == 'gripper' and not hinted)
        ):
            continue
        order = (types.index(type_name), not hinted)
        # Cameras mostly come raw and compressed; elsewhere the name says more than the type.
        rank = order if modality in ('image', 'sound') else order[::-1]
        ranked.append((rank, len(topic), topic))
    return min(ranked)[2] if ranked else None
