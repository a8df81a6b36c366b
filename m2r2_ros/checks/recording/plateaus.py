# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs of exactly one value, as a sensor at its limit gives them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Values at which plateaus are counted, of a column.
_MOST: Final = 64


@dataclass(slots=True)
class Plateau:
    """Plateaus of one value.

    Attributes:
        runs: How many.
        samples: Samples in them.
        start: Stamp of the first sample, nanoseconds.
        end: Stamp of the last sample, nanoseconds.
    """

    runs: int
    samples: int
    start: int
    end: int


class Plateaus:
    """The plateaus of one column.

    Attributes:
        peaks: By value, those that the column comes to and leaves from the side of zero.
        others: Plateaus elsewhere: what rests or is quantised has them, too.
    """

    def __init__(self, least: int) -> None:
        """Begin; a plateau has so many samples at least."""
        self._least = least
        self.peaks: dict[float, Plateau] = {}
        self.others = 0
        self._value, self._length, self._before = np.nan, 0, np.nan
        self._start = self._end = 0

    def add(self, values: NDArray[np.float64], stamps: NDArray[np.int64]) -> None:
        """Take the next samples (n,)."""
        if not len(values):
            return
        new = np.append(values[0] != self._value, values[1:] != values[:-1])
        begins = np.flatnonzero(new)
        if not len(begins):
            self._length, self._end = self._length + len(values), int(stamps[-1])
            return
        first = int(begins[0])
        if first:
            self._length, self._end = self._length + first, int(stamps[first - 1])
        self._close(float(values[first]))
        lengths = np.diff(begins, append=len(values))
        for k in np.flatnonzero(lengths[:-1] >= self._least).tolist():
            at, length = int(begins[k]), int(lengths[k])
            before = values[at - 1] if at else self._value
            self._take(
                float(values[at]), length, float(before), float(values[at + length]),
                int(stamps[at]), int(stamps[at + length - 1]),
            )  # fmt: skip
        last = int(begins[-1])
        self._before = float(values[last - 1]) if last else self._value
        self._value, self._length = float(values[last]), int(lengths[-1])
        self._start, self._end = int(stamps[last]), int(stamps[-1])

    def _close(self, after: float) -> None:
        """Take the run that goes on from the samples before."""
        if self._length >= self._least:
            self._take(self._value, self._length, self._before, after, self._start, self._end)

    def _take(
        self, value: float, length: int, before: float, after: float, start: int, end: int
    ) -> None:
        peak = (value > 0 and before < value and after < value) or (
            value < 0 and before > value and after > value
        )
        if not peak or (value not in self.peaks and len(self.peaks) >= _MOST):
            self.others += 1
            return
        found = self.peaks.setdefault(value, Plateau(0, 0, start, end))
        found.runs += 1
        found.samples += length
        found.end = end

    def clipped(self, runs: int) -> tuple[float, Plateau] | None:
        """Return value and plateaus of a limit; None where the column meets none.

        Args:
            runs: Plateaus of one value that are needed.
        """
        sizes = sorted(((p.runs, abs(v), v) for v, p in self.peaks.items()), reverse=True)
        if not sizes or sizes[0][0] < runs:
            return None
        # A sensor has two limits; one that stays at many other values is quantised, or rests.
        most = sum(count for count, _, _ in sizes[:2])
        rest = self.others + sum(count for count, _, _ in sizes[2:])
        if rest > most / 4:
            return None
        value = sizes[0][2]
        return value, self.peaks[value]
