# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Readers by type name."""

from collections.abc import Sequence
from typing import Protocol

from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.modalities import SOUND, VECTOR
from m2r2_ros.core.samples import Samples
from m2r2_ros.readers import image, sound
from m2r2_ros.readers.definitions import is_known
from m2r2_ros.readers.fields import FieldReader
from m2r2_ros.readers.guessing import MODALITY_TYPES
from m2r2_ros.readers.kinematics import KinematicsReader
from m2r2_ros.readers.topics import TRANSFORMS, TopicSpec
from m2r2_ros.readers.transforms import TransformReader

#: A field that only the AudioData of mgonzs13 has, not that of ros-drivers.
_PORTAUDIO_MARK = 'float32_data'


class Reader(Protocol):
    """Turns the messages of a modality's topics into samples. Make one for each stream.

    Messages without a usable sample are dropped and counted; nothing that a message holds makes
    a reader raise.
    """

    def decode(self, block: MessageBlock) -> Samples:
        """Read CDR messages."""
        ...  # pragma: no cover


def decode_all(reader: Reader, blocks: Sequence[MessageBlock]) -> Samples:
    """Read CDR messages of all topics of a modality (topics.topics_of), a block of each at most."""
    if isinstance(reader, TransformReader | KinematicsReader):
        return reader.decode_together(blocks)
    (block,) = blocks
    return reader.decode(block)


def make_reader(spec: TopicSpec, type_name: str, definition: str = '') -> Reader:
    """Make a reader for a topic.

    Args:
        spec: What the topic is to give.
        type_name: Type of its messages.
        definition: ros2msg text of the type, which tells apart two packages that are both called
            audio_common_msgs; '' trusts the name.

    Raises:
        MessageError: The modality cannot be read from the type.
        ConfigError: The type does not say what it takes to read it, nor does `spec`.
    """
    if spec.kind == VECTOR:
        return _vector_reader(spec, type_name, definition)
    known = MODALITY_TYPES[spec.kind]
    if type_name not in known:
        msg = (
            f'{spec.modality}: topic {spec.topic} is of type {type_name or "unknown"}, from which '
            f'{spec.kind} cannot be read; expected {" or ".join(known)}'
        )
        raise MessageError(msg)
    if spec.kind == SOUND:
        return _sound_reader(spec, type_name, definition)
    if type_name == 'sensor_msgs/msg/Image':
        return image.ImageReader(spec, image.parse_raw)
    return image.ImageReader(spec, image.parse_compressed)


def _vector_reader(spec: TopicSpec, type_name: str, definition: str) -> Reader:
    """Make a reader of numbers: as they are in messages, or as poses that are computed of them."""
    if type_name == TRANSFORMS:
        if not spec.frames:
            msg = (
                f'{spec.modality}: topic {spec.topic} has transforms; name two frames, base and '
                f'tool, in {spec.modality}.frames (m2r2 topics lists those of a recording)'
            )
            raise ConfigError(msg)
        return TransformReader(spec)
    if not definition and not is_known(type_name):
        msg = (
            f'{spec.modality}: topic {spec.topic} is of type {type_name or "unknown"}, which is '
            f'unknown here and came without a definition; record it with ROS 2 Iron or later, or '
            f'as MCAP, which store definitions'
        )
        raise MessageError(msg)
    if spec.frames:
        return KinematicsReader(spec, type_name, definition)
    return FieldReader(spec, type_name, definition)


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
