# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checks of values: numbers that are none, limits that are met, sensors that froze."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import Recording
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.observer import Observer
from m2r2_ros.checks.recording.baseline import Baseline
from m2r2_ros.checks.recording.frozen import ArmMotion, FrozenMedia, frozen
from m2r2_ros.checks.recording.options import ValueOptions
from m2r2_ros.checks.recording.plateaus import Plateaus
from m2r2_ros.checks.recording.readings import Readings
from m2r2_ros.checks.recording.signals import stacked
from m2r2_ros.checks.recording.stillness import Stillness
from m2r2_ros.checks.recording.topic_times import TimeGrid
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import Samples, SoundSamples, VectorSamples
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND

FINITE: Final = 'value.finite'
CLIP: Final = 'value.clip'
FROZEN: Final = 'value.frozen'
#: What measures forces and the like, which a sensor at its limit cuts off. Positions and velocities
#: rest at their limits: a gripper when it is open, an arm at its greatest speed.
_LIMITED: Final = ('wrench', 'imu')
#: Length of a window in which motion is measured, s.
_WINDOW: Final = 0.2
#: What is not finite within so many seconds is told together.
_APART: Final = SECOND
#: Share of what a good recording reaches, below which a plateau is suspect by itself.
_REACH: Final = 0.9
#: Loudness, of full scale, below which sound is not said to be clipped: silence is quantised.
_LOUD: Final = 0.1
#: A loudness that no sound has.
_TINY: Final = 1e-9


class ValuesObserver(Observer):
    """Keeps what is odd about the values of each sensor."""

    checks = (FINITE, CLIP, FROZEN)

    def __init__(
        self,
        recording: Recording,
        readings: Readings,
        options: ValueOptions,
        *,
        wanted: Collection[str],
        baseline: Baseline | None,
    ) -> None:
        """Begin.

        Args:
            recording: What is read.
            readings: Its sensors.
            options: Thresholds.
            wanted: Ids of checks; others of this observer give no results.
            baseline: What a good recording is like, if one was given.
        """
        self._recording, self._readings, self._options = recording, readings, options
        self._wanted, self._baseline = wanted, baseline
        self._grid = TimeGrid(recording.start, recording.end, _WINDOW)
        self._vectors: dict[str, _Vector] = {}
        self._sounds: dict[str, Plateaus] = {}
        self._motion = ArmMotion(self._grid, options.moving)
        self._media = FrozenMedia(recording, readings, self._grid, options)

    def samples(self, name: str, samples: Samples) -> None:
        """Take values."""
        if isinstance(samples, VectorSamples) and len(samples.values):
            if name not in self._vectors:
                like = self._readings.specs[name].convention
                age = self._readings.modality(name).max_age * self._options.frozen
                self._vectors[name] = _Vector(like, age, self._grid, self._options)
            self._vectors[name].add(samples, self._wanted)
            if FROZEN in self._wanted:
                self._motion.add(name, self._readings.specs[name].convention, samples)
        elif isinstance(samples, SoundSamples) and len(samples.chunks):
            if FROZEN in self._wanted:
                self._media.sound(name, samples)
            if CLIP in self._wanted:
                self._hear(name, samples)

    def finish(self) -> Iterable[Result]:
        """Yield what is wrong with the values."""
        for name, vector in self._vectors.items():
            topic = self._readings.specs[name].topic
            if FINITE in self._wanted:
                yield from vector.infinite(topic, self._options.most)
            if CLIP in self._wanted:
                yield from self._clipped(name, topic, vector.plateaus)
            if FROZEN in self._wanted:
                self._motion.close(name, topic, vector.still)
        if FROZEN in self._wanted:
            for name, vector in self._vectors.items():
                topic = self._readings.specs[name].topic
                yield from frozen(name, topic, vector.still, self._motion, self._options)
        if CLIP in self._wanted:
            for name, plateaus in self._sounds.items():
                yield from self._clipped(name, self._readings.specs[name].topic, [plateaus])
        if FROZEN in self._wanted:
            yield from self._media.finish(self._motion)
        if not self._vectors and not self._sounds:
            problems = [f'{name}: {why}' for name, why in self._readings.problems.items()]
            why = listed(problems) or 'no topic holds numbers or sound that can be read'
            for check in self.checks:
                if check in self._wanted:
                    yield NotRun(check, why)

    def _hear(self, name: str, samples: SoundSamples) -> None:
        """Take the plateaus of loud chunks."""
        plateaus = self._sounds.setdefault(name, Plateaus(self._options.clip_samples))
        for stamps, chunks in stacked(samples):
            size = np.abs(chunks)
            peaks = size.max(1, keepdims=True)
            at_limit = size == peaks
            full = (peaks[:, 0] >= _LOUD) & (at_limit.sum(1) >= self._options.clip_samples)
            for k in np.flatnonzero(full).tolist():
                # What is not at the limit is replaced by what is never the same twice.
                values = np.linspace(-_TINY, _TINY, chunks.shape[1] + 2)
                values[1:-1][at_limit[k]] = chunks[k][at_limit[k]]
                plateaus.add(values, np.full(len(values), stamps[k], np.int64))

    def _clipped(self, name: str, topic: str, columns: list[Plateaus]) -> Iterator[Finding]:
        for column, plateaus in enumerate(columns):
            reach = self._reach(name, column)
            found = plateaus.clipped(1 if reach else self._options.clip_runs)
            if found is None:
                continue
            value, plateau = found
            if reach and plateau.runs < self._options.clip_runs and abs(value) > _REACH * reach:
                continue
            which = f'number {column + 1} of {len(columns)}' if len(columns) > 1 else 'it'
            yield Finding(
                CLIP, Severity.WARNING,
                f'{which} stays exactly at {value:.6g} in {plateau.runs} runs of '
                f'{self._options.clip_samples} or more samples, as a sensor at its limit does',
                topic, plateau.start, plateau.end, float(plateau.runs),
                float(self._options.clip_runs),
            )  # fmt: skip

    def _reach(self, name: str, column: int) -> float:
        """Return how far a column goes in the baseline; 0 without one."""
        ranges = self._baseline.ranges.get(name) if self._baseline else None
        if ranges is None or column >= len(ranges[0]):
            return 0.0
        return float(max(abs(ranges[0][column]), abs(ranges[1][column])))


