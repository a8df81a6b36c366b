# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Readers by type name."""

from typing import Protocol

from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import Samples
from m2r2_ros.readers import image, sound
from m2r2_ros.readers.definitions import is_known
from m2r2_ros.readers.fields import FieldReader
from m2r2_ros.readers.topics import MODALITY_TYPES, TopicSpec

#: A field that only the AudioData of mgonzs13 has, not that of ros-drivers.
_PORTAUDIO_MARK = 'float32_data'


class Reader(Protocol):
    """Turns messages of one topic into samples. Make one for each stream.

    Messages without a usable sample are dropped and counted; nothing that a message holds makes
    a reader raise.
    """

    def decode(self, block: MessageBlock) -> Samples:
        """Read CDR messages."""
        ...  # pragma: no cover


def make_reader(spec: TopicSpec, type_name: str, definition: str = '') -> Reader:
    """Make a reader for a topic.

    Args:
        spec: What the topic is to give.
        type_name: Type of its messages.
        definition: ros2msg text of the type, '' for one that is known here. It also tells apart
            two packages that are both called audio_common_msgs.

    Raises:
        MessageError: The modality cannot be read from the type.
        ConfigError: The type does not say what it takes to read it, nor does `spec`; or it does
            not have what `spec` names.
    """
    kind = spec.like or spec.modality
    if kind not in ('image', 'sound'):
        _expect_definition(spec, kind, type_name, definition)
        return FieldReader(spec, type_name, definition)
    if type_name not in MODALITY_TYPES[kind]:
        raise MessageError(_unfit(spec, kind, type_name))
    if kind == 'sound':
        return _sound_reader(spec, type_name, definition)
    if type_name == 'sensor_msgs/msg/Image':
        return image.ImageReader(spec, image.parse_raw)
    return image.ImageReader(spec, image.parse_compressed)


def _expect_definition(spec: TopicSpec, kind: str, type_name: str, definition: str) -> None:
    """Refuse a type of which nothing is known."""
    if definition or is_known(type_name):
        return
    if kind in MODALITY_TYPES:
        raise MessageError(_unfit(spec, kind, type_name))
    msg = (
        f'{spec.modality}: topic {spec.topic} is of type {type_name or "unknown"}, which is '
        f'unknown here and came without a definition; record it with ROS 2 Iron or later, or as '
        f'MCAP, which store definitions'
    )
    raise MessageError(msg)


def _unfit(spec: TopicSpec, kind: str, type_name: str) -> str:
    return (
        f'{spec.modality}: topic {spec.topic} is of type {type_name or "unknown"}, from which '
        f'{kind} cannot be read; expected {" or ".join(MODALITY_TYPES[kind])}'
    )


def _sound_reader(spec: TopicSpec, type_name: str, definition: str) -> Reader:
    """Make a reader for one of the sound types."""
    if type_name == 'foxglove_msgs/msg/RawAudio':
        return sound.foxglove_reader(spec)
    short = type_name.rpartition('/')[2]
    portaudio = _PORTAUDIO_MARK in definition if definition else short == 'AudioStamped'
    if portaudio != (short == 'AudioStamped'):
        msg = (
            f'sound: topic {spec.topic} is of type {type_name}, whose definition is that of '
            f'neither ros-drivers/audio_common nor the AudioStamped of mgonzs13/audio_common'
        )
        raise MessageError(msg)
    if portaudio:
        return sound.portaudio_reader(spec)
    if not spec.rate:
        msg = (
            f'sound: messages of {spec.topic} ({type_name}) do not contain their sample rate; give '
            f'sound.rate (and sound.channels, sound.format) in the topic map, or set sound to null'
        )
        raise ConfigError(msg)
    return sound.plain_reader(spec, stamped=short == 'AudioDataStamped')
