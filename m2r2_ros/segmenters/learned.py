# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmenter that a trained bundle is."""

from collections import Counter, deque
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.labels import FrameLabel, LabelSet
from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.bundle import Bundle
from m2r2_ros.model.inputs import make_inputs
from m2r2_ros.segmenters.decoding import Decoding, Hold, Smoother

#: Frames that go through the network at once: enough to keep it busy, few enough to fit caches.
CHUNK = 256


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame that waits for its label."""

    start: int
    stamp: int
    mask: int
    boundary_score: float


class LearnedSegmenter:
    """M2R2 features, the causal head and a decoder; keeps the Segmenter protocol."""

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
    def decoding(self) -> Decoding:
        """The decoder's options."""
        return self._decoding

    def set_hold(self, min_confidence: float, min_duration: float) -> None:
        """Change the hold rule from the next frame on; see Decoding.

        Raises:
            ConfigError: A value is out of range.
        """
        entries = {'min_confidence': min_confidence, 'min_duration': min_duration}
        self._decoding = Decoding.from_dict({**self._decoding.to_dict(), **entries})
        self._hold.min_confidence = self._decoding.min_confidence
        self._hold.min_duration = round(self._decoding.min_duration * 1e9)

    @property
    def revision_lag(self) -> int:
        """How many frames a label waits for."""
        return self._decoding.lag

    def reset(self) -> None:
        """Forget all frames."""
        d = self._decoding
        self._state = self._bundle.network.initial_state()
        self._smoother = Smoother(d.lag)
        self._hold = Hold(d.min_confidence, round(d.min_duration * 1e9))
        self._waiting: deque[_Frame] = deque()
        self._ready: list[FrameLabel] = []
        self._index = 0
        self._current = -1
        self._since = 0

    def step(self, window: FrameWindows) -> FrameLabel | None:
        """Take one window; see Segmenter."""
        if len(window) != 1:
            msg = f'step takes one window, not {len(window)}; extend takes any number'
            raise M2R2Error(msg)
        labels = self.extend(window)
        # A restart releases all that were waited for; they go out one at a step.
        self._ready = labels[1:]
        return labels[0] if labels else None

    def extend(self, windows: FrameWindows) -> list[FrameLabel]:
        """Take windows that follow on those before; see Segmenter."""
        labels, self._ready = self._ready, []
        edges = sorted({0, *np.flatnonzero(windows.restarts).tolist(), len(windows)})
        for lo, hi in pairwise(edges):
            if windows.restarts[lo]:
                labels += self._restart()
            for first in range(lo, hi, CHUNK):
                labels += self._extend_chunk(windows[first : min(first + CHUNK, hi)])
        return labels

    def finish(self) -> list[FrameLabel]:
        """Return the labels that were still waited for, and reset."""
        labels = self._ready + [self._label(p) for p in self._smoother.finish()]
        self.reset()
        return labels

    def segment(self, windows: FrameWindows) -> list[FrameLabel]:
        """Label a whole recording."""
        self.reset()
        return self.extend(windows) + self.finish()

    def _restart(self) -> list[FrameLabel]:
        """Begin anew after the clock jumped; segments keep counting."""
        labels = [self._label(p) for p in self._smoother.finish()]
        index = self._index + (self._current >= 0)
        self.reset()
        self._index = index
        return labels

    def _extend_chunk(self, windows: FrameWindows) -> list[FrameLabel]:
        b = self._bundle
        inputs = make_inputs(windows, b.normalisation, b.model.modalities)
        prediction, self._state = b.network.advance(inputs, self._state)
        boundaries = prediction.boundaries.numpy()
        labels: list[FrameLabel] = []
        present = inputs.present.numpy()
        masks = replace(windows, present=present).masks  # as the network saw them
        image = MODALITIES.index('image')
        lost = int((windows.present[:, image] & ~present[:, image]).sum())
        self._counters['image.undecodable'] += lost
        for i, p in enumerate(prediction.probabilities.numpy()):
            self._waiting.append(
                _Frame(
                    int(windows.starts[i]),
                    int(windows.stamps[i]),
                    int(masks[i]),
                    float(boundaries[i]),
                )
            )
            smooth = self._smoother.step(p)
            if smooth is not None:
                labels.append(self._label(smooth))
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
            label=self.labels.names[label],
            confidence=float(probabilities[label]),
            probabilities=probabilities,
            boundary_score=frame.boundary_score,
            segment_index=self._index,
            segment_start=self._since,
            revision_lag=self.revision_lag,
            modality_mask=frame.mask,
        )
