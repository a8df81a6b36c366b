# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The hold rule: a new label has to be likely enough for long enough."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.segmenters.frame import Frame


class Hold:
    """Keeps a label until another has been the likeliest, and likely enough, for long enough.

    Attributes:
        min_confidence: Probability that another label must reach.
        min_duration: Nanoseconds for which it must have been the likeliest.
        label: The label of the newest frame, None before the first.
    """

    def __init__(self, min_confidence: float, min_duration: int, label: int | None = None) -> None:
        """Make a rule; min_duration in nanoseconds, the label to go on from."""
        self.min_confidence = min_confidence
        self.min_duration = min_duration
        self.label = label
        self._rival = -1
        self._since = 0

    def step(self, probabilities: NDArray[np.float32], frame: Frame) -> int:
        """Return the label of a frame with these probabilities (C,)."""
        best = int(np.argmax(probabilities))
        if self.label is None:
            self.label = best
        if best == self.label or probabilities[best] < self.min_confidence:
            self._rival = -1
        elif best != self._rival:
            self._rival, self._since = best, frame.start
        if self._rival >= 0 and frame.stamp - self._since >= self.min_duration:
            self.label, self._rival = self._rival, -1
        return self.label
