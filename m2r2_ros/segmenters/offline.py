# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmenter of an offline head: it labels a recording when it is over."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import FrameLabel
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.backend import Encoded
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.segmenters.base import WHOLE_RECORDING
from m2r2_ros.segmenters.decoding import Rule
from m2r2_ros.segmenters.frame import Frame
from m2r2_ros.segmenters.network import NetworkSegmenter, frames_of


class OfflineSegmenter(NetworkSegmenter):
    """Labels from an offline head, which sees features of the whole recording.

    It keeps 4 D_e bytes a frame: 74 MB for an hour at 10 Hz and D_e = 512.
    """

    @property
    def revision_lag(self) -> int:
        """All labels wait for the end."""
        return WHOLE_RECORDING

    def _rule(self) -> Rule:
        return self._decoding.whole_rule

    def _begin(self) -> None:
        self._features: list[NDArray[np.float32]] = []
        self._frames: list[Frame] = []

    def _take(self, windows: FrameWindows, inputs: Inputs) -> tuple[Encoded, list[FrameLabel]]:
        encoded = self._backend.encode(inputs)
        self._features.append(encoded.features)
        unknown = np.zeros(len(windows), np.float32)
        self._frames += frames_of(windows, inputs, unknown, 0, self._counters)
        return encoded, []

    def _end(self) -> list[FrameLabel]:
        if not self._frames:
            return []
        prediction = self._backend.predict(np.concatenate(self._features))
        labels = []
        for i, (frame, p) in enumerate(zip(self._frames, prediction.probabilities, strict=True)):
            lag = len(self._frames) - 1 - i
            score = float(prediction.boundaries[i])
            labels += self._track.add(
                replace(frame, boundary_score=score, revision_lag=lag), {0: p}
            )
        return labels + self._track.finish()
