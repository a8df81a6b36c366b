# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Probabilities of a frame some frames late: from outputs of the head's own, or as a mean."""

from collections import deque
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: What the head says at one frame, (C,) each: by lag k, of the frame k before; 0 is always there.
Said = Mapping[int, NDArray[np.float32]]


class Late(Protocol):
    """Delays frames by a lag, and makes the best of what was seen meanwhile."""

    def step(self, said: Said) -> NDArray[np.float32] | None:
        """Take what is said at a frame; return the probabilities (C,) of the frame lag before."""

    def finish(self) -> list[NDArray[np.float32]]:
        """Return what is still pending, and forget all."""


class Smoother:
    """Mean of the probabilities over lag frames before and after each frame."""

    def __init__(self, lag: int) -> None:
        """Make a smoother; with lag 0 probabilities pass as they are."""
        self._lag = lag
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=2 * lag + 1)
        self._waiting = 0

    def step(self, said: Said) -> NDArray[np.float32] | None:
        """Take what is said at a frame; see Late."""
        self._recent.append(said[0])
        self._waiting += 1
        return self._next() if self._waiting > self._lag else None

    def finish(self) -> list[NDArray[np.float32]]:
        """Return what is still pending, and forget all."""
        rest = [self._next() for _ in range(self._waiting)]
        self._recent.clear()
        return rest

    def _next(self) -> NDArray[np.float32]:
        """Return the oldest waiting frame, smoothed over the same count either side."""
        here = len(self._recent) - self._waiting
        reach = min(self._lag, self._waiting - 1, here)
        around = list(self._recent)[here - reach : here + reach + 1]
        self._waiting -= 1
        smooth: NDArray[np.float32] = np.mean(around, axis=0, dtype=np.float32)
        return smooth


class Revised:
    """The head's own output for frames that are lag frames old."""

    def __init__(self, lag: int) -> None:
        """Make it for an output that the head has."""
        self._lag = lag
        self._recent: deque[Said] = deque(maxlen=lag + 1)

    def step(self, said: Said) -> NDArray[np.float32] | None:
        """Take what is said at a frame; see Late."""
        self._recent.append(said)
        return said[self._lag] if len(self._recent) > self._lag else None

    def finish(self) -> list[NDArray[np.float32]]:
        """Return what is still pending, from the outputs for smaller lags; forget all."""
        said = list(self._recent)
        waiting = range(max(0, len(said) - self._lag), len(said))
        self._recent.clear()
        return [_newest(said[t:]) for t in waiting]


def _newest(said: list[Said]) -> NDArray[np.float32]:
    """Return the last that was said of the first of these frames."""
    lag = max(k for k in said[0] if k < len(said))
    return said[lag][lag]


def all_late(said: Said, late: Late) -> NDArray[np.float32]:
    """Return the probabilities of all frames of a recording, float32 (T, C).

    Args:
        said: By lag, what the head says at each frame, (T, C).
        late: What delays them, before its first frame.
    """
    rows = (late.step({lag: p[t] for lag, p in said.items()}) for t in range(len(said[0])))
    return np.stack([*(row for row in rows if row is not None), *late.finish()])
