# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One recording as the metrics see it: predicted labels beside ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment, label_at
from m2r2_ros.evaluation.runs import change_points


@dataclass(frozen=True)
class ScoredSequence:
    """Predicted labels of one recording and its ground truth.

    The truth of a frame is the label of the true segment with start <= stamp < end; a frame
    outside every true segment is unlabelled and ignored by every metric.

    Attributes:
        name: Name of the recording.
        stamps: int64 (n,), frame stamps, strictly increasing, nanoseconds.
        predicted: n predicted labels; '' where the segmenter did not know one.
        truth_segments: True segments in order of start.
        revision_lag_s: How much later than its stamp each frame was labelled, seconds; one
            number or float64 (n,). 0 is strictly online.
        confidences: Float (n,), probability of each predicted label, where it is known.
        probabilities: Float (n, C), of every class, where they are known.
        classes: Labels of the C columns.
    """

    name: str
    stamps: NDArray[np.int64]
    predicted: Sequence[str]
    truth_segments: Sequence[Segment]
    revision_lag_s: float | NDArray[np.float64] = 0.0
    confidences: NDArray[np.floating] | None = None
    probabilities: NDArray[np.floating] | None = None
    classes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if len(self.stamps) != len(self.predicted):
            msg = f'{self.name}: {len(self.predicted)} labels for {len(self.stamps)} frames'
            raise LabelError(msg)
        if np.any(np.diff(self.stamps) <= 0):
            msg = f'{self.name}: frame stamps must increase; sort the frames and drop repeated ones'
            raise LabelError(msg)
        self._expect_shapes()
        starts = [segment.start for segment in self.truth_segments]
        if starts != sorted(starts):
            msg = f'{self.name}: ground truth segments must be in order of start'
            raise LabelError(msg)

    def _expect_shapes(self) -> None:
        n, columns = len(self.stamps), len(self.classes)
        if self.confidences is not None and self.confidences.shape != (n,):
            msg = f'{self.name}: confidences of shape {self.confidences.shape} for {n} frames'
            raise LabelError(msg)
        if self.probabilities is not None and self.probabilities.shape != (n, columns):
            msg = (
                f'{self.name}: probabilities of shape {self.probabilities.shape} for {n} frames '
                f'and {columns} labels'
            )
            raise LabelError(msg)

    @cached_property
    def truth(self) -> list[str]:
        """The true label of each frame, '' where it is unlabelled."""
        return label_at(self.truth_segments, self.stamps)

    @cached_property
    def labelled(self) -> NDArray[np.bool_]:
        """Bool (n,): frames that have a true label."""
        return np.array([label != '' for label in self.truth], np.bool_)

    @property
    def known(self) -> NDArray[np.int64]:
        """int64 (n,): when each frame's label was known, nanoseconds."""
        lag = np.broadcast_to(np.asarray(self.revision_lag_s, np.float64), self.stamps.shape)
        return self.stamps + np.round(lag * 1e9).astype(np.int64)

    def ids(self, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return true and predicted label ids of the labelled frames, int64 (k,) each.

        Args:
            names: Every label that occurs, as `names_of` gives it.
        """
        index = {name: k for k, name in enumerate(names)}
        keep = np.flatnonzero(self.labelled)
        truth = np.array([index[self.truth[k]] for k in keep.tolist()], np.int64)
        predicted = np.array([index[self.predicted[k]] for k in keep.tolist()], np.int64)
        return truth, predicted


def names_of(sequences: Sequence[ScoredSequence]) -> tuple[str, ...]:
    """Return every label that occurs at a labelled frame, true or predicted, in order of name."""
    pairs = [pair for s in sequences for pair in zip(s.truth, s.predicted, strict=True)]
    return tuple(sorted({label for pair in pairs if pair[0] for label in pair}))


def segments_of(stamps: NDArray[np.int64], labels: Sequence[str]) -> list[Segment]:
    """Return the segments of per-frame labels, the last one ending just after its last frame.

    Args:
        stamps: int64 (n,), frame stamps, nanoseconds.
        labels: n labels; '' makes a gap.
    """
    if not len(stamps):
        return []
    codes = np.unique(np.array(labels, np.str_), return_inverse=True)[1].astype(np.int64)
    starts = np.concatenate((np.zeros(1, np.int64), change_points(codes)))
    ends = np.append(stamps[starts[1:]], stamps[-1] + 1)
    return [
        Segment(int(stamps[a]), int(end), labels[a])
        for a, end in zip(starts, ends, strict=True)
        if labels[a]
    ]
