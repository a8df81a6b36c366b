# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Means of a signal over short stretches of time, in memory that has a bound."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.time import SECOND

#: Shortest stretch, nanoseconds.
SHORTEST: Final = SECOND // 50
#: Stretches at most: almost three hours of the shortest ones.
MOST: Final = 1 << 19
#: What is stamped so much later than all before is not believed, nanoseconds.
_LEAP: Final = 3600 * SECOND


class Means:
    """Takes samples in and keeps the mean of each stretch; of too many, two become one.

    Attributes:
        width: Of a stretch, nanoseconds.
        origin: Where the first one begins, nanoseconds.
    """

    def __init__(self, columns: int, most: int = MOST) -> None:
        """Begin without samples.

        Args:
            columns: Numbers of a sample.
            most: Stretches at most; a power of 2.
        """
        self.width, self.origin = SHORTEST, 0
        self._most = most
        self._used = 0
        self._sums = np.zeros((min(1024, most), columns))
        self._counts = np.zeros(len(self._sums), np.int64)

    def add(self, stamps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Take samples in.

        Args:
            stamps: int64 (n,), nanoseconds; what lies before the first of all is left out.
            values: float64 (n, columns); samples with a number that is not finite are left out.
        """
        good = np.isfinite(values).all(axis=1)
        if not self._used and good.any():
            self.origin = int(stamps[good][0]) // SHORTEST * SHORTEST
        # Differences of hostile stamps may wrap around, so that they are compared first.
        good &= (stamps >= self.origin) & (stamps < self._end + _LEAP)
        if not good.any():
            return
        offsets = stamps[good] - self.origin
        self._make_room(int(offsets.max()))
        place = offsets // self.width
        first, last = int(place.min()), int(place.max())
        self._used = max(self._used, last + 1)
        self._counts[first : last + 1] += np.bincount(place - first)
        for sums, column in zip(self._sums.T, values[good].T, strict=True):
            sums[first : last + 1] += np.bincount(place - first, weights=column)

    def means(self) -> NDArray[np.float64]:
        """Return the means, (stretches, columns), NaN where there was no sample."""
        counts = self._counts[: self._used, None]
        held = self._sums[: self._used] / np.maximum(counts, 1)
        means: NDArray[np.float64] = np.where(counts > 0, held, np.nan)
        return means

    @property
    def _end(self) -> int:
        return self.origin + self._used * self.width

    def _make_room(self, offset: int) -> None:
        """Let there be a stretch for what lies so far from the origin, nanoseconds."""
        while offset // self.width >= self._most:
            for name in ('_sums', '_counts'):
                full = getattr(self, name)
                halved = np.zeros_like(full)
                halved[: len(full) // 2] = full[::2] + full[1::2]
                setattr(self, name, halved)
            self.width *= 2
            self._used = (self._used + 1) // 2
        size = len(self._counts)
        while offset // self.width >= size:
            size *= 2
        if more := size - len(self._counts):
            self._sums = np.concatenate([self._sums, np.zeros((more, self._sums.shape[1]))])
            self._counts = np.concatenate([self._counts, np.zeros(more, np.int64)])
