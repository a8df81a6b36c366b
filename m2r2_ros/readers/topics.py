# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a modality comes from, and how it is read."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import BUILTIN, SOUND, VECTOR, Modality
from m2r2_ros.core.options import Section
from m2r2_ros.core.time import to_ns
from m2r2_ros.core.units import factor

#: numpy type of one sample in sound data that does not describe itself, by format name.
SOUND_FORMATS: Final = {
    'S8': 'i1', 'U8': 'u1', 'S16LE': '<i2', 'S16BE': '>i2', 'S32LE': '<i4', 'S32BE': '>i4',
    'F32LE': '<f4', 'F32BE': '>f4',
}  # fmt: skip


TRANSFORMS: Final = 'tf2_msgs/msg/TFMessage'
STRING: Final = 'std_msgs/msg/String'
#: What topics may be called, and files are not: those of descriptions have a suffix.
_TOPIC: Final = re.compile(r'/[A-Za-z0-9_/]+')


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
        urdf: The robot's description, for a pose out of joint states: a file, a topic, or the text
            itself, as bundles keep it.
        dims: Numbers of a sample as it is read; 0 takes what the first message has.
        scale: What is read times this, plus `offset`, is in `unit`.
        offset: In `unit`.
        unit: Of the numbers; '' for that of the modality.
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
    unit: str = ''
    rate: int = 0
    channels: int = 1
    format: str = 'S16LE'
    stamp_reference: str = 'start'
    time_offset: float = 0.0

    @property
    def time_offset_ns(self) -> int:
        """Return `time_offset` in nanoseconds."""
        return to_ns(self.time_offset)

    @property
    def convention(self) -> str:
        """The built-in modality that it is like, by name if it does not say; '' for none."""
        return self.like or (self.modality if self.modality in BUILTIN else '')

    @property
    def kind(self) -> str:
        """'image', 'sound' or 'vector'."""
        return BUILTIN[self.convention].kind if self.convention else VECTOR

    def to_entry(self) -> dict[str, Any]:
        """Return what `read_topic` reads: topic, type, and what differs from the defaults."""
        usual = {f.name: f.default for f in fields(self)}
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if key in ('topic', 'type') or (key != 'modality' and value != usual[key])
        }


def topics_of(spec: TopicSpec) -> tuple[str, ...]:
    """Return all topics that a modality is read from, its own first.

    Transforms come on two topics, and a robot's description may come on another one.
    """
    static = (f'{spec.topic}_static',) if spec.type == TRANSFORMS else ()
    return (spec.topic, *static, *([spec.urdf] if is_topic(spec.urdf) else []))


def is_topic(description: str) -> bool:
    """Return whether a robot description is on a topic; files of it have a suffix."""
    return _TOPIC.fullmatch(description) is not None


def read_topic(section: Section, modality: str, like: str = '') -> TopicSpec:
    """Read how a modality is read; entries of a declaration (core.modalities) are left alone.

    Args:
        section: The entries.
        modality: Its name.
        like: The built-in modality that it is one of, where the section does not say.

    Raises:
        ConfigError: An entry is of another kind or out of range.
    """
    name = 'a topic name, or null for off'
    spec = TopicSpec(
        modality,
        section.get('topic', (str, type(None)), expected=name) or '',
        section.text('type', '', expected='a type name such as sensor_msgs/msg/Image'),
        section.text('like', '') or (like if like != modality else ''),
        time_offset=section.number('time_offset', 0.0, expected='a number of seconds'),
    )
    if spec.like and spec.like not in BUILTIN:
        section.refuse('like', f'one of {", ".join(BUILTIN)}', spec.like)
    if section.entries.get('topic', '') == '':
        section.refuse('topic', name, '')
    if spec.kind == SOUND:
        return replace(
            spec,
            rate=section.count('rate', 0, expected='a whole number of samples per second'),
            channels=section.count('channels', 1),
            format=section.choice('format', tuple(SOUND_FORMATS), 'S16LE'),
            stamp_reference=section.choice('stamp_reference', ('start', 'end'), 'start'),
        )
    return _read_vector(section, spec) if spec.kind == VECTOR else spec


def _read_vector(section: Section, spec: TopicSpec) -> TopicSpec:
    """Read what is said of numbers."""
    frames = section.texts('frames', [], expected='two frames, base and tool')
    if len(frames) not in (0, 2):
        section.refuse('frames', 'two frames, base and tool', list(frames))
    if frames and spec.convention != 'pose':
        section.refuse('frames', f'none, since {spec.modality} is no pose', list(frames))
    return replace(
        spec,
        fields=section.texts('fields', [], expected='a list of paths such as position[0:7]'),
        joints=section.texts('joints', [], expected='a list of joint names'),
        names=section.text('names', '', expected='the path of a list of joint names'),
        sum=section.flag('sum', False),
        frames=frames,
        urdf=section.text('urdf', '', expected='a file, or the topic of a robot description'),
        dims=section.count('dims', 0),
        scale=section.number('scale', 1.0),
        offset=section.number('offset', 0.0),
        unit=section.text('unit', '', expected='a unit such as mm'),
    )


def expected_topic(modality: str, entry: Mapping[str, Any]) -> TopicSpec:
    """Return the topic of a training set, as a bundle has it.

    Raises:
        ConfigError: An entry is of another kind or out of range.
    """
    section = Section(entry, f'bundle.yaml: topics.{modality}')
    spec = read_topic(section, modality)
    section.close()
    return spec


def as_trained(spec: TopicSpec, entry: Mapping[str, Any]) -> TopicSpec:
    """Return a spec with the fields and joints of the training set, where it names none itself.

    Args:
        spec: Of another topic, perhaps.
        entry: Of the training set; empty where it is not known.
    """
    if spec.fields or spec.joints or entry.get('type') != spec.type:
        return spec
    usual = expected_topic(spec.modality, entry)
    return replace(spec, fields=usual.fields, joints=usual.joints, names=usual.names)


def fitted(spec: TopicSpec, modality: Modality) -> TopicSpec:
    """Return how a topic is read for a model's modality: in its unit, and as many numbers.

    Raises:
        ConfigError: The topic gives another kind, or a unit that measures something else.
    """
    spec = replace(spec, like=spec.like or modality.like)
    if spec.kind != modality.kind:
        msg = f'{modality.name}: expected {modality.kind}, but the topic map gives {spec.kind}'
        raise ConfigError(msg)
    if modality.kind != VECTOR:
        return spec
    by = factor(spec.unit, modality.unit, modality.name)
    return replace(
        spec,
        dims=modality.read_dims,
        scale=spec.scale * by,
        offset=spec.offset * by,
        unit=modality.unit,
    )
