# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From frames and their probabilities to frame labels that count segments."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import FrameLabel, LabelSet
from m2r2_ros.segmenters.decoding import Decoding, Hold, Smoother


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that waits for its label.

    Attributes:
        start: t(i-1), nanoseconds.
        stamp: t(i), nanoseconds.
        mask: Bits of the modalities that were present.
        boundary_score: Probability that a segment begins here.
        revision_lag: Frames that were seen after it.
    """

    start: int
    stamp: int
    mask: int
    boundary_score: float
    revision_lag: int


class FrameLabels:
    """Decodes frames in order: smoothing, hold rule, running number of the segment."""

    def __init__(self, labels: LabelSet, decoding: Decoding) -> None:
        """Begin without a frame."""
        self._labels = labels
        self._decoding = decoding
        self._index = 0
        self._begin()

    def _begin(self) -> None:
        d = self._decoding
        self._smoother = Smoother(d.lag)
        self._hold = Hold(d.min_confidence, round(d.min_duration * 1e9))
        self._waiting: deque[Frame] = deque()
        self._current = -1
        self._since = 0

    def set_hold(self, min_confidence: float, min_duration: float) -> None:
        """Change the hold rule from the next frame on; min_duration in seconds."""
        self._hold.min_confidence = min_confidence
        self._hold.min_duration = round(min_duration * 1e9)

    def add(self, frame: Frame, probabilities: NDArray[np.float32]) -> list[FrameLabel]:
        """Take the next frame and its probabilities (C,); return the label that it completes."""
        self._waiting.append(frame)
        smooth = self._smoother.step(probabilities)
        return [] if smooth is None else [self._label(smooth)]

    def finish(self) -> list[FrameLabel]:
        """Return the pending labels; the next frame begins a new segment."""
        labels = [self._label(p) for p in self._smoother.finish()]
        self._index += self._current >= 0
        self._begin()
        return labels

    def _label(self, probabilities: NDArray[np.float32]) -> FrameLabel:
        """Decode the oldest waiting frame."""
        frame = self._waiting.popleft()
        label = self._hold.step(probabilities, frame.start, frame.stamp)
        if label != self._current:
            self._index += self._current >= 0
            self._current, self._since = label, frame.stamp
        return FrameLabel(
            stamp=frame.stamp,
            label_id=label,
            label=self._labels.names[label],
            confidence=float(probabilities[label]),
            probabilities=probabilities,
            boundary_score=frame.boundary_score,
            segment_index=self._index,
            segment_start=self._since,
            revision_lag=frame.revision_lag,
            modality_mask=frame.mask,
        )
