# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmenter that a bundle with an offline head is: it labels a recording when it is over."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch

from m2r2_ros.core.labels import FrameLabel, LabelSet
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.bundle import Bundle
from m2r2_ros.model.heads.no_head import NoHead
from m2r2_ros.model.inputs import make_inputs
from m2r2_ros.segmenters.base import WHOLE_RECORDING
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.labels import Frame, FrameLabels
from m2r2_ros.segmenters.learned import CHUNK, LearnedSegmenter, frames_of


class OfflineSegmenter:
    """M2R2 features kept until the end, then an offline head; keeps the Segmenter protocol.

    It keeps 4 D_e bytes a frame: 74 MB for an hour at 10 Hz and D_e = 512.
    """

    def __init__(self, bundle: Bundle, decoding: Decoding | None = None) -> None:
        """Make a segmenter; without `decoding` the bundle's own options hold."""
        self._bundle = bundle
        self._decoding = Decoding.from_dict(bundle.decoding) if decoding is None else decoding
        self._counters: Counter[str] = Counter()
        self.reset()

    @property
    def counters(self) -> Counter[str]:
        """Images that could not be decoded, as 'image.undecodable', until it is cleared."""
        return self._counters

    @property
    def labels(self) -> LabelSet:
        """The labels that it can give."""
        return self._bundle.labels

    @property
    def revision_lag(self) -> int:
        """All labels wait for the end."""
        return WHOLE_RECORDING

    def reset(self) -> None:
        """Forget all frames."""
        self._track = FrameLabels(self.labels, self._decoding)
        self._features: list[torch.Tensor] = []
        self._frames: list[Frame] = []

    def step(self, window: FrameWindows) -> FrameLabel | None:
        """Take one window; its label comes with `finish`, or after the clock jumped."""
        self.extend(window)
        return None

    def extend(self, windows: FrameWindows) -> list[FrameLabel]:
        """Take windows; return labels of those before the clock jumped."""
        labels = []
        edges = sorted({0, *np.flatnonzero(windows.restarts).tolist(), len(windows)})
        for lo, hi in pairwise(edges):
            if windows.restarts[lo]:
                labels += self._label_all()
            for first in range(lo, hi, CHUNK):
                self._take(windows[first : min(first + CHUNK, hi)])
        return labels

    def finish(self) -> list[FrameLabel]:
        """Label all that was taken, and reset."""
        labels = self._label_all()
        self.reset()
        return labels

    def segment(self, windows: FrameWindows) -> list[FrameLabel]:
        """Label a whole recording."""
        self.reset()
        return self.extend(windows) + self.finish()

    def _take(self, windows: FrameWindows) -> None:
        b = self._bundle
        inputs = make_inputs(windows, b.normalisation, b.model.modalities)
        self._features.append(b.network.features(inputs))
        unknown = np.zeros(len(windows), np.float32)
        self._frames += frames_of(windows, inputs, unknown, 0, self._counters)

    @torch.no_grad()
    def _label_all(self) -> list[FrameLabel]:
        """Label the frames since the last restart."""
        frames, features = self._frames, self._features
        self._frames, self._features = [], []
        if not frames:
            return []
        prediction = self._bundle.network.head.predict(torch.cat(features))
        labels = []
        for i, (frame, p) in enumerate(zip(frames, prediction.probabilities.numpy(), strict=True)):
            score = float(prediction.boundaries[i])
            seen = replace(frame, boundary_score=score, revision_lag=len(frames) - 1 - i)
            labels += self._track.add(seen, p)
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
