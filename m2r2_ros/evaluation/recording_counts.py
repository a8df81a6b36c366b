# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What one recording adds to the scores."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import Segment
from m2r2_ros.evaluation.boundaries import boundary_counts, boundary_segments
from m2r2_ros.evaluation.calibration import Reliability, brier_score
from m2r2_ros.evaluation.confusion import Confusion, confusion
from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.delay import boundary_delays
from m2r2_ros.evaluation.detection import T_E, one_to_one_counts, published_counts
from m2r2_ros.evaluation.edit import edit_score
from m2r2_ros.evaluation.f1 import segment_counts
from m2r2_ros.evaluation.runs import change_points, held, runs_of
from m2r2_ros.evaluation.sequence import ScoredSequence, names_of

BACKGROUND: Final = ('background',)
OVERLAPS: Final = (10, 25, 50)
#: How far the sum of a frame's probabilities may be from 1; others, such as none at all, are left.
_SLACK: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be set of the metrics.

    Attributes:
        background: Labels that edit and F1 skip; accuracy, detection rates, boundary F1 and
            delay look at every label.
        t_e: Half width of the window of the detection rates, frames.
        boundary_tolerances_s: Tolerances of the boundary F1, seconds.
        delay_tolerance_s: Farthest that a change of label may lie from a boundary and still
            count as its detection, seconds.
    """

    background: Collection[str] = BACKGROUND
    t_e: int = T_E
    boundary_tolerances_s: Sequence[float] = (2.0, 5.0)
    delay_tolerance_s: float = 2.0


@dataclass(frozen=True, slots=True)
class RecordingCounts:
    """Counts and sums of one recording, over its frames with a true label.

    Attributes:
        frames: Frames with a true label.
        frames_unlabelled: Frames without one.
        covered: Frames that were given a label.
        correct: Frames that were given the right one.
        confusion: Frames by true and given label.
        edit: Edit score, None without frames.
        f1: Counts of segments by overlap threshold.
        dr: Counts of boundaries as published.
        dr_one_to_one: Counts of boundaries matched one to one.
        boundary_f1: Boundary F1 by tolerance, None without boundaries.
        delays: float64, of each true boundary, seconds, NaN where it was missed.
        steps: int64, from each frame to the next, nanoseconds.
        confidences: float32 (frames,), -inf where there is no label; none where the
            recording has no confidences.
        right: Bool, of the same frames.
        reliability: Of the frames that were given a label.
        brier: Sum of the Brier scores of frames with probabilities.
        brier_frames: Their number.
    """

    frames: int
    frames_unlabelled: int
    covered: int
    correct: int
    confusion: Confusion
    edit: float | None
    f1: dict[int, Counts]
    dr: Counts
    dr_one_to_one: Counts
    boundary_f1: dict[float, float | None]
    delays: NDArray[np.float64]
    steps: NDArray[np.int64]
    confidences: NDArray[np.float32]
    right: NDArray[np.bool_]
    reliability: Reliability
    brier: float
    brier_frames: int


def count_recording(track: ScoredSequence, rules: Rules) -> RecordingCounts:
    """Compare the labels of a recording with its truth."""
    names = names_of([track])
    truth, predicted = track.ids(names)
    unknown = names.index('') if '' in names else len(names)
    skipped = [unknown, *(k for k, name in enumerate(names) if name in rules.background)]
    changes = held(predicted, unknown)
    covered, right = predicted != unknown, predicted == truth
    confidences = _confidences(track, covered)
    rated = right[: len(confidences)]
    sure = np.isfinite(confidences)
    brier = _brier(track)
    return RecordingCounts(
        frames=len(truth),
        frames_unlabelled=int((~track.labelled).sum()),
        covered=int(covered.sum()),
        correct=int(right.sum()),
        confusion=confusion(truth, predicted, names),
        edit=edit_score(truth, predicted, skipped) if len(truth) else None,
        f1={k: segment_counts(truth, predicted, k / 100, skipped) for k in OVERLAPS},
        dr=published_counts(truth, changes, rules.t_e),
        dr_one_to_one=one_to_one_counts(truth, changes, rules.t_e),
        boundary_f1={
            s: _boundary_counts(track, changes, s).f1 for s in rules.boundary_tolerances_s
        },
        delays=_delays(track, rules.delay_tolerance_s),
        steps=np.diff(track.stamps),
        confidences=confidences,
        right=rated,
        reliability=Reliability.of(confidences[sure], rated[sure]),
        brier=float(brier.sum()),
        brier_frames=len(brier),
    )


def inner_boundaries(track: ScoredSequence) -> list[Segment]:
    """Return the true segments that start with a boundary between the first and the last frame."""
    if not len(track.stamps):
        return []
    return [
        segment
        for segment in boundary_segments(track.truth_segments)
        if track.stamps[0] < segment.start <= track.stamps[-1]
    ]


def _confidences(track: ScoredSequence, covered: NDArray[np.bool_]) -> NDArray[np.float32]:
    if track.confidences is None:
        return np.zeros(0, np.float32)
    return np.where(covered, track.confidences[track.labelled], -np.inf).astype(np.float32)


def _brier(track: ScoredSequence) -> NDArray[np.float64]:
    if track.probabilities is None:
        return np.zeros(0)
    whole = np.abs(track.probabilities.sum(axis=1) - 1.0) < _SLACK
    keep = np.flatnonzero(track.labelled & whole)
    truth = [track.truth[k] for k in keep.tolist()]
    return brier_score(track.probabilities[keep], track.classes, truth)


def _delays(track: ScoredSequence, tolerance_s: float) -> NDArray[np.float64]:
    names = {name: k for k, name in enumerate(sorted(set(track.predicted)))}
    runs = runs_of(np.array([names[label] for label in track.predicted], np.int64))
    labels = [track.predicted[k] for k in runs.starts]
    starts, known = track.stamps[runs.starts], track.known[runs.starts]
    return boundary_delays(inner_boundaries(track), starts, labels, known, tolerance_s)


def _boundary_counts(
    track: ScoredSequence, changes: NDArray[np.int64], tolerance_s: float
) -> Counts:
    found = track.stamps[track.labelled][change_points(changes)]
    truth = np.array([segment.start for segment in inner_boundaries(track)], np.int64)
    return boundary_counts(truth, found, tolerance_s)
