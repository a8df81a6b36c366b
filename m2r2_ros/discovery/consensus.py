# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several detectors as one: a segment begins where more than half of them say so."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.method import Detector

#: How far apart boundaries may be that count as one, s.
TOLERANCE: Final = 0.5


class Consensus:
    """Votes of detectors; keeps the protocol of a detector.

    At each frame a detector has as many votes as its score nearby, fewer the farther away it is;
    a boundary is where the sum is largest among the frames around, and most detectors have one in
    reach.
    """

    def __init__(self, detectors: Sequence[Detector], frame_rate: float) -> None:
        """Put detectors together; there must be at least one."""
        self._detectors = list(detectors)
        self._reach = max(1, round(TOLERANCE * frame_rate))
        self.reset()

    @property
    def lag(self) -> int | None:
        """Frames that a score waits for; None where one of the detectors needs all."""
        lags = [detector.lag for detector in self._detectors]
        found = [lag for lag in lags if lag is not None]
        return None if len(found) < len(lags) else max(found) + 2 * self._reach

    def reset(self) -> None:
        """Forget all frames."""
        for detector in self._detectors:
            detector.reset()
        self._scores = [np.zeros(0, np.float32) for _ in self._detectors]
        self._passed = 0  # frames before those that are kept
        self._given = 0

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        """Take the next windows; return the scores of the frames that are decided now."""
        for k, detector in enumerate(self._detectors):
            self._scores[k] = np.concatenate([self._scores[k], detector.extend(windows)])
        decided = self._passed + min(map(len, self._scores))
        if self.lag is None:
            return np.zeros(0, np.float32)
        return self._give(decided - 2 * self._reach)

    def finish(self) -> NDArray[np.float32]:
        """Return the scores of the frames that are still pending, and reset."""
        for k, detector in enumerate(self._detectors):
            self._scores[k] = np.concatenate([self._scores[k], detector.finish()])
        scores = self._give(self._passed + min(map(len, self._scores)))
        self.reset()
        return scores

    def _give(self, until: int) -> NDArray[np.float32]:
        """Return the scores of the frames up to `until` that were not returned yet."""
        if until <= self._given:
            return np.zeros(0, np.float32)
        count = min(map(len, self._scores))
        scores = vote(np.stack([s[:count] for s in self._scores]), self._reach)
        found = scores[self._given - self._passed : until - self._passed]
        self._given = until
        # What is forgotten is out of reach of the frames to come, and of their neighbours.
        forget = max(0, until - 2 * self._reach - self._passed)
        self._scores = [s[forget:] for s in self._scores]
        self._passed += forget
        return found


def vote(scores: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Return where more than half of some detectors see a boundary.

    Args:
        scores: float32 (M, n) in 0..1, of M detectors.
        reach: Frames that boundaries may be apart.

    Returns:
        float32 (n,): the mean score of the detectors in reach, 0 where there is no boundary.
    """
    wide = np.pad(scores, ((0, 0), (reach, reach)))
    around = np.lib.stride_tricks.sliding_window_view(wide, 2 * reach + 1, axis=1)
    near = 1 - np.abs(np.arange(-reach, reach + 1)) / (reach + 1)
    density = (around * near).max(axis=2).sum(axis=0)
    there = (around.max(axis=2) > 0).sum(axis=0)
    padded = np.pad(density, reach)
    hills = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    # Of frames that are equally good the first one is taken.
    peak = (density >= hills.max(axis=1)) & (density > hills[:, :reach].max(axis=1))
    found = peak & (2 * there > len(scores))
    result: NDArray[np.float32] = np.where(found, around.max(axis=2).mean(axis=0), 0)
    return result.astype(np.float32)
