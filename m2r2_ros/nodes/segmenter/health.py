# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Health of a stream of messages, and how long work takes: the figures of diagnostics."""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Seconds that rates and percentiles look back over.
SPAN: Final = 5.0
#: Spacings this many times the usual one are gaps.
GAP: Final = 5.0
#: Fewest spacings that a usual one is derived from.
FEW: Final = 3


class StreamHealth:
    """Rate, jitter, age and gaps of one stream, by its stamps.

    Attributes:
        count: Messages with a sample so far.
        gaps: Spacings of more than GAP times the usual one so far.
        longest_gap: The longest of them, s.
    """

    def __init__(self) -> None:
        """Begin without messages."""
        self.count = self.gaps = 0
        self.longest_gap = 0.0
        self._runs: deque[NDArray[np.float64]] = deque()
        self._recent = np.empty(0)
        self._usual = np.inf
        self._last: int | None = None

    def note(self, stamps: NDArray[np.int64]) -> None:
        """Take note of the stamps (n,), ns, of samples in the order in which they came."""
        if not len(stamps):
            return
        self.count += len(stamps)
        before = np.array([] if self._last is None else [self._last], np.int64)
        spacings = np.diff(np.concatenate([before, stamps])).astype(np.float64) * 1e-9
        self._last = int(stamps[-1])
        wide = spacings[spacings > GAP * self._usual]
        self.gaps += len(wide)
        self.longest_gap = max(self.longest_gap, float(wide.max(initial=0.0)))
        self._runs.append(spacings)

    def update(self) -> None:
        """Bring rate, jitter and the usual spacing up to date; to be called once a second."""
        spacings = np.concatenate([self._recent, *self._runs])
        self._runs.clear()
        # From the newest backwards, as many as make up the span.
        back = np.abs(spacings[::-1]).cumsum()
        self._recent = spacings[len(spacings) - int(np.searchsorted(back, SPAN, side='right')) :]
        if len(self._recent) > FEW:
            self._usual = float(np.median(self._recent))

    @property
    def rate(self) -> float:
        """Samples per second over the last SPAN seconds of data."""
        total = float(self._recent.sum())
        return len(self._recent) / total if total > 0 else 0.0

    @property
    def jitter(self) -> float:
        """Standard deviation of the spacing, s."""
        return float(self._recent.std()) if len(self._recent) else 0.0

    def age(self, now: int) -> float:
        """Return the seconds from the newest stamp to `now` (ns); inf before the first."""
        return float('inf') if self._last is None else (now - self._last) * 1e-9


class Durations:
    """Percentiles of the newest durations of some work."""

    def __init__(self, most: int = 600) -> None:
        """Keep the newest `most`."""
        self._seconds: deque[float] = deque(maxlen=most)

    def note(self, seconds: float) -> None:
        """Take note of one duration, s."""
        self._seconds.append(seconds)

    def clear(self) -> None:
        """Forget all."""
        self._seconds.clear()

    @property
    def known(self) -> bool:
        """Whether there is any."""
        return bool(self._seconds)

    @property
    def median(self) -> float:
        """About the median, s; 0 without any. For few durations much faster than a percentile."""
        return sorted(self._seconds)[len(self._seconds) // 2] if self._seconds else 0.0

    def percentile(self, percent: float) -> float:
        """Return a percentile, s; 0 without any."""
        return float(np.percentile(list(self._seconds), percent)) if self._seconds else 0.0
