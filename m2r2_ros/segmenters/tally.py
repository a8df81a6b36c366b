# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How sure a model was of a recording, or of the last while of a live robot."""

from collections import Counter

from m2r2_ros.core.labels import FrameLabel


class LabelTally:
    """Counts labels and the reasons why there are none.

    Attributes:
        frames: Frames so far.
        reasons: Frames without a label, by reason.
    """

    def __init__(self) -> None:
        """Begin without a frame."""
        self.frames = 0
        self.reasons: Counter[str] = Counter()
        self._confidence = 0.0

    def add(self, label: FrameLabel) -> None:
        """Take in the label of a frame."""
        self.frames += 1
        if label.reason:
            self.reasons[label.reason] += 1
        else:
            self._confidence += label.confidence

    @property
    def unknown(self) -> float:
        """Share of the frames without a label, 0..1."""
        return self.reasons.total() / max(self.frames, 1)

    @property
    def confidence(self) -> float:
        """Mean confidence of the labels given, 0..1; 0 without any."""
        return self._confidence / max(self.frames - self.reasons.total(), 1)
