# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Microphones of REASSEMBLE files: MP3 without a stamp, decoded packet by packet."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.reassemble.file import ReassembleFile, library
from m2r2_ros.bags.reassemble.layout import SOUND, MediaTopic
from m2r2_ros.bags.reassemble.stream import loaded, make_topic, serialise, sound_type
from m2r2_ros.bags.source import FilePart, Loaded
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.time import SECOND

#: Packets of a message: 96 ms at 48 kHz, 144 ms at 16 kHz.
_PACKETS: Final = 4
#: Messages of a part: one to two seconds.
_MESSAGES: Final = 10


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is to be decoded.

    Attributes:
        packets: How many.
        seconds: How long they last.
        rate: Samples per second of one channel.
        channels: How many.
    """

    packets: int
    seconds: float
    rate: int
    channels: int


class SoundStream:
    """A topic of sound; see Stream."""

    def __init__(self, file: ReassembleFile, microphone: MediaTopic, start: int) -> None:
        """Count the packets; nothing is decoded.

        Args:
            file: The file, which has the dataset.
            microphone: What the topic is made of.
            start: Time of the first sample, nanoseconds.

        Raises:
            BagError: The dataset is not as the data set describes it.
        """
        self._microphone, self.start = microphone, start
        self.broken = ''
        self.notes: tuple[str, ...] = ()
        self._shape = _Shape(0, 0.0, 1, 1)
        try:
            self._shape = _shape(file.octets(microphone.dataset))
        except library('av').FFmpegError as error:
            self.broken = f'{microphone.dataset} is not an MP3 that can be read: {error}'
            self.notes = (f'{microphone.topic}: {self.broken}',)
        messages = -(-self._shape.packets // _PACKETS)
        self.topic = make_topic(microphone.topic, SOUND, messages)
        before = max(messages - 1, 0) * _PACKETS / max(self._shape.packets, 1)
        samples = round(before * self._shape.seconds * self._shape.rate)
        self.end = start + samples * SECOND // self._shape.rate

    @property
    def seconds(self) -> float:
        """How long the sound is, s."""
        return self._shape.seconds

    def parts(self, file: ReassembleFile) -> Iterator[FilePart]:
        """Yield parts of the sound; it is decoded once, from its beginning."""
        decoder = _Decoder(file.octets(self._microphone.dataset))
        for _ in range(0, self.topic.count, _MESSAGES):
            start = self.start + decoder.played * SECOND // self._shape.rate
            yield FilePart(start, 0, partial(self._load, file, decoder))

    def _load(self, file: ReassembleFile, decoder: '_Decoder') -> Loaded:
        messages = []
        try:
            for samples, sound in decoder.chunks(_MESSAGES):
                time = self.start + samples * SECOND // self._shape.rate
                messages.append((time, self._message(sound, time)))
        except library('av').FFmpegError as error:
            msg = (
                f'{file.path}: {self._microphone.dataset} cannot be decoded after '
                f'{decoder.played / self._shape.rate:.1f} s: {error}; leave {self.topic.name} out '
                '(null in the topic map)'
            )
            raise BagError(msg) from error
        return loaded(self.topic.name, messages)

    def _message(self, sound: NDArray[np.int16], time: int) -> bytes:
        sec, nanosec = divmod(time, SECOND)
        message = sound_type(SOUND)(
            timestamp=sound_type('builtin_interfaces/msg/Time')(sec=sec, nanosec=nanosec),
            data=sound.reshape(-1).astype('<i2').view(np.uint8),
            format='pcm-s16',
            sample_rate=self._shape.rate,
            number_of_channels=self._shape.channels,
        )
        return serialise(SOUND, message)


class _Decoder:
    """Decodes packets in their order.

    Attributes:
        played: Samples of one channel that were decoded.
    """

    def __init__(self, octets: bytes) -> None:
        self.played = 0
        self._packets = _packets(octets)

    def chunks(self, count: int) -> Iterator[tuple[int, NDArray[np.int16]]]:
        """Yield up to `count` chunks (n, channels), with the samples before each."""
        while count and (packets := list(islice(self._packets, _PACKETS))):
            count -= 1
            frames = [_pcm(frame) for packet in packets for frame in packet.decode()]
            before = self.played
            # A file may say that its first packets are but the encoder's delay.
            sound = np.concatenate(frames) if frames else np.zeros((0, 1), np.int16)
            self.played += len(sound)
            yield before, sound


def _packets(octets: bytes) -> Iterator[Any]:
    """Yield the packets of an MP3."""
    av = library('av')
    with av.open(io.BytesIO(octets), format='mp3') as container:
        if not container.streams.audio:
            msg = 'there is no sound in it'
            raise av.InvalidDataError(1, msg)
        yield from (p for p in container.demux(container.streams.audio[0]) if p.size)


def _shape(octets: bytes) -> _Shape:
    """Count packets, from their headers alone."""
    packets, seconds, context = 0, 0.0, None
    for packet in _packets(octets):
        packets += 1
        seconds += float((packet.duration or 0) * packet.time_base)
        context = packet.stream.codec_context
    if context is None or not context.rate or not context.channels:
        msg = 'there is no sound in it'
        raise library('av').InvalidDataError(1, msg)
    return _Shape(packets, seconds, int(context.rate), int(context.channels))


def _pcm(frame: Any) -> NDArray[np.int16]:  # noqa: ANN401 - a frame of PyAV
    """Return a frame as 16-bit samples (n, channels)."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype.kind == 'f':
        samples = np.clip(np.rint(samples * 32768.0), -32768, 32767)
    pcm: NDArray[np.int16] = samples.T.astype(np.int16)
    return pcm
