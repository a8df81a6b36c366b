# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The samples of message objects, computed one message after the other: what readers must give."""

from collections import Counter
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import EncodedImage, ImageSamples, Samples, SoundSamples, VectorSamples
from m2r2_ros.readers.image import PIXEL_BYTES, decode_compressed
from m2r2_ros.readers.topics import SOUND_FORMATS, TopicSpec

#: Where the numbers are, by the name of the type.
NUMBERS: Final = {
    'Wrench': ('force.x', 'force.y', 'force.z', 'torque.x', 'torque.y', 'torque.z'),
    'Twist': ('linear.x', 'linear.y', 'linear.z', 'angular.x', 'angular.y', 'angular.z'),
    'Pose': (
        *('position.x', 'position.y', 'position.z'),
        *('orientation.x', 'orientation.y', 'orientation.z', 'orientation.w'),
    ),
    'Transform': (
        *('translation.x', 'translation.y', 'translation.z'),
        *('rotation.x', 'rotation.y', 'rotation.z', 'rotation.w'),
    ),
    'Float32': ('data',),
    'Float64': ('data',),
}
#: Constants of portaudio.h, the field for each, and the value of full scale and of silence in it.
PORTAUDIO: Final = {
    1: ('float32_data', 1, 0),
    2: ('int32_data', 2**31, 0),
    8: ('int16_data', 2**15, 0),
    16: ('int8_data', 2**7, 0),
    32: ('uint8_data', 2**7, 2**7),
}


class Dropped(Exception):  # noqa: N818 - not an error, only counted
    """There is no sample in a message; the argument says why."""


def samples_of(
    spec: TopicSpec, type_name: str, messages: Sequence[Any], block: MessageBlock
) -> Samples:
    """Return what a reader has to make of messages whose bytes are in `block`."""
    name = type_name.rpartition('/')[2]
    if spec.modality == 'image':
        return images(spec, messages, block)
    if spec.modality == 'sound':
        return sound(spec, name, messages, block)
    take = joint_sum if name == 'JointState' else numbers
    kept, rows, dropped = usable(messages, lambda message: take(spec, name, message))
    width = 1 if name == 'JointState' else len(NUMBERS[name.replace('Stamped', '')])
    values = np.array(rows, np.float64).reshape(-1, width) * spec.scale + spec.offset
    return VectorSamples(stamps(spec, messages, block, kept), block.arrival[kept], values, dropped)


def usable(
    messages: Sequence[Any], take: Callable[[Any], Any]
) -> tuple[list[int], list[Any], Counter[str]]:
    """Return which messages hold a sample, the samples, and why the others do not."""
    kept, found, dropped = [], [], Counter[str]()
    for k, message in enumerate(messages):
        try:
            found.append(take(message))
            kept.append(k)
        except Dropped as reason:
            dropped[str(reason)] += 1
    return kept, found, dropped


def stamp_of(message: Any) -> int:
    """Return nanoseconds, 0 without a stamp."""
    if hasattr(message, 'timestamp'):
        stamp = message.timestamp
    elif hasattr(message, 'header'):
        stamp = message.header.stamp
    else:
        return 0
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def stamps(
    spec: TopicSpec, messages: Sequence[Any], block: MessageBlock, kept: Sequence[int]
) -> NDArray[np.int64]:
    """Return the stamps, log times where there are none, less the error of the clock."""
    found = [stamp_of(messages[k]) or int(block.log_times[k]) for k in kept]
    return np.array([stamp + spec.time_offset_ns for stamp in found], np.int64)


def numbers(spec: TopicSpec, name: str, message: Any) -> list[float]:
    """Return the numbers of a geometry message, or the one of a std_msgs."""
    inner = name.replace('Stamped', '')
    body = getattr(message, inner.lower()) if 'Stamped' in name else message
    return [float(attrgetter(path)(body)) for path in NUMBERS[inner]]


def joint_sum(spec: TopicSpec, name: str, message: Any) -> float:
    """Return the sum of the positions of the chosen joints."""
    names = list(message.name)
    chosen = spec.joints or names
    if not chosen or not set(chosen) <= set(names):
        raise Dropped('joint_missing')
    if len(message.position) != len(names):
        raise Dropped('malformed')
    return sum(float(message.position[names.index(joint)]) for joint in chosen)


def images(spec: TopicSpec, messages: Sequence[Any], block: MessageBlock) -> ImageSamples:
    """Return images, encoded as they are."""
    kept, payloads, dropped = usable(messages, image_payload)
    frames = [EncodedImage(payload, decode_compressed) for payload in payloads]
    return ImageSamples(stamps(spec, messages, block, kept), block.arrival[kept], frames, dropped)


def image_payload(message: Any) -> bytes:
    """Return the bytes of an image, less what follows the last row."""
    data = bytes(message.data)
    if hasattr(message, 'format'):
        if not {'jpeg', 'png'} & set(message.format.replace(';', '').split()):
            raise Dropped('unsupported_encoding')
        size = 1
    else:
        if message.encoding not in PIXEL_BYTES:
            raise Dropped('unsupported_encoding')
        size = message.height * message.step
        if not size or message.step < message.width * PIXEL_BYTES[message.encoding]:
            raise Dropped('malformed')
    if len(data) < size:
        raise Dropped('malformed')
    return data if hasattr(message, 'format') else data[:size]


def sound(spec: TopicSpec, name: str, messages: Sequence[Any], block: MessageBlock) -> SoundSamples:
    """Return chunks mixed down to mono; the first usable one determines the rate."""
    rate = spec.rate

    def take(message: Any) -> NDArray[np.float32]:
        nonlocal rate
        interleaved, channels, its_rate = chunk(spec, name, message)
        if not len(interleaved):
            raise Dropped('empty')
        if channels < 1 or its_rate < 1 or len(interleaved) % channels:
            raise Dropped('malformed')
        if its_rate != (rate or its_rate):
            raise Dropped('rate_changed')
        rate = its_rate
        return interleaved.astype(np.float32).reshape(-1, channels).mean(1, dtype=np.float32)

    kept, chunks, dropped = usable(messages, take)
    times = stamps(spec, messages, block, kept)
    for k, (message, mono) in enumerate(zip([messages[k] for k in kept], chunks, strict=True)):
        if spec.stamp_reference == 'end' or not stamp_of(message):
            times[k] -= len(mono) * 10**9 // rate
    return SoundSamples(times, block.arrival[kept], chunks, rate, dropped)


def chunk(spec: TopicSpec, name: str, message: Any) -> tuple[NDArray[np.float64], int, int]:
    """Return interleaved samples at full scale 1, channels and rate."""
    if name == 'AudioStamped':
        info = message.audio.info
        if info.format not in PORTAUDIO:
            raise Dropped('unsupported_encoding')
        field, full, silence = PORTAUDIO[info.format]
        data = np.asarray(getattr(message.audio.audio_data, field), np.float64)
        return (data - silence) / full, info.channels, info.rate
    plain = message.audio if name == 'AudioDataStamped' else message
    kind = np.dtype('<i2' if name == 'RawAudio' else SOUND_FORMATS[spec.format])
    data = np.frombuffer(bytes(plain.data), kind).astype(np.float64)
    full = 1 if kind.kind == 'f' else 2 ** (8 * kind.itemsize - 1)
    silence = full if kind.kind == 'u' else 0
    if name == 'RawAudio':
        return data / full, message.number_of_channels, message.sample_rate
    return (data - silence) / full, spec.channels, spec.rate
