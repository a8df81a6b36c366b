# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The peaks of evidence that grows frame by frame: boundaries, some frames late."""

from abc import ABC, abstractmethod
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.windows import FrameWindows


class PeakDetector(ABC):
    """A causal detector: evidence for each frame, some frames later, and its peaks.

    A peak is above a threshold, and no evidence within a distance is stronger, or as strong and
    earlier.
    """

    def __init__(self, delay: int, distance: int, threshold: float) -> None:
        """Begin before the first frame.

        Args:
            delay: Frames that evidence waits for.
            distance: Frames within which only the strongest evidence counts.
            threshold: What evidence has to exceed.
        """
        self._delay, self._distance, self._threshold = delay, distance, threshold
        self.lag: int | None = delay + distance
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._frames = 0
        self._evidence = deque([0.0] * self._distance, 2 * self._distance + 1)
        self.restart()

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        """Take the next windows; return the scores of the frames that are decided now."""
        scores: list[float] = []
        for row in self.rows(windows) if len(windows) else ():
            evidence = self.step(row)
            self._frames += 1
            if self._frames > self._delay:
                scores += self._decide(evidence)
        return np.array(scores, np.float32)

    def finish(self) -> NDArray[np.float32]:
        """Return the scores of the frames that are still pending, and reset."""
        ahead = reversed(range(min(self._delay, self._frames)))
        evidence = [*(self.late(k) for k in ahead), *([0.0] * self._distance)]
        scores = [score for value in evidence for score in self._decide(value)]
        self.reset()
        return np.array(scores, np.float32)

    def _decide(self, evidence: float) -> list[float]:
        """Take evidence; return the score of that `distance` before, if there was any."""
        self._evidence.append(evidence)
        if len(self._evidence) <= 2 * self._distance:
            return []
        values, k = list(self._evidence), self._distance
        earlier, value, later = max(values[:k], default=0.0), values[k], max(values[k:])
        return [value if value > max(earlier, self._threshold) and value >= later else 0.0]

    @abstractmethod
    def restart(self) -> None:
        """Forget all frames."""

    @abstractmethod
    def rows(self, windows: FrameWindows) -> NDArray[np.floating[Any]]:
        """Return what is used of each frame, (n, D)."""

    @abstractmethod
    def step(self, row: NDArray[np.floating[Any]]) -> float:
        """Take a frame; return the evidence, 0..1, that the one `delay` before begins a segment."""

    @abstractmethod
    def late(self, ahead: int) -> float:
        """Return the evidence for one of the last frames, which has only `ahead` after it."""
