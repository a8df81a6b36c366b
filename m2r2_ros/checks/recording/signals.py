# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What sensors felt, as signals on one grid of time that can be held against each other."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.samples import SoundSamples, VectorSamples
from m2r2_ros.core.time import SECOND

Signal = NDArray[np.float64]

#: Seconds of a piece of a recording, and pieces that are looked at of a long one, evenly spread.
_PIECE: Final = 60.0
_MOST: Final = 6
#: Columns of a sensor that are kept.
_COLUMNS: Final = 12
#: Parts of a step in which the loudness of sound is taken.
_FINE: Final = 2
#: Loudness and change of force are logarithmic; this share of their median keeps silence finite.
_FLOOR: Final = 0.1
#: Steps that are bridged where a sensor has no sample: slow ones have none in most.
_BRIDGE: Final = 25


class Pieces:
    """Pieces of a recording, each a row of steps.

    Attributes:
        count: Pieces.
        steps: Steps of each.
        step: Nanoseconds of a step.
    """

    def __init__(self, start: int, end: int, step: float) -> None:
        """Cut a recording of log times start to end, ns, into steps of so many seconds."""
        self.step = round(step * SECOND)
        length = max(end - start, 1)
        self.count = int(min(-(-length // round(_PIECE * SECOND)), _MOST))
        self._stride = -(-length // self.count)
        self._start = start
        self.steps = int(min(self._stride, round(_PIECE * SECOND)) // self.step) + 1

    def places(self, times: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which times (n,) lie in a piece, and of those in which step of all."""
        since = times - self._start
        piece = since // self._stride
        step = (since - piece * self._stride) // self.step
        inside = (piece >= 0) & (piece < self.count) & (step < self.steps)
        return inside, (piece * self.steps + step)[inside]


class Binned:
    """Means of some columns in each step, in memory that does not grow with the recording."""

    def __init__(self, pieces: Pieces, columns: int) -> None:
        self._pieces = pieces
        self.columns = min(columns, _COLUMNS)
        size = pieces.count * pieces.steps
        self._sums = np.zeros((self.columns, size))
        self._counts = np.zeros(size, np.int64)

    def add(self, times: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Take values (n, columns) at some times (n,), nanoseconds."""
        inside, places = self._pieces.places(times)
        if not len(places):
            return
        low, high = int(places.min()), int(places.max()) + 1
        places = places - low
        self._counts[low:high] += np.bincount(places, minlength=high - low)
        for column, sums in zip(values[inside].T, self._sums, strict=False):
            sums[low:high] += np.bincount(places, column, minlength=high - low)

    def means(self) -> NDArray[np.float64]:
        """Return the means (columns, pieces, steps), bridged where few are missing, else NaN."""
        with np.errstate(invalid='ignore', divide='ignore'):
            means = self._sums / self._counts
        shaped = means.reshape(self.columns, self._pieces.count, self._pieces.steps)
        for rows in shaped:
            for row in rows:
                _bridge(row)
        return shaped


def _bridge(row: Signal) -> None:
    """Fill short stretches of NaN between numbers, in place."""
    known = np.flatnonzero(np.isfinite(row))
    if len(known) < 2:
        return
    lacking = np.flatnonzero(~np.isfinite(row))
    right = np.searchsorted(known, lacking)
    between = (right > 0) & (right < len(known))
    lacking, right = lacking[between], right[between]
    short = known[right] - known[right - 1] <= _BRIDGE
    row[lacking[short]] = np.interp(lacking[short], known, row[known])


def stacked(
    samples: SoundSamples,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield chunks of one length that follow each other: stamps (n,), samples (n, length)."""
    lengths = np.array([len(chunk) for chunk in samples.chunks])
    cuts = np.flatnonzero(np.diff(lengths)) + 1
    bounds = [0, *cuts.tolist(), len(lengths)]
    for a, b in pairwise(bounds):
        if b > a:
            yield samples.stamps[a:b], np.stack(samples.chunks[a:b])


class Loudness:
    """The loudness of sound."""

    def __init__(self, pieces: Pieces) -> None:
        self._binned = Binned(pieces, 1)
        self._step = pieces.step

    def add(self, samples: SoundSamples) -> None:
        """Take chunks."""
        width = max(1, samples.rate * self._step // SECOND // _FINE)
        for stamps, chunks in stacked(samples):
            count = chunks.shape[1] // width
            if not count:
                continue
            # Of the difference, which hum and the like have little of.
            change = np.diff(chunks[:, : count * width], prepend=chunks[:, :1])
            power = np.square(change, out=change).reshape(-1, width).mean(1, dtype=np.float64)
            middle = (np.arange(count) + 0.5) * width
            times = stamps[:, None] + (middle * (SECOND / samples.rate)).astype(np.int64)
            self._binned.add(times.ravel(), power[:, None])

    def signal(self) -> Signal:
        """Return how it grew louder (pieces, steps)."""
        return _onset(self._binned.means()[0])


class ForceChange:
    """How fast force changes."""

    def __init__(self, pieces: Pieces) -> None:
        self._binned = Binned(pieces, 1)
        self._last: NDArray[np.float64] | None = None
        self._stamp = 0

    def add(self, samples: VectorSamples) -> None:
        """Take a wrench."""
        force, stamps = samples.values[:, :3], samples.stamps
        first = force[:1] if self._last is None else self._last
        before = int(stamps[0]) if self._last is None else self._stamp
        change = np.diff(force, axis=0, prepend=first)
        middle = stamps - np.diff(stamps, prepend=before) // 2
        self._last, self._stamp = force[-1:].copy(), int(stamps[-1])
        self._binned.add(middle, np.square(change).sum(1)[:, None])

    def signal(self) -> Signal:
        """Return how it began to change (pieces, steps)."""
        return _onset(self._binned.means()[0])


class Speed:
    """How fast numbers go."""

    def __init__(self, pieces: Pieces, columns: slice, *, rates: bool) -> None:
        """Begin.

        Args:
            pieces: The grid.
            columns: Which numbers.
            rates: They are velocities already.
        """
        self._pieces, self._columns, self._rates = pieces, columns, rates
        self._binned: Binned | None = None

    def add(self, samples: VectorSamples) -> None:
        """Take samples."""
        values = samples.values[:, self._columns]
        if self._binned is None:
            self._binned = Binned(self._pieces, values.shape[1])
        self._binned.add(samples.stamps, values)

    def signal(self) -> Signal:
        """Return the speed of all together (pieces, steps)."""
        speed: Signal = np.sqrt(np.square(self.columns()).sum(0))
        return speed

    def columns(self) -> Signal:
        """Return the speed of each number (columns, pieces, steps)."""
        if self._binned is None:
            return np.full((1, self._pieces.count, self._pieces.steps), np.nan)
        means = self._binned.means()
        if not self._rates:
            ahead, behind = np.roll(means, -1, 2), np.roll(means, 1, 2)
            means = (ahead - behind) / 2
            means[:, :, [0, -1]] = np.nan
        return np.abs(means)


def _onset(power: Signal) -> Signal:
    """Return how much louder each step is than the one before, where it is, of logarithms."""
    known = power[np.isfinite(power)]
    floor = _FLOOR * float(np.median(known)) if len(known) else 0.0
    with np.errstate(invalid='ignore', divide='ignore'):
        level = np.log(power + floor)
    level[~np.isfinite(level)] = np.nan
    growth = np.diff(level, axis=1, prepend=np.nan)
    return np.where(np.isfinite(growth), np.maximum(growth, 0.0), np.nan)