class FrozenValuesObserver(ValuesObserver):
    """Looks at images, too, which no other check of values wants to see."""

    def messages(self, block: MessageBlock, stamps: NDArray[np.int64] | None) -> None:
        """Take images, which are compared as they came."""
        self._media.images(block)


class _Vector:
    """What is kept of one sensor."""

    def __init__(self, like: str, age: float, grid: TimeGrid, options: ValueOptions) -> None:
        self._limited = like in _LIMITED or not like
        self._least = options.clip_samples
        self.still = Stillness(age, grid)
        self.plateaus: list[Plateaus] = []
        #: Where values were not finite: first and last stamp, how many samples.
        self._bad: list[list[int]] = []
        self._last: NDArray[np.float64] | None = None

    def add(self, samples: VectorSamples, wanted: Collection[str]) -> None:
        """Take samples."""
        values, stamps = samples.values, samples.stamps
        finite = np.isfinite(values).all(1)
        if not finite.all():
            if FINITE in wanted:
                self._note(stamps[~finite])
            values, stamps = values[finite], stamps[finite]
            if not len(values):
                return
        if FROZEN in wanted:
            self._repeat(values, stamps)
        if CLIP in wanted and self._limited:
            if not self.plateaus:
                self.plateaus = [Plateaus(self._least) for _ in range(values.shape[1])]
            for plateaus, column in zip(self.plateaus, values.T, strict=True):
                plateaus.add(np.ascontiguousarray(column), stamps)

    def infinite(self, topic: str, most: int) -> Iterator[Finding]:
        """Yield where values are not finite."""
        spans = self._bad
        if len(spans) > most:
            rest = spans[most - 1 :]
            spans = [*spans[: most - 1], [rest[0][0], rest[-1][1], sum(s[2] for s in rest)]]
        for first, last, count in spans:
            what = 'samples have' if count > 1 else 'sample has'
            yield Finding(
                FINITE, Severity.ERROR, f'{count} {what} NaN or infinite numbers', topic, first,
                last, float(count), 0.0,
            )  # fmt: skip

    def _note(self, stamps: NDArray[np.int64]) -> None:
        cuts = np.flatnonzero(np.diff(stamps) > _APART) + 1
        for part in np.split(stamps, cuts):
            first, last, count = int(part[0]), int(part[-1]), len(part)
            # Without end, the last span grows: what a sensor can say wrong has no bound.
            if self._bad and (first - self._bad[-1][1] <= _APART or len(self._bad) >= 10_000):
                self._bad[-1][1] = last
                self._bad[-1][2] += count
            else:
                self._bad.append([first, last, count])

    def _repeat(self, values: NDArray[np.float64], stamps: NDArray[np.int64]) -> None:
        same = np.zeros(len(values), np.bool_)
        same[1:] = (values[1:] == values[:-1]).all(1)
        if self._last is not None:
            same[0] = bool(np.array_equal(self._last, values[0]))
        self._last = values[-1].copy()
        self.still.repeats(same, stamps)
        self.still.motion(values, stamps)
