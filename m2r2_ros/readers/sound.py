# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Microphones. Four message types are in use, two of them from packages of the same name."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import SoundSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.cdr import EMPTY, MALFORMED, RATE_CHANGED, UNSUPPORTED, Fields, Unusable
from m2r2_ros.readers.topics import SOUND_FORMATS, TopicSpec

#: Fields of audio_common_msgs/AudioData of mgonzs13 by PortAudio format constant (portaudio.h).
_PORTAUDIO = {1: 'float32_data', 2: 'int32_data', 8: 'int16_data', 16: 'int8_data',
              32: 'uint8_data'}  # fmt: skip
_PORTAUDIO_KINDS = {'float32_data': 'f4', 'int32_data': 'i4', 'int16_data': 'i2',
                    'int8_data': 'i1', 'uint8_data': 'u1'}  # fmt: skip
_MAX_RATE = 1_000_000
_MAX_CHANNELS = 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """Sound as it came.

    Attributes:
        stamp: Nanoseconds; 0 without one.
        data: Interleaved samples, of the type that the format says.
        channels: How many are interleaved.
        rate: Samples per second of one channel.
    """

    stamp: int
    data: NDArray[np.generic]
    channels: int
    rate: int


class SoundReader:
    """Reads chunks of sound and mixes them down to mono.

    A stream has one rate: that of the spec, or of its first chunk. Chunks of another are dropped.

    Args:
        spec: Gives rate, stamp reference and time offset.
        parse: Takes a chunk from CDR bytes.
    """

    def __init__(
        self,
        spec: TopicSpec,
        parse: Callable[[NDArray[np.uint8]], Chunk],
    ) -> None:
        self._at_end = spec.stamp_reference == 'end'
        self._offset = spec.time_offset_ns
        self._rate = spec.rate
        self._parse = parse

    def decode(self, block: MessageBlock) -> SoundSamples:
        """Read CDR messages."""
        kept, stamps, chunks = [], [], []
        dropped: Counter[str] = Counter()
        for k, log_time in enumerate(block.log_times.tolist()):
            try:
                chunk = self._parse(block.message(k))
                samples = self._mono(chunk)
            except Unusable as unusable:
                dropped[unusable.reason] += 1
                continue
            # A chunk is sent when it is full, so the time of receipt is that of its end.
            end = self._at_end or not chunk.stamp
            length = len(samples) * SECOND // self._rate if end else 0
            stamps.append((chunk.stamp or log_time) - length + self._offset)
            kept.append(k)
            chunks.append(samples)
        which = np.array(kept, np.int64)
        times = np.array(stamps, np.int64)
        return SoundSamples(times, block.arrival[which], chunks, self._rate, dropped)

    def _mono(self, chunk: Chunk) -> NDArray[np.float32]:
        """Check a chunk; return it as float32 (samples,), full scale at +-1."""
        if not len(chunk.data):
            raise Unusable(EMPTY)
        channels = chunk.channels
        if not 0 < chunk.rate <= _MAX_RATE or not 0 < channels <= _MAX_CHANNELS:
            raise Unusable(MALFORMED)
        if len(chunk.data) % channels:
            raise Unusable(MALFORMED)
        if chunk.rate != (self._rate or chunk.rate):
            raise Unusable(RATE_CHANGED)
        self._rate = chunk.rate
        frames = _full_scale(chunk.data).reshape(-1, channels)
        return frames.mean(1, dtype=np.float32) if channels > 1 else frames[:, 0]


def _full_scale(data: NDArray[np.generic]) -> NDArray[np.float32]:
    """Bring samples of any type to +-1."""
    if data.dtype.kind == 'f':
        return data.astype(np.float32)
    half = float(1 << (8 * data.dtype.itemsize - 1))
    middle = half if data.dtype.kind == 'u' else 0.0
    # Exact for up to 24 bits, and of 32 rounded once: the scale is a power of two.
    return (data.astype(np.float32) - np.float32(middle)) / np.float32(half)


def _pcm(data: NDArray[np.uint8], kind: str) -> NDArray[np.generic]:
    """View bytes as samples."""
    if len(data) % np.dtype(kind).itemsize:
        raise Unusable(MALFORMED)
    return np.ascontiguousarray(data).view(kind)


def plain_reader(spec: TopicSpec, stamped: bool) -> SoundReader:
    """Make a reader of ros-drivers audio_common_msgs: AudioData or AudioDataStamped."""
    kind, channels, rate = SOUND_FORMATS[spec.format], spec.channels, spec.rate

    def parse(raw: NDArray[np.uint8]) -> Chunk:
        fields = Fields(raw)
        stamp = 0
        if stamped:
            stamp = fields.stamp()
            fields.string()
        data = fields.numbers('u1').astype(np.uint8, copy=False)
        fields.finish()
        return Chunk(stamp, _pcm(data, kind), channels, rate)

    return SoundReader(spec, parse)


def portaudio_reader(spec: TopicSpec) -> SoundReader:
    """Make a reader of mgonzs13 audio_common_msgs: AudioStamped."""

    def parse(raw: NDArray[np.uint8]) -> Chunk:
        fields = Fields(raw)
        stamp = fields.stamp()
        fields.string()
        data = {name: fields.numbers(kind) for name, kind in _PORTAUDIO_KINDS.items()}
        code, channels, rate = (fields.number('i') for _ in range(3))
        fields.number('i')
        fields.finish()
        return Chunk(stamp, data[_portaudio_field(code)], channels, rate)

    return SoundReader(spec, parse)


def _portaudio_field(code: int) -> str:
    if code not in _PORTAUDIO:
        raise Unusable(UNSUPPORTED)
    return _PORTAUDIO[code]


def foxglove_reader(spec: TopicSpec) -> SoundReader:
    """Make a reader of foxglove_msgs/RawAudio; newer versions of it have more fields at the end."""

    def parse(raw: NDArray[np.uint8]) -> Chunk:
        fields = Fields(raw)
        stamp = fields.stamp()
        data = fields.numbers('u1').astype(np.uint8, copy=False)
        encoding, rate, channels = fields.string(), fields.number('I'), fields.number('I')
        if encoding != 'pcm-s16':
            raise Unusable(UNSUPPORTED)
        return Chunk(stamp, _pcm(data, '<i2'), channels, rate)

    return SoundReader(spec, parse)
