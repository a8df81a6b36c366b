# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From frames and their probabilities to frame labels that count segments."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import FrameLabel, LabelSet
from m2r2_ros.segmenters.calibration import calibrated
from m2r2_ros.segmenters.decoding import Rule
from m2r2_ros.segmenters.frame import Frame
from m2r2_ros.segmenters.lags import Said


class FrameLabels:
    """Decodes frames in order: lag, calibration, rule, running number of the segment."""

    def __init__(self, labels: LabelSet, rule: Rule) -> None:
        """Begin without a frame.

        Raises:
            ConfigError: The rule was learnt for other labels.
        """
        self._labels = labels
        self._rule = rule
        self._index = 0
        self._begin()

    def _begin(self) -> None:
        self._late = self._rule.late()
        self._decider = self._rule.decider(self._labels)
        self._waiting: deque[Frame] = deque()
        self._current = -1
        self._since = 0

    def set_rule(self, rule: Rule) -> None:
        """Decide by another rule from the next frame on, which has the lag of the one before."""
        self._rule = rule
        label = self._decider.label
        self._decider = rule.decider(self._labels)
        self._decider.label = label

    def add(self, frame: Frame, said: Said) -> list[FrameLabel]:
        """Take the next frame and what the head says there; return the label that it completes."""
        self._waiting.append(frame)
        probabilities = self._late.step(said)
        return [] if probabilities is None else [self._label(probabilities)]

    def finish(self) -> list[FrameLabel]:
        """Return the pending labels; the next frame begins a new segment."""
        labels = [self._label(p) for p in self._late.finish()]
        self._index += self._current >= 0
        self._begin()
        return labels

    def _label(self, probabilities: NDArray[np.float32]) -> FrameLabel:
        """Decode the oldest waiting frame."""
        frame = self._waiting.popleft()
        probabilities = calibrated(probabilities, self._rule.temperature)
        label = self._decider.step(probabilities, frame)
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
