# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a device takes its samples."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Jitter is clipped to this share of the period, so that samples stay in order.
_LARGEST: Final = 0.4


class Clock:
    """A device's own clock: a rate, a random phase, and jitter."""

    def __init__(self, rate: float, rng: np.random.Generator, *, jitter: float) -> None:
        """Start a clock.

        Args:
            rate: Samples per second.
            rng: For phase and jitter.
            jitter: How far samples deviate from their place, as a share of the period (1 sigma).
        """
        self._rate, self._rng, self._jitter = rate, rng, jitter
        self._phase = float(rng.uniform(0.5, 1.5))
        self._next = 0
        self._due = self._draw()

    def until(self, end: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return times (s) and running numbers of the samples up to `end` that are new, (n,)."""
        first, times = self._next, list[float]()
        while self._due <= end:
            times.append(self._due)
            self._next += 1
            self._due = self._draw()
        return np.array(times), np.arange(first, self._next)

    def _draw(self) -> float:
        off = float(np.clip(self._rng.normal(0.0, self._jitter), -_LARGEST, _LARGEST))
        return (self._next + self._phase + off) / self._rate
