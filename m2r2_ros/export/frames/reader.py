# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recording as frames at one rate, in one pass and in memory that does not grow with it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.modalities import BUILTIN
from m2r2_ros.core.samples import ImageSamples, SoundSamples, VectorSamples
from m2r2_ros.core.time import SECOND, to_ns
from m2r2_ros.export.frames.rows import FrameRows
from m2r2_ros.export.frames.sensors import ACTION, Chosen
from m2r2_ros.export.frames.tracks import ImageTrack, VectorTrack
from m2r2_ros.readers.registry import Reader, decode_all, make_reader
from m2r2_ros.readers.topics import topics_of
from m2r2_ros.windows.gate import TimeGate
from m2r2_ros.windows.ticks import CameraClock, FixedClock, FrameClock

_Numbers = VectorSamples | ImageSamples
#: A frame waits so long, in data time, for sensors that have not passed it, nanoseconds.
_PATIENCE: Final = 2 * SECOND
#: A stamp so far ahead of the others is not believed until most sensors agree, nanoseconds.
_MAX_GAP: Final = 10 * SECOND
#: Frames at once.
_MOST_FRAMES: Final = 256
#: Seconds that numbers of a kind that is not known are joined by a line over.
_USUAL_AGE: Final = 0.2


class FrameReader:
    """Iterates over the frames of a recording.

    Frames are at the images of the first camera, thinned to the rate, and go on at the rate with
    the last image while that camera is silent; without a camera they are at whole multiples of the
    period. Numbers are interpolated to the stamps of frames.

    Attributes:
        counters: What was held, left out or dropped, by '<name>.<reason>'.
        progress: Share of the recording that has been read.
    """

    def __init__(self, recording: Recording, chosen: Chosen, fps: int) -> None:
        """Make readers.

        Args:
            recording: The recording.
            chosen: Its topics.
            fps: Frames per second.

        Raises:
            M2R2Error: A topic cannot be read.
        """
        self.counters: Counter[str] = Counter()
        self.progress = 0.0
        self._recording, self._chosen = recording, chosen
        self._specs = chosen.specs
        self._names = list(self._specs)
        self._period = Fraction(SECOND, fps)
        self._readers: dict[str, Reader] = {}
        for name, spec in self._specs.items():
            topic = recording.topics[spec.topic]
            self._readers[name] = make_reader(spec, topic.type_name, topic.definition)
        self._gate = TimeGate(len(self._names), _MAX_GAP)
        self._begun = False
        self._restart()

    def __iter__(self) -> Iterator[FrameRows]:
        """Yield frames in runs.

        Raises:
            BagError: The recording is corrupt, or has nothing at all of one of the sensors.
        """
        topics = {topic for spec in self._specs.values() for topic in topics_of(spec)}
        length = max(self._recording.end - self._recording.start, 1)
        for blocks in self._recording.blocks(topics):
            yield from self._take(self._decoded(blocks))
            newest = max(int(block.log_times[-1]) for block in blocks)
            self.progress = min((newest - self._recording.start) / length, 1.0)
        yield from self._due(final=True)
        self._count()
        self.progress = 1.0
        if lacking := [name for name in self._names if not self.counters[f'{name}.samples']]:
            msg = (
                f'{self._recording.path}: topic {self._specs[lacking[0]].topic} holds no usable '
                f'{lacking[0]}; switch {lacking[0]} off with --topics to export the others'
            )
            raise BagError(msg)

    def _decoded(self, blocks: Sequence[MessageBlock]) -> dict[str, _Numbers]:
        """Return the samples in messages by name, images and numbers alike."""
        found: dict[str, _Numbers] = {}
        for name, spec in self._specs.items():
            if own := [block for block in blocks if block.topic in topics_of(spec)]:
                samples = decode_all(self._readers[name], own)
                assert not isinstance(samples, SoundSamples)
                for reason, count in samples.dropped.items():
                    self.counters[f'{name}.{reason}'] += count
                found[name] = samples
        return found

    def _take(self, found: Mapping[str, _Numbers]) -> Iterator[FrameRows]:
        """Take samples that came after all before; yields the frames that they complete."""
        stamps = np.concatenate([np.empty(0, np.int64), *(s.stamps for s in found.values())])
        if not len(stamps):
            return
        counts = [len(samples.stamps) for samples in found.values()]
        streams = np.repeat([self._names.index(name) for name in found], counts)
        rows = np.concatenate([np.arange(count) for count in counts])
        order = np.argsort(np.concatenate([s.arrival for s in found.values()]), kind='stable')
        verdict = self._gate.admit(stamps[order], streams[order])
        for (stream, reason), count in verdict.dropped.items():
            self.counters[f'{self._names[stream]}.{reason}'] += count
        # What lies on both sides of a jump of the clock is not to be joined by lines.
        for start, end in pairwise([0, *verdict.resets, len(order)]):
            if start in verdict.resets:
                yield from self._due(final=True)
                self._count()
                self._restart()
                self.counters['clock.jumps'] += 1
            kept = order[start:end][verdict.accepted[start:end]]
            for name, samples in found.items():
                self._add(name, samples, rows[kept[streams[kept] == self._names.index(name)]])
            if len(kept):
                self._now = int(verdict.clock[end - 1])
        yield from self._due(final=False)

    def _add(self, name: str, samples: _Numbers, which: NDArray[np.int64]) -> None:
        """Put samples of one sensor where frames look for them."""
        self.counters[f'{name}.samples'] += len(which)
        stamps = samples.stamps[which]
        if isinstance(samples, VectorSamples):
            self._vectors[name].add(stamps, samples.values[which])
        else:
            self._images[name].add(stamps, [samples.frames[k] for k in which.tolist()])
        if not len(which):
            return
        if isinstance(self._clock, FixedClock):
            if not self._begun:
                self._clock.begin(int(stamps[0]))
                self._begun = True
        elif name == self._names[0]:
            if not self._begun:
                self._clock.begin(int(stamps[0]) - 1)
                self._begun = True
            for stamp in stamps.tolist():
                self._clock.see(stamp, stamp)

    def _due(self, *, final: bool) -> Iterator[FrameRows]:
        """Yield the frames that nothing will be added to."""
        if not self._begun:
            self._forget(self._now - _PATIENCE)
            return
        tracks: list[VectorTrack | ImageTrack] = [*self._vectors.values(), *self._images.values()]
        newest = [track.newest for track in tracks]
        passed = min((t for t in newest if t is not None), default=self._now)
        limit = self._now if final else max(self._now - _PATIENCE, passed)
        if not final and None in newest:  # something has not begun, which it may yet
            limit = self._now - _PATIENCE
        seen = self._now if final else limit
        if not isinstance(self._clock, FixedClock):
            # Frames go on without the camera only where it is known to be silent.
            image = self._images[self._names[0]].newest or 0
            seen = image if final else max(image, self._now - _PATIENCE)
        due = self._clock.due(seen)
        due = due[due <= limit]
        self._clock.take(len(due))
        for start in range(0, len(due), _MOST_FRAMES):
            rows = self._rows(due[start : start + _MOST_FRAMES])
            if len(rows):
                yield rows
        if len(due):
            self._forget(int(due[-1]))

    def _rows(self, stamps: NDArray[np.int64]) -> FrameRows:
        """Look up everything at the stamps of frames; those that lack something are left out."""
        near = int(self._period)
        firsts = [track.first for track in self._vectors.values()]
        firsts += [t.first and t.first - near for t in self._images.values()]
        first = max((t for t in firsts if t is not None), default=0)
        whole = np.zeros(len(stamps), np.bool_) if None in firsts else stamps >= first
        self.counters['frames.incomplete'] += int(np.count_nonzero(~whole))
        stamps = stamps[whole]
        if not len(stamps):
            return FrameRows(stamps, {}, {})
        vectors = {name: track.at(stamps) for name, track in self._vectors.items()}
        action = vectors.pop(ACTION, None)
        images = {name: track.at(stamps) for name, track in self._images.items()}
        self.counters['frames'] += len(stamps)
        return FrameRows(stamps, vectors, images, action)

    def _forget(self, time: int) -> None:
        for numbers in self._vectors.values():
            numbers.forget(time)
        for images in self._images.values():
            images.forget(time)

    def _restart(self) -> None:
        """Forget all samples."""
        specs, near = self._specs, int(self._period)
        self._vectors = {
            name: VectorTrack(
                to_ns(BUILTIN[spec.convention].max_age if spec.convention else _USUAL_AGE),
                pose=spec.convention == 'pose',
                steps=name == ACTION,
            )
            for name, spec in specs.items()
            if name not in self._chosen.cameras
        }
        self._images = {
            name: ImageTrack(near if k else 0, clock=k == 0)
            for k, name in enumerate(self._chosen.cameras)
        }
        cameras = bool(self._images)
        self._clock: FrameClock = (
            CameraClock(self._period, near // 2) if cameras else FixedClock(self._period)
        )
        self._begun = False
        self._now = 0

    def _count(self) -> None:
        """Add up what the tracks have seen."""
        for name, track in self._vectors.items():
            self.counters[f'{name}.held'] += track.held
            self.counters[f'{name}.not_finite'] += track.unusable
        for name, images in self._images.items():
            self.counters[f'{name}.held'] += images.held
        self.counters = +self.counters
