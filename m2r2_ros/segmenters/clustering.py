# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmenter of boundaries and clusters that were found without labels."""

from collections import Counter, deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import FrameLabel, LabelSet
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.describers import LONGEST
from m2r2_ros.discovery.found import Discovered
from m2r2_ros.discovery.method import Setting
from m2r2_ros.model.familiarity import Doubt
from m2r2_ros.segmenters.base import WHOLE_RECORDING
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.frame import Frame
from m2r2_ros.segmenters.stepping import SteppingSegmenter
from m2r2_ros.segmenters.withholding import Withholding


class ClusterSegmenter(SteppingSegmenter):
    """Labels each segment with the cluster that it looks like; keeps the Segmenter protocol.

    As a robot works, the label of a frame comes from the part of its segment that was seen so far,
    and may still change within the segment. With the whole recording in view a segment has one.
    """

    def __init__(
        self, labels: LabelSet, setting: Setting, found: Discovered, *, whole: bool
    ) -> None:
        """Make a segmenter.

        Args:
            labels: A name for each cluster.
            setting: What the windows hold.
            found: Methods and clusters.
            whole: Label a recording when it is over.

        Raises:
            ConfigError: An option of a method is out of range.
            BundleError: A tensor of a method is missing or of another shape.
        """
        self._labels, self._found, self._whole = labels, found, whole
        self._finder = found.finder(setting)
        self._counters: Counter[str] = Counter()
        self.reset()

    @property
    def counters(self) -> Counter[str]:
        """Nothing is dropped: empty."""
        return self._counters

    @property
    def warnings(self) -> tuple[str, ...]:
        """Nothing is ever otherwise than asked: empty."""
        return ()

    @property
    def labels(self) -> LabelSet:
        """The labels that it can give."""
        return self._labels

    @property
    def decoding(self) -> Decoding:
        """Without options: boundaries decide."""
        return Decoding()

    @property
    def revision_lag(self) -> int:
        """How many frames a label waits for."""
        lag = self._finder.detector.lag
        return WHOLE_RECORDING if self._whole or lag is None else lag

    def set_hold(
        self, min_confidence: float | None = None, min_duration: float | None = None
    ) -> None:
        """Refuse a hold rule; see Segmenter.

        Raises:
            ConfigError: One is given.
        """
        if min_confidence is not None or min_duration is not None:
            msg = 'a discovered model has no hold rule: its labels change at boundaries'
            raise ConfigError(msg)

    def _forget(self) -> None:
        self._withholding = Withholding(0.0)
        self._index = -1
        self._restart()

    def _restart(self) -> None:
        self._finder.reset()
        self._frames: deque[Frame] = deque()
        self._decided = 0
        self._since = 0
        self._scores: list[float] = []

    def _label(self, run: FrameWindows) -> list[FrameLabel]:
        masks = run.masks
        for k in range(len(run)):
            start, stamp = int(run.starts[k]), int(run.stamps[k])
            self._frames.append(Frame(start, stamp, int(masks[k]), 0.0, self.revision_lag))
        self._withholding.expect(_doubts(run))
        scores = self._finder.extend(run).tolist()
        if self._whole:
            self._scores += scores
            return []
        return self._withholding.apply(self._running(scores))

    def _pending(self) -> list[FrameLabel]:
        scores = self._finder.detector.finish().tolist()
        labels = self._segments(self._scores + scores) if self._whole else self._running(scores)
        return self._withholding.apply(labels)

    def _running(self, scores: list[float]) -> list[FrameLabel]:
        """Label frames that are decided by what was seen of their segments until then."""
        labels = []
        for score in scores:
            now = self._decided
            if score > 0 or now == 0:
                self._since = now
                self._index += 1
            p = self._probabilities(self._since, now + 1)
            labels.append(self._frame_label(p, self._frames.popleft(), score))
            self._decided += 1
        self._finder.describer.forget(max(self._since, self._decided - LONGEST))
        return labels

    def _segments(self, scores: list[float]) -> list[FrameLabel]:
        """Label the frames of a whole run by what their segments look like."""
        cuts = [0, *(k for k, score in enumerate(scores) if score > 0 and k), len(scores)]
        labels = []
        for lo, hi in pairwise(cuts) if scores else ():
            self._index += 1
            p = self._probabilities(lo, hi)
            for k in range(lo, hi):
                frame = self._frames.popleft()
                labels.append(self._frame_label(p, frame, scores[k], len(scores) - 1 - k))
        return labels

    def _probabilities(self, first: int, end: int) -> NDArray[np.float32]:
        description = self._finder.describer.describe(first, end)[None]
        found: NDArray[np.float32] = self._found.clusters.probabilities(description)[0]
        return found

    def _frame_label(
        self, probabilities: NDArray[np.float32], frame: Frame, score: float, lag: int | None = None
    ) -> FrameLabel:
        best = int(probabilities.argmax())
        return FrameLabel(
            stamp=frame.stamp,
            label_id=best,
            label=self._labels.names[best],
            confidence=float(probabilities[best]),
            probabilities=probabilities,
            boundary_score=score,
            segment_index=self._index,
            segment_start=frame.stamp,
            revision_lag=self.revision_lag if lag is None else lag,
            modality_mask=frame.mask,
        )


def _doubts(windows: FrameWindows) -> list[Doubt]:
    """Return what speaks against labels: nothing, unless no sensor says anything."""
    nothing = Doubt(missing=tuple(windows.modalities), expected=len(windows.modalities))
    there = np.asarray(windows.present.any(axis=1))
    return [Doubt() if any_sensor else nothing for any_sensor in there.tolist()]
