# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The signals of a recording that a timeline shows below its labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.sensors import Sensors
from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.samples import ImageSamples, Samples, SoundSamples, VectorSamples
from m2r2_ros.readers.topics import TopicSpec

#: The quietest sound level that is distinguished, dB below full scale.
FLOOR_DB = -90.0
#: What is drawn as a line.
_SHOWN = ('wrench', 'gripper', 'sound')
#: Longest side of an image that is kept, pixels; they are shown an inch wide.
_SIDE = 1280


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """A number over time: stamps int64 (n,) in nanoseconds, values float64 (n,)."""

    stamps: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signals:
    """Signals of a recording; what it does not have is None or empty.

    Attributes:
        force: Magnitude of the wrench's force, N.
        width: Width of the gripper, m.
        loudness: RMS of each chunk of sound, dB of full scale.
        frames: Stamps and images, uint8 (height, width, 3) RGB, evenly spread.
    """

    force: TimeSeries | None = None
    width: TimeSeries | None = None
    loudness: TimeSeries | None = None
    frames: list[tuple[int, NDArray[np.uint8]]] = field(default_factory=list)


def read_signals(
    path: Path, topics: Mapping[str, TopicSpec] | None = None, *, frames: int = 12
) -> Signals:
    """Read the signals of a recording, and only the images that are shown.

    Args:
        path: Bag or bare file.
        topics: Topics by modality; what is not given is guessed.
        frames: Number of images.

    Raises:
        BagError: The recording cannot be read.
        ConfigError: A given type is not that of the topic.
        MessageError: A modality cannot be read from the type of its topic.
    """
    recording = open_recording(path)
    sensors = Sensors(recording, topics)
    strip = _Strip(recording.start, recording.end, frames)
    traces: dict[str, list[TimeSeries]] = {name: [] for name in _SHOWN}
    for blocks in recording.blocks(sensors.topics):
        for spec, samples in sensors.decode(blocks):
            if isinstance(samples, ImageSamples) and spec.modality == 'image':
                strip.add(samples)
            elif spec.modality in traces:
                traces[spec.modality].append(_trace(samples, spec.modality))
    force, width, loudness = (_joined(traces[name]) for name in ('wrench', 'gripper', 'sound'))
    return Signals(force, width, loudness, strip.frames)


class _Strip:
    """Keeps the first image at or after each of some evenly spread times."""

    def __init__(self, start: int, end: int, count: int) -> None:
        places = (np.arange(count) + 0.5) / count
        self._due = [start + round((end - start) * place) for place in places.tolist()]
        self.frames: list[tuple[int, NDArray[np.uint8]]] = []

    def add(self, samples: ImageSamples) -> None:
        for stamp, frame in zip(samples.stamps.tolist(), samples.frames, strict=True):
            if self._due and stamp >= self._due[0]:
                try:
                    image = frame.decode()
                except MessageError:  # the next one is as good
                    continue
                step = -(-max(image.shape) // _SIDE)
                self.frames.append((stamp, image[::step, ::step].copy() if step > 1 else image))
                self._due = [due for due in self._due if due > stamp]


def _trace(samples: Samples, name: str) -> TimeSeries:
    if isinstance(samples, SoundSamples):
        power = np.array([np.square(chunk, dtype=np.float64).mean() for chunk in samples.chunks])
        return TimeSeries(samples.stamps, 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10))))
    assert isinstance(samples, VectorSamples)
    if name == 'wrench':
        return TimeSeries(samples.stamps, np.linalg.norm(samples.values[:, :3], axis=1))
    return TimeSeries(samples.stamps, samples.values[:, 0])


def _joined(traces: list[TimeSeries]) -> TimeSeries | None:
    if not sum(len(trace.stamps) for trace in traces):
        return None
    return TimeSeries(
        np.concatenate([trace.stamps for trace in traces]),
        np.concatenate([trace.values for trace in traces]),
    )
