# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmenter of an online head: each frame's label as it comes."""

from m2r2_ros.core.labels import FrameLabel
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.backend import Encoded
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.segmenters.decoding import Rule
from m2r2_ros.segmenters.network import NetworkSegmenter, frames_of


class OnlineSegmenter(NetworkSegmenter):
    """Labels from an online head.

    Raises:
        BundleError: The head is offline, or the bundle has none.
    """

    @property
    def revision_lag(self) -> int:
        """How many frames a label waits for."""
        return self._decoding.lag

    def _rule(self) -> Rule:
        return self._decoding.rule

    def _begin(self) -> None:
        self._state = self._backend.initial_state()

    def _take(self, windows: FrameWindows, inputs: Inputs) -> tuple[Encoded, list[FrameLabel]]:
        encoded, prediction, self._state = self._backend.advance(inputs, self._state)
        labels: list[FrameLabel] = []
        frames = frames_of(
            windows, inputs, prediction.boundaries, self.revision_lag, self._counters
        )
        said = {0: prediction.probabilities, **prediction.revised}
        for t, frame in enumerate(frames):
            labels += self._track.add(frame, {lag: rows[t] for lag, rows in said.items()})
        return encoded, labels

    def _end(self) -> list[FrameLabel]:
        return self._track.finish()
