# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sound of a range of a recording, as a WAV file."""

import struct
from dataclasses import replace
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import Recording
from m2r2_ros.bags.source import Span
from m2r2_ros.core.samples import SoundSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec

#: How much log time less stamp may differ from what is usual, nanoseconds.
_SLACK: Final = 2 * SECOND
#: Longest chunk, nanoseconds.
_LONGEST: Final = 60 * SECOND
#: Chunks follow each other without a gap where their stamps say so up to this, seconds.
_JITTER: Final = 0.02
#: Samples that are written at most.
_MOST: Final = 1 << 25
_FULL: Final = 1 << 15


class Sound:
    """The sound of one microphone."""

    def __init__(self, recording: Recording, spec: TopicSpec) -> None:
        """Read nothing yet.

        Args:
            recording: The recording.
            spec: How its topic is read.

        Raises:
            MessageError: Sound cannot be read from the type of the topic.
            ConfigError: The messages do not say their sample rate, nor does the spec.
        """
        self._recording, self._spec = recording, spec
        self._topic = recording.topics[spec.topic]
        make_reader(spec, self._topic.type_name, self._topic.definition)
        self._lags: tuple[int, int] | None = None
        self._lock = Lock()

    def wav(self, start: int, end: int) -> bytes | None:
        """Return what was heard from start to end, 16 bits, mono; None where there is no sound.

        Where a chunk is missing there is silence.

        Args:
            start: Stamp of the first sample, nanoseconds.
            end: Where it ends, nanoseconds.

        Raises:
            BagError: The recording cannot be read.
        """
        with self._lock:
            if self._lags is None:
                self._lags = self._learn()
        low, high = self._lags
        if high < low:
            return None
        span = Span(max(start + low - _SLACK, 0), end + high + _SLACK)
        length = (end - start) * self._spec.rate // SECOND
        if length > _MOST:
            return None
        samples = np.zeros(length, np.float32)
        if not self._fill(samples, start, span):
            return None
        pcm = np.clip(np.rint(samples * _FULL), -_FULL, _FULL - 1).astype('<i2')
        return _header(self._spec.rate, 2 * len(pcm)) + pcm.tobytes()

    def _fill(self, samples: NDArray[np.float32], start: int, span: Span) -> bool:
        """Put chunks where their stamps say; returns whether any lies there."""
        track = _Track(samples, start)
        reader = make_reader(self._spec, self._topic.type_name, self._topic.definition)
        for blocks in self._recording.blocks([self._topic.name], span):
            for block in blocks:
                found = reader.decode(block)
                assert isinstance(found, SoundSamples)
                track.add(found)
        return track.filled

    def _learn(self) -> tuple[int, int]:
        """Return the least and the most log time less stamp of any sample; 0, -1 without sound.

        The rate of the first chunk is that of all.
        """
        reader = make_reader(self._spec, self._topic.type_name, self._topic.definition)
        for blocks in self._recording.blocks([self._topic.name]):
            for block in blocks:
                samples = reader.decode(block)
                assert isinstance(samples, SoundSamples)
                if not samples.chunks:
                    continue
                self._spec = replace(self._spec, rate=samples.rate)
                logged = block.log_times[np.isin(block.arrival, samples.arrival)]
                lengths = np.array([len(c) for c in samples.chunks]) * SECOND // samples.rate
                usual = int(np.median(logged - samples.stamps))
                longest = min(int(lengths.max()), _LONGEST)
                return usual - longest, usual + longest
        return 0, -1


class _Track:
    """Samples that are filled from chunks.

    Attributes:
        filled: Some of them are.
    """

    def __init__(self, samples: NDArray[np.float32], start: int) -> None:
        """Fill nothing yet.

        Args:
            samples: Zeros.
            start: Stamp of the first, nanoseconds.
        """
        self.filled = False
        self._samples, self._start = samples, start
        self._due: int | None = None

    def add(self, found: SoundSamples) -> None:
        """Put chunks where their stamps say, without a gap where that is as good."""
        for stamp, chunk in zip(found.stamps.tolist(), found.chunks, strict=True):
            at = round((stamp - self._start) * found.rate / SECOND)
            if self._due is not None and abs(at - self._due) <= _JITTER * found.rate:
                at = self._due
            self._due = at + len(chunk)
            low, high = max(at, 0), min(self._due, len(self._samples))
            if low < high:
                self._samples[low:high] = chunk[low - at : high - at]
                self.filled = True


def _header(rate: int, size: int) -> bytes:
    """Return what is in front of the samples of a WAV file."""
    return struct.pack(
        '<4sI4s4sIHHIIHH4sI',
        b'RIFF', 36 + size, b'WAVE', b'fmt ', 16, 1, 1, rate, 2 * rate, 2, 16, b'data', size,
    )  # fmt: skip
