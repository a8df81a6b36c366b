# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmenter that a bundle with an offline head is: it labels a recording when it is over."""

from dataclasses import replace

import numpy as np
import torch

from m2r2_ros.core.labels import FrameLabel
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.bundle import Bundle
from m2r2_ros.model.heads.no_head import NoHead
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.segmenters.base import WHOLE_RECORDING
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.labels import Frame
from m2r2_ros.segmenters.learned import BundleSegmenter, LearnedSegmenter, frames_of


class OfflineSegmenter(BundleSegmenter):
    """M2R2 features kept until the end, then an offline head; keeps the Segmenter protocol.

    It keeps 4 D_e bytes a frame: 74 MB for an hour at 10 Hz and D_e = 512.
    """

    @property
    def revision_lag(self) -> int:
        """All labels wait for the end."""
        return WHOLE_RECORDING

    def _begin(self) -> None:
        self._features: list[torch.Tensor] = []
        self._frames: list[Frame] = []

    def _take(self, windows: FrameWindows, inputs: Inputs) -> list[FrameLabel]:
        self._features.append(self._bundle.network.features(inputs))
        unknown = np.zeros(len(windows), np.float32)
        self._frames += frames_of(windows, inputs, unknown, 0, self._counters)
        return []

    @torch.no_grad()
    def _end(self) -> list[FrameLabel]:
        if not self._frames:
            return []
        prediction = self._bundle.network.head.predict(torch.cat(self._features))
        labels = []
        for i, (frame, p) in enumerate(
            zip(self._frames, prediction.probabilities.numpy(), strict=True)
        ):
            lag = len(self._frames) - 1 - i
            score = float(prediction.boundaries[i])
            labels += self._track.add(replace(frame, boundary_score=score, revision_lag=lag), p)
        return labels + self._track.finish()


def segmenter_of(
    bundle: Bundle, decoding: Decoding | None = None
) -> LearnedSegmenter | OfflineSegmenter:
    """Return the segmenter that a bundle is, online or offline as its head is.

    Raises:
        BundleError: The bundle has no head.
        ConfigError: An option of the decoder is unknown or out of range.
    """
    head = bundle.network.head
    if isinstance(head, NoHead):
        head.refuse()
    return LearnedSegmenter(bundle, decoding) if head.online else OfflineSegmenter(bundle, decoding)
