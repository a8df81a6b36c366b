# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The intervals between the messages of a topic: their distribution, and the longest of them."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Bins of the distribution: so many to a doubling, from a microsecond to some twelve days.
_OCTAVE: Final = 64
_OCTAVES: Final = 40
_BINS: Final = _OCTAVE * _OCTAVES
_SHORTEST: Final = 1000
#: Longest intervals that are kept.
KEPT: Final = 64
#: What is near the median, for the rate that a topic would have without losses.
_NEAR: Final = (0.5, 1.5)
#: Share of the intervals that has to be near for that.
_MOST: Final = 0.5


@dataclass(slots=True)
class Intervals:
    """Intervals in constant memory.

    Attributes:
        longest: int64 (n, 3), the longest: length, first and last log time, nanoseconds.
    """

    longest: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 3), np.int64))
    _counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_BINS, np.int64))
    _sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_BINS))

    def add(
        self,
        lengths: NDArray[np.int64],
        least: NDArray[np.int64],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> None:
        """Take intervals.

        Args:
            lengths: int64 (n,), nanoseconds.
            least: int64 (n,), how long they are for certain, nanoseconds.
            starts: int64 (n,), log times at which they begin.
            ends: int64 (n,), log times at which they end.
        """
        if not len(lengths):
            return
        positive = np.maximum(lengths, _SHORTEST)
        bins = (np.log2(positive / _SHORTEST) * _OCTAVE).astype(np.int64)
        np.minimum(bins, _BINS - 1, out=bins)
        self._counts += np.bincount(bins, minlength=_BINS)
        self._sums += np.bincount(bins, positive, minlength=_BINS)
        floor = int(self.longest[-1, 0]) if len(self.longest) == KEPT else -1
        if int(least.max()) <= floor:
            return
        which = np.argsort(-least, kind='stable')[:KEPT]
        rows = np.stack((least[which], starts[which], ends[which]), 1)
        rows = np.concatenate((self.longest, rows))
        self.longest = rows[np.argsort(-rows[:, 0], kind='stable')[:KEPT]]

    @property
    def count(self) -> int:
        """How many there were."""
        return int(self._counts.sum())

    def quantile(self, share: float) -> float:
        """Return a quantile, nanoseconds to about 1 %; 0 without intervals."""
        if not self.count:
            return 0.0
        k = int(np.searchsorted(np.cumsum(self._counts), share * self.count))
        k = min(k, _BINS - 1)
        return float(self._sums[k] / self._counts[k]) if self._counts[k] else 0.0

    @property
    def median(self) -> float:
        """The median, nanoseconds."""
        return self.quantile(0.5)

    @property
    def usual(self) -> float:
        """Mean interval between messages of which none is lost, nanoseconds; 0 if unknown."""
        edges = _SHORTEST * 2.0 ** (np.arange(_BINS) / _OCTAVE)
        near = (edges >= _NEAR[0] * self.median) & (edges <= _NEAR[1] * self.median)
        count = int(self._counts[near].sum())
        if not count or count < _MOST * self.count:
            return 0.0
        return float(self._sums[near].sum() / count)
