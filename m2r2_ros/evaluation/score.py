# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All metrics of a set of recordings in one object."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.evaluation.auroc import auroc
from m2r2_ros.evaluation.calibration import BINS, Reliability
from m2r2_ros.evaluation.detection import T_E
from m2r2_ros.evaluation.recording_counts import (
    BACKGROUND,
    OVERLAPS,
    RecordingCounts,
    Rules,
    count_recording,
)
from m2r2_ros.evaluation.selective import accuracy_kept
from m2r2_ros.evaluation.sequence import ScoredSequence
from m2r2_ros.evaluation.weighted import Weights, mean, percentile, pooled_f1, ratio, total

#: Percent of the frames, the most confident ones, whose accuracy is told.
KEPT: Final = (50, 80, 90, 95)
_T = TypeVar('_T', bound=np.generic)


@dataclass(frozen=True, slots=True)
class Scores:
    """Metrics of one or more recordings; None where a metric is undefined.

    Accuracies, coverage, calibration error and areas are fractions, 0..1. Edit, F1, detection
    rates and boundary F1 are percent, 0..100.

    Attributes:
        accuracy: Fraction of frames labelled correctly, pooled over recordings; a frame without
            a label is wrong.
        coverage: Fraction of frames that were given a label.
        accuracy_covered: Fraction of those that were given the right one.
        edit: Segmental edit score, mean of recordings, percent.
        f1: Segmental F1 by overlap threshold in percent (10, 25, 50), counts pooled, percent.
        dr: Detection rate as published, counts pooled, percent.
        dr_one_to_one: Detection rate with one-to-one matching, counts pooled, percent.
        boundary_f1: Boundary F1 by tolerance in seconds, mean of recordings, percent.
        boundary_delay_median_s: Median delay of the boundaries that were found, seconds.
        boundary_delay_p90_s: 90th percentile of these delays, seconds.
        boundaries: True boundaries after the first frame.
        boundaries_missed: Those among them without a matching change of the prediction.
        ece: Expected calibration error of the confidences of labels, 0..1.
        brier: Mean Brier score of the probabilities, 0..2.
        confidence_auroc: How well confidence tells right labels from wrong ones, 0..1.
        accuracy_kept: Accuracy of the most confident frames, by their percentage.
        frames: Frames that were scored.
        frames_unlabelled: Frames outside every true segment, left out.
        recordings: Number of recordings.
        frame_rate_hz: Median frame rate.
        t_e_frames: Half width of the window of both detection rates, frames.
    """

    accuracy: float | None
    coverage: float | None
    accuracy_covered: float | None
    edit: float | None
    f1: dict[int, float | None]
    dr: float | None
    dr_one_to_one: float | None
    boundary_f1: dict[float, float | None]
    boundary_delay_median_s: float | None
    boundary_delay_p90_s: float | None
    boundaries: int
    boundaries_missed: int
    ece: float | None
    brier: float | None
    confidence_auroc: float | None
    accuracy_kept: dict[int, float | None]
    frames: int
    frames_unlabelled: int
    recordings: int
    frame_rate_hz: float | None
    t_e_frames: int

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the metrics under their flat JSON names, such as 'f1@50'."""
        return {
            'accuracy': self.accuracy,
            'coverage': self.coverage,
            'accuracy_covered': self.accuracy_covered,
            'edit': self.edit,
            **{f'f1@{k}': value for k, value in self.f1.items()},
            'dr': self.dr,
            'dr_one_to_one': self.dr_one_to_one,
            **{f'boundary_f1@{k:g}s': value for k, value in self.boundary_f1.items()},
            'boundary_delay_median_s': self.boundary_delay_median_s,
            'boundary_delay_p90_s': self.boundary_delay_p90_s,
            'boundaries': self.boundaries,
            'boundaries_missed': self.boundaries_missed,
            'ece': self.ece,
            'brier': self.brier,
            'confidence_auroc': self.confidence_auroc,
            **{f'accuracy_kept@{k}': value for k, value in self.accuracy_kept.items()},
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
        background: Labels that edit and F1 skip.
        t_e: Half width of the window of the detection rates, frames.
        boundary_tolerances_s: Tolerances of the boundary F1, seconds.
        delay_tolerance_s: Farthest that a change of label may lie from a boundary and still
            count as its detection, seconds.
    """
    rules = Rules(background, t_e, boundary_tolerances_s, delay_tolerance_s)
    return Pool([count_recording(track, rules) for track in tracks], rules).scores()


