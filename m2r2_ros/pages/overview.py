# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recording as a page shows it, out of one pass over its messages."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.clock import RecordingClock, clock_of
from m2r2_ros.bags.recording import Recording
from m2r2_ros.bags.sensors import Sensors
from m2r2_ros.bags.source import Span
from m2r2_ros.core.samples import ImageSamples, Samples, SoundSamples, VectorSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.pages.container import Container
from m2r2_ros.pages.events import events_of
from m2r2_ros.pages.plots import Plot, channels_of, plots_of
from m2r2_ros.pages.series import Series, pack_samples
from m2r2_ros.pages.spectrum import Spectrum, loudness
from m2r2_ros.pages.thumbs import Thumbs
from m2r2_ros.readers.topics import TopicSpec

#: Longest time of which all samples are given at once, s.
MOST_SECONDS: Final = 20.0
#: Seconds of sound that one loudness is of, in an overview and in a stretch.
_LOUD: Final = 0.01
#: Samples may be stamped so much before they are logged, or after, nanoseconds.
_SKEW: Final = SECOND


class Overview:
    """Takes a recording in part by part; what has been read can be had at any time.

    Memory does not grow with the length of the recording.
    """

    def __init__(
        self,
        recording: Recording,
        topics: Mapping[str, TopicSpec] | None = None,
        *,
        around: Sequence[float] | None = None,
    ) -> None:
        """Find the sensors.

        Args:
            recording: The recording.
            topics: Topics by modality; what is not given is guessed.
            around: Seconds from the start about which samples and images are kept; None keeps no
                samples, for a page that can ask for them.

        Raises:
            ConfigError: A topic that was given is of another type.
            MessageError: A topic that was given cannot be read.
        """
        self.progress = 0.0
        self._recording, self._around = recording, around
        self._sensors = Sensors(recording, topics)
        self._clock = clock_of(recording)
        self._duration = duration_of(self._clock)
        self._series: dict[str, Series] = {}
        self._plots: dict[str, list[Plot]] = {}
        self._spectra: dict[str, Spectrum] = {}
        self._thumbs = {
            name: Thumbs(self._clock.start, self._duration, around or ())
            for name, spec in self._sensors.specs.items()
            if spec.kind == 'image'
        }

    @property
    def problems(self) -> Mapping[str, str]:
        """Why sensors cannot be shown, by name."""
        return self._sensors.problems

    def read(self) -> Iterator[float]:
        """Read the recording; yields the share that is done.

        Raises:
            BagError: It is corrupt.
        """
        length = max(self._recording.end - self._recording.start, 1)
        for blocks in self._recording.blocks(self._sensors.topics):
            for spec, samples in self._sensors.decode(blocks):
                self._add(spec, samples)
            newest = max(int(block.log_times[-1]) for block in blocks)
            self.progress = min((newest - self._recording.start) / length, 0.999)
            yield self.progress
        self.progress = 1.0
        yield self.progress

    def pack(self, out: Container) -> dict[str, Any]:
        """Return signals, cameras, spectrogram and events, as a page has them."""
        signals = [
            {
                'id': plot.id,
                'title': plot.title,
                'topic': self._sensors.specs[name].topic,
                'unit': plot.unit,
                **self._series[name].pack(plot.columns, plot.names, out),
            }
            for name, plots in self._plots.items()
            for plot in plots
        ]
        cameras = [
            {'id': name, 'topic': self._sensors.specs[name].topic, **thumbs.pack(out)}
            for name, thumbs in self._thumbs.items()
        ]
        spectra = [s.pack(self._sensors.specs[n].topic, out) for n, s in self._spectra.items()]
        return {
            'progress': self.progress,
            'signals': signals,
            'cameras': cameras,
            'spectrogram': next(filter(None, spectra), None),
            'events': self._events(),
        }

    def _add(self, spec: TopicSpec, samples: Samples) -> None:
        name = spec.modality
        if isinstance(samples, ImageSamples):
            self._thumbs[name].add(samples)
        elif isinstance(samples, SoundSamples):
            spectrum = self._spectra.get(name) or Spectrum(self._duration, self._clock.start)
            self._spectra[name] = spectrum
            spectrum.add(samples)
            stamps, levels = loudness(samples, _LOUD)
            self._add_numbers(spec, stamps, levels[:, None], 1 / _LOUD)
        elif len(samples.stamps):
            count = self._recording.topics[spec.topic].count
            rate = count / max(self._duration, 1e-3)
            self._add_numbers(spec, samples.stamps, channels_of(spec, samples.values), rate)

    def _add_numbers(
        self,
        spec: TopicSpec,
        stamps: NDArray[np.int64],
        values: NDArray[np.float64],
        rate: float,
    ) -> None:
        name = spec.modality
        if name not in self._series:
            self._series[name] = Series(values.shape[1], self._duration, rate, self._around)
            self._plots[name] = plots_of(spec, values.shape[1])
        self._series[name].add((stamps - self._clock.start) / SECOND, values)

    def _events(self) -> list[dict[str, Any]]:
        """Return where a boundary may be put, by the first sensor of each kind."""
        events: list[dict[str, Any]] = []
        for kind, like in (('gripper', 'gripper'), ('velocity', 'twist'), ('force', 'wrench')):
            names = (n for n in self._series if self._sensors.specs[n].convention == like)
            if (name := next(names, None)) is not None:
                series = self._series[name]
                # The last channel is the width, or the size of the vector.
                events += events_of(kind, series.highs[-1], series.width)
        return sorted(events, key=lambda event: event['t'])


