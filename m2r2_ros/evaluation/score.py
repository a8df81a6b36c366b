# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All metrics of a set of recordings in one object."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import Segment
from m2r2_ros.evaluation.accuracy import frame_accuracy
from m2r2_ros.evaluation.boundaries import boundary_counts, boundary_segments
from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.delay import boundary_delays
from m2r2_ros.evaluation.detection import T_E, one_to_one_counts, published_counts
from m2r2_ros.evaluation.edit import edit_score
from m2r2_ros.evaluation.f1 import segment_counts
from m2r2_ros.evaluation.runs import change_points, runs_of
from m2r2_ros.evaluation.sequence import ScoredSequence, names_of

BACKGROUND = ('background',)
OVERLAPS = (10, 25, 50)


@dataclass(frozen=True, slots=True)
class Scores:
    """Metrics of one or more recordings; None where a metric is undefined.

    `accuracy` is a fraction, 0..1. Edit, F1, detection rates and boundary F1 are percent, 0..100.

    Attributes:
        accuracy: Fraction of frames labelled correctly, pooled over recordings.
        edit: Segmental edit score, mean of recordings, percent.
        f1: Segmental F1 by overlap threshold in percent (10, 25, 50), counts pooled, percent.
        dr: Detection rate as published, counts pooled, percent.
        dr_one_to_one: Detection rate with one-to-one matching, counts pooled, percent.
        boundary_f1: Boundary F1 by tolerance in seconds, mean of recordings, percent.
        boundary_delay_median_s: Median delay of the boundaries that were found, seconds.
        boundary_delay_p90_s: 90th percentile of these delays, seconds.
        boundaries: True boundaries after the first frame.
        boundaries_missed: Those among them without a matching change of the prediction.
        frames: Frames that were scored.
        frames_unlabelled: Frames outside every true segment, left out.
        recordings: Number of recordings.
        frame_rate_hz: Median frame rate.
        t_e_frames: Half width of the window of both detection rates, frames.
    """

    accuracy: float | None
    edit: float | None
    f1: dict[int, float | None]
    dr: float | None
    dr_one_to_one: float | None
    boundary_f1: dict[float, float | None]
    boundary_delay_median_s: float | None
    boundary_delay_p90_s: float | None
    boundaries: int
    boundaries_missed: int
    frames: int
    frames_unlabelled: int
    recordings: int
    frame_rate_hz: float | None
    t_e_frames: int

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the metrics under their flat JSON names, such as 'f1@50'."""
        return {
            'accuracy': self.accuracy,
            'edit': self.edit,
            **{f'f1@{k}': value for k, value in self.f1.items()},
            'dr': self.dr,
            'dr_one_to_one': self.dr_one_to_one,
            **{f'boundary_f1@{k:g}s': value for k, value in self.boundary_f1.items()},
            'boundary_delay_median_s': self.boundary_delay_median_s,
            'boundary_delay_p90_s': self.boundary_delay_p90_s,
            'boundaries': self.boundaries,
            'boundaries_missed': self.boundaries_missed,
            'frames': self.frames,
            'frames_unlabelled': self.frames_unlabelled,
            'recordings': self.recordings,
            'frame_rate_hz': self.frame_rate_hz,
            't_e_frames': self.t_e_frames,
        }


def score(
    tracks: Sequence[ScoredSequence],
    *,
    background: Collection[str] = BACKGROUND,
    t_e: int = T_E,
    boundary_tolerances_s: Sequence[float] = (2.0, 5.0),
    delay_tolerance_s: float = 2.0,
) -> Scores:
    """Score labels against ground truth.

    Args:
        tracks: Recordings.
        background: Labels that edit and F1 skip; accuracy, detection rates, boundary F1 and
            delay look at every label.
        t_e: Half width of the window of the detection rates, frames.
        boundary_tolerances_s: Tolerances of the boundary F1, seconds.
        delay_tolerance_s: Farthest that a change of label may lie from a boundary and still
            count as its detection, seconds.
    """
    names = names_of(tracks)
    skipped = [k for k, name in enumerate(names) if name in background]
    pairs = [pair for pair in (track.ids(names) for track in tracks) if len(pair[0])]
    delays = np.concatenate([np.zeros(0), *(_delays(track, delay_tolerance_s) for track in tracks)])
    found = delays[~np.isnan(delays)]
    return Scores(
        accuracy=frame_accuracy([t for t, _ in pairs], [p for _, p in pairs]),
        edit=_mean([edit_score(t, p, skipped) for t, p in pairs]),
        f1={k: _sum(segment_counts(t, p, k / 100, skipped) for t, p in pairs).f1 for k in OVERLAPS},
        dr=_sum(published_counts(t, p, t_e) for t, p in pairs).f1,
        dr_one_to_one=_sum(one_to_one_counts(t, p, t_e) for t, p in pairs).f1,
        boundary_f1={
            s: _mean([_boundary_counts(track, s).f1 for track in tracks])
            for s in boundary_tolerances_s
        },
        boundary_delay_median_s=float(np.median(found)) if len(found) else None,
        boundary_delay_p90_s=float(np.percentile(found, 90)) if len(found) else None,
        boundaries=len(delays),
        boundaries_missed=len(delays) - len(found),
        frames=sum(len(truth) for truth, _ in pairs),
        frames_unlabelled=sum(int((~track.labelled).sum()) for track in tracks),
        recordings=len(tracks),
        frame_rate_hz=_frame_rate(tracks),
        t_e_frames=t_e,
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


def _delays(track: ScoredSequence, tolerance_s: float) -> NDArray[np.float64]:
    names = {name: k for k, name in enumerate(sorted(set(track.predicted)))}
    runs = runs_of(np.array([names[label] for label in track.predicted], np.int64))
    labels = [track.predicted[k] for k in runs.starts]
    starts, known = track.stamps[runs.starts], track.known[runs.starts]
    return boundary_delays(inner_boundaries(track), starts, labels, known, tolerance_s)


def _boundary_counts(track: ScoredSequence, tolerance_s: float) -> Counts:
    _, predicted = track.ids(names_of([track]))
    found = track.stamps[track.labelled][change_points(predicted)]
    truth = np.array([segment.start for segment in inner_boundaries(track)], np.int64)
    return boundary_counts(truth, found, tolerance_s)


def _frame_rate(tracks: Sequence[ScoredSequence]) -> float | None:
    steps = np.concatenate([np.zeros(0, np.int64), *(np.diff(track.stamps) for track in tracks)])
    step = float(np.median(steps)) if len(steps) else 0.0
    return 1e9 / step if step > 0 else None


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