class Pool:
    """Recordings together, each of which may be there any number of times.

    What they add lies side by side in arrays, so that a resampling of recordings costs little.
    """

    def __init__(self, counted: Sequence[RecordingCounts], rules: Rules) -> None:
        """Put counts side by side.

        Args:
            counted: Counts of the recordings.
            rules: What they were made with.
        """
        self._counted, self._rules = tuple(counted), rules
        steps, _ = _joined([r.steps for r in counted], np.int64)
        step = float(np.median(steps)) if len(steps) else 0.0
        self._frame_rate = 1e9 / step if step > 0 else None
        found = [r.delays[~np.isnan(r.delays)] for r in counted]
        self._delays, self._delay_of = _joined(found, np.float64)
        confidences, owner = _joined([r.confidences for r in counted], np.float32)
        right, _ = _joined([r.right for r in counted], np.bool_)
        order = np.argsort(confidences, kind='stable')  # what is in order is sorted quickly again
        self._confidences, self._right, self._owner = confidences[order], right[order], owner[order]

    def __len__(self) -> int:
        return len(self._counted)

    def scores(self, weights: Weights | None = None) -> Scores:
        """Return the metrics.

        Args:
            weights: int64 (R,), how often each recording is there; once by default.
        """
        w = self._weights(weights)
        counted = self._counted
        frames = [r.frames for r in counted]
        covered = [r.covered for r in counted]
        correct = [r.correct for r in counted]
        boundaries = total(w, [len(r.delays) for r in counted])
        delays = np.repeat(self._delays, w[self._delay_of])
        return Scores(
            accuracy=ratio(w, correct, frames),
            coverage=ratio(w, covered, frames),
            accuracy_covered=ratio(w, correct, covered),
            edit=mean(w, [r.edit for r in counted]),
            f1={k: pooled_f1(w, [r.f1[k] for r in counted]) for k in OVERLAPS},
            dr=pooled_f1(w, [r.dr for r in counted]),
            dr_one_to_one=pooled_f1(w, [r.dr_one_to_one for r in counted]),
            boundary_f1={
                s: mean(w, [r.boundary_f1[s] for r in counted])
                for s in self._rules.boundary_tolerances_s
            },
            boundary_delay_median_s=percentile(delays, 50),
            boundary_delay_p90_s=percentile(delays, 90),
            boundaries=boundaries,
            boundaries_missed=boundaries - len(delays),
            ece=self.reliability(w).ece,
            brier=ratio(w, [r.brier for r in counted], [r.brier_frames for r in counted]),
            confidence_auroc=self._auroc(w),
            accuracy_kept={
                k: None if np.isnan(a) else float(a)
                for k, a in zip(KEPT, self.accuracy_kept(np.array(KEPT) / 100, w), strict=True)
            },
            frames=total(w, frames),
            frames_unlabelled=total(w, [r.frames_unlabelled for r in counted]),
            recordings=int(w.sum()),
            frame_rate_hz=self._frame_rate,
            t_e_frames=self._rules.t_e,
        )

    def reliability(self, weights: Weights | None = None) -> Reliability:
        """Return labelled frames by confidence; weights as of `scores`."""
        w = self._weights(weights)
        bins = [r.reliability for r in self._counted]
        return Reliability(
            np.dot(w, np.array([b.frames for b in bins], np.int64).reshape(-1, BINS)),
            np.dot(w, np.array([b.confidence for b in bins], np.float64).reshape(-1, BINS)),
            np.dot(w, np.array([b.right for b in bins], np.int64).reshape(-1, BINS)),
        )

    def accuracy_kept(
        self, shares: NDArray[np.float64], weights: Weights | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy of the most confident frames, see `selective.accuracy_kept`."""
        w = self._weights(weights)
        return accuracy_kept(self._confidences, self._right, shares, w[self._owner])

    def _weights(self, weights: Weights | None) -> Weights:
        return np.ones(len(self), np.int64) if weights is None else weights

    def _auroc(self, weights: Weights) -> float | None:
        """Among frames with a label: the greater confidence is that of the right one."""
        first = int(np.searchsorted(self._confidences, -np.inf, side='right'))
        w = weights[self._owner[first:]]
        return auroc(self._confidences[first:], self._right[first:], w)


def _joined(parts: Sequence[NDArray[_T]], dtype: type[_T]) -> tuple[NDArray[_T], NDArray[np.intp]]:
    """Return the values of all recordings, and which recording each of them is of."""
    values = np.concatenate([np.zeros(0, dtype), *parts])
    return values, np.repeat(np.arange(len(parts)), [len(part) for part in parts])