def duration_of(clock: RecordingClock) -> float:
    """Return how long a recording is, s."""
    return max(clock.end - clock.start, 0) / SECOND


def stretch(
    recording: Recording, topics: Mapping[str, TopicSpec] | None, start: float, end: float
) -> bytes:
    """Return all samples of a short time, as a container; images are left out.

    Args:
        recording: The recording, of which only this time is read.
        topics: Topics by modality; what is not given is guessed.
        start: Seconds from its start.
        end: Likewise; MOST_SECONDS later at most.

    Raises:
        M2R2Error: It cannot be read.
    """
    end = min(end, start + MOST_SECONDS)
    sensors = Sensors(recording, topics, ('sound', 'vector'))
    clock = clock_of(recording)
    moved = recording.start - clock.start
    first, last = (clock.start + round(t * SECOND) for t in (start, end))
    span = Span(first + moved - _SKEW, last + moved + _SKEW)
    times: dict[str, list[NDArray[np.int64]]] = {}
    numbers: dict[str, list[NDArray[np.float64]]] = {}
    for blocks in recording.blocks(sensors.topics, span):
        for spec, samples in sensors.decode(blocks):
            stamps, values = _numbers(spec, samples)
            inside = (stamps >= first) & (stamps < last)
            times.setdefault(spec.modality, []).append(stamps[inside])
            numbers.setdefault(spec.modality, []).append(values[inside])
    out = Container()
    signals = []
    for name, parts in times.items():
        stamps, values = np.concatenate(parts), np.concatenate(numbers[name])
        order = np.argsort(stamps, kind='stable')
        seconds = (stamps[order] - clock.start) / SECOND
        for plot in plots_of(sensors.specs[name], values.shape[1]):
            own = values[order][:, list(plot.columns)]
            signals.append({'id': plot.id, **pack_samples(seconds, own, out)})
    return out.pack({'signals': signals})


def _numbers(spec: TopicSpec, samples: Samples) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    if isinstance(samples, SoundSamples):
        stamps, levels = loudness(samples, _LOUD)
        return stamps, levels[:, None]
    assert isinstance(samples, VectorSamples)
    return samples.stamps, channels_of(spec, samples.values)
