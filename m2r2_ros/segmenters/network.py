# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What segmenters of online and of offline heads share: inputs, features, what speaks against."""

from abc import abstractmethod
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import FrameLabel, LabelSet
from m2r2_ros.core.modalities import IMAGE, Modalities, of_kind
from m2r2_ros.core.windows import FrameWindows, masks_of
from m2r2_ros.model.backend import Backend, Encoded
from m2r2_ros.model.familiarity import Doubt, Familiarity, Watch
from m2r2_ros.model.inputs import Inputs, make_inputs, with_images
from m2r2_ros.model.relative_pose import RelativePoses
from m2r2_ros.segmenters.decoding import Decoding, Rule
from m2r2_ros.segmenters.frame import Frame
from m2r2_ros.segmenters.labels import FrameLabels
from m2r2_ros.segmenters.stepping import SteppingSegmenter
from m2r2_ros.segmenters.withholding import Withholding
from m2r2_ros.windows.normalisation import Normalisation

#: Frames that go through the network in one call: enough to keep it busy, few enough to fit caches.
CHUNK = 256


class NetworkSegmenter(SteppingSegmenter):
    """M2R2 features, a head and a decoder; keeps the Segmenter protocol."""

    def __init__(
        self,
        labels: LabelSet,
        modalities: Modalities,
        normalisation: Normalisation,
        backend: Backend,
        decoding: Decoding,
        familiarity: Familiarity | None = None,
        frame_rate: float = 10.0,
    ) -> None:
        """Make a segmenter.

        Args:
            labels: The labels that the head gives, in the order of its outputs.
            modalities: What the network looks at, and was trained on.
            normalisation: Scales of its inputs.
            backend: What runs the network.
            decoding: Options of the decoder.
            familiarity: What the training set looked like; without it, every frame gets a label.
            frame_rate: Frames per second.
        """
        self._labels, self._modalities, self._normalisation = labels, modalities, normalisation
        self._backend, self._decoding, self._own_decoding = backend, decoding, decoding
        self._familiarity = familiarity
        self._watch = None if familiarity is None else Watch(familiarity, frame_rate)
        self._counters: Counter[str] = Counter()
        self._relative = RelativePoses()
        self.reset()

    @property
    def counters(self) -> Counter[str]:
        """Images that could not be decoded, as 'image.undecodable', until it is cleared."""
        return self._counters

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is not as it was asked for; see Segmenter."""
        return self._backend.warnings

    @property
    def labels(self) -> LabelSet:
        """The labels that it can give."""
        return self._labels

    @property
    def decoding(self) -> Decoding:
        """The decoder's options."""
        return self._decoding

    def set_hold(
        self, min_confidence: float | None = None, min_duration: float | None = None
    ) -> None:
        """Change the hold rule from the next frame on; see Segmenter."""
        self._decoding = self._own_decoding.held(min_confidence, min_duration)
        self._track.set_rule(self._rule())

    @property
    @abstractmethod
    def revision_lag(self) -> int:
        """How many frames a label waits for."""

    @abstractmethod
    def _rule(self) -> Rule:
        """Return the rule by which labels are decided."""

    def _forget(self) -> None:
        self._track = FrameLabels(self.labels, self._rule())
        least = 0.0 if self._familiarity is None else self._familiarity.least_confidence
        self._withholding = Withholding(least)
        self._restart()

    def _label(self, run: FrameWindows) -> list[FrameLabel]:
        labels: list[FrameLabel] = []
        for first in range(0, len(run), CHUNK):
            chunk = run[first : first + CHUNK]
            inputs = self._relative(make_inputs(chunk, self._normalisation, self._modalities))
            encoded, completed = self._take(chunk, inputs)
            self._withholding.expect(self._doubts(inputs, encoded))
            labels += self._withholding.apply(completed)
        return labels

    def _pending(self) -> list[FrameLabel]:
        return self._withholding.apply(self._end())

    def _restart(self) -> None:
        self._relative.reset()
        if self._watch is not None:
            self._watch.reset()
        self._begin()

    def _doubts(self, inputs: Inputs, encoded: Encoded) -> list[Doubt]:
        if self._watch is None:
            return [Doubt()] * len(inputs)
        return self._watch.step(with_images(inputs, encoded.images), encoded.features)

    @abstractmethod
    def _begin(self) -> None:
        """Begin a run of windows that follow on each other."""

    @abstractmethod
    def _take(self, windows: FrameWindows, inputs: Inputs) -> tuple[Encoded, list[FrameLabel]]:
        """Take a chunk of the run; return its features and the labels that it completes."""

    @abstractmethod
    def _end(self) -> list[FrameLabel]:
        """Return the labels of the run that are still pending."""


def frames_of(
    windows: FrameWindows,
    inputs: Inputs,
    boundaries: NDArray[np.float32],
    revision_lag: int,
    counters: Counter[str],
) -> list[Frame]:
    """Return what a label needs to know of each frame, and count images that were undecodable."""
    masks = masks_of(inputs.present)
    for name in of_kind(inputs.modalities, IMAGE):
        counters[f'{name}.undecodable'] += int((windows.has(name) & ~inputs.has(name)).sum())
    return [
        Frame(
            int(windows.starts[i]),
            int(windows.stamps[i]),
            int(masks[i]),
            float(boundaries[i]),
            revision_lag,
        )
        for i in range(len(windows))
    ]
