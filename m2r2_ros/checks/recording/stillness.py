# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a sensor said exactly the same, and whether it does so at rest."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.checks.recording.topic_times import TimeGrid
from m2r2_ros.core.time import SECOND

#: Runs that are kept, of a sensor.
_MOST: Final = 256
#: Share of the largest motion in a window up to which a sensor is at rest in it.
_REST: Final = 0.05
#: Windows at rest, not all the same, that show that a sensor is noisy there.
_FEW: Final = 5
#: Columns whose motion is measured, the first ones.
_COLUMNS: Final = 12


@dataclass(slots=True)
class Repetition:
    """Samples that are all the same.

    Attributes:
        start: Stamp of the first, nanoseconds.
        end: Stamp of the last, nanoseconds.
    """

    start: int
    end: int


class Stillness:
    """What one sensor repeats.

    Attributes:
        runs: Runs that are too long, in order; of very many the first.
        samples: Samples so far.
        least: Seconds from which on a run is too long.
    """

    def __init__(self, least: float, grid: TimeGrid) -> None:
        """Begin; a run is too long from so many seconds on."""
        self.least, self._grid = least, grid
        self._least = round(least * SECOND)
        self.runs: list[Repetition] = []
        self.samples = 0
        self._repeats = self._long = 0
        self._low = np.full(grid.count, np.inf)
        self._high = np.full(grid.count, -np.inf)
        self._open: Repetition | None = None
        self._length = 0

    def repeats(self, same: NDArray[np.bool_], stamps: NDArray[np.int64]) -> None:
        """Take which samples (n,) are exactly like the one before."""
        if not len(same):
            return
        self.samples += len(same)
        self._repeats += int(same.sum())
        if same.all() and self._open:
            self._open.end, self._length = int(stamps[-1]), self._length + len(same)
            return
        begins = np.flatnonzero(~same)
        if self._open is None:
            begins = np.union1d(begins, [0])
        first = int(begins[0])
        if first and self._open:
            self._open.end, self._length = int(stamps[first - 1]), self._length + first
        self._close()
        ends = np.append(begins[1:], len(same)) - 1
        spans = stamps[ends] - stamps[begins]
        for k in np.flatnonzero(spans[:-1] >= self._least).tolist():
            first, last = int(begins[k]), int(ends[k])
            self._keep(Repetition(int(stamps[first]), int(stamps[last])), last - first + 1)
        self._open = Repetition(int(stamps[begins[-1]]), int(stamps[-1]))
        self._length = int(len(same) - begins[-1])

    def motion(self, values: NDArray[np.float64], stamps: NDArray[np.int64]) -> None:
        """Take values (n, d), of which the column that goes farthest counts."""
        values = values[:, :_COLUMNS]
        places = self._grid.places(stamps)
        cuts = np.flatnonzero(np.diff(places, prepend=-1))
        if not len(cuts):
            return
        low = np.minimum.reduceat(values, cuts)
        high = np.maximum.reduceat(values, cuts)
        where = places[cuts]
        if self._low.ndim == 1:
            shape = (self._grid.count, values.shape[1])
            self._low, self._high = np.full(shape, np.inf), np.full(shape, -np.inf)
        np.minimum.at(self._low, where, low)
        np.maximum.at(self._high, where, high)

    @property
    def moved(self) -> NDArray[np.float64]:
        """How far the values went in each window (windows,); NaN in those without a sample."""
        with np.errstate(invalid='ignore'):
            far = self._high - self._low
        far = far.reshape(len(far), -1).max(1)
        return np.where(np.isfinite(far), far, np.nan)

    def finish(self) -> None:
        """Take the run that is still open."""
        self._close()
        self._open = None

    @property
    def share(self) -> float:
        """Share of the samples that are like the one before, of those in no long run."""
        others = self.samples - self._long
        return (self._repeats - self._long + len(self.runs)) / others if others > 0 else 1.0

    def noisy_at_rest(self, speed: NDArray[np.float64] | None = None) -> bool:
        """Return whether its values are never the same at rest, but for a fault.

        Args:
            speed: float64 (windows,), how fast what it measures was; None goes by how far its
                values went, which says nothing of velocities: those are steady in motion, too.
        """
        moved = self.moved
        pace = moved if speed is None else speed
        known = np.isfinite(moved) & np.isfinite(pace)
        moved, pace = moved[known], pace[known]
        if not len(pace) or not pace.max():
            return False
        resting = moved[pace <= _REST * pace.max()]
        noisy = int((resting > 0).sum())
        return noisy >= _FEW and noisy > len(resting) - noisy

    def _close(self) -> None:
        if self._open and self._open.end - self._open.start >= self._least and self._length > 1:
            self._keep(self._open, self._length)

    def _keep(self, run: Repetition, length: int) -> None:
        self._long += int(length)
        if len(self.runs) < _MOST:
            self.runs.append(run)
