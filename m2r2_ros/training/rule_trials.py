# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rules tried on recordings that they were not learnt from."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN, LabelSet
from m2r2_ros.core.time import SECOND
from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.f1 import segment_counts
from m2r2_ros.evaluation.recording_counts import BACKGROUND
from m2r2_ros.evaluation.score import Scores, score
from m2r2_ros.segmenters.calibration import calibrated
from m2r2_ros.segmenters.decoding import Rule
from m2r2_ros.segmenters.frame import Frame
from m2r2_ros.segmenters.lags import Smoother, all_late
from m2r2_ros.training.calibrate import doubtful_below, fit_temperature
from m2r2_ros.training.fit_commit import Track
from m2r2_ros.training.posteriors import Posterior
from m2r2_ros.training.scoring import sequence_of

#: Recordings are left out one by one, or in so many groups.
FOLDS: Final = 8

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """A rule, and how it did.

    Attributes:
        sort: 'arg max', 'hold' or 'commit'.
        rule: Learnt from all recordings.
        marks: What its labels add in each recording, where it was not learnt from that one.
        scores: All scores on these.
    """

    sort: str
    rule: Rule
    marks: Sequence['Marks']
    scores: Scores

    @property
    def value(self) -> float:
        """Accuracy in percent + F1@50, on recordings that it was not learnt from."""
        return total(self.marks).value

    @property
    def accuracy(self) -> float:
        """Share of frames with the right label there, percent."""
        return total(self.marks).accuracy

    def is_better(self, other: 'RuleTrial', margin: float) -> bool:
        """Return whether it beats another one by more than a margin and than chance.

        Chance is two standard errors of the difference between both, by the jackknife over
        recordings (Efron and Tibshirani, 1993, ch. 11).

        Args:
            other: A trial on the same recordings.
            margin: Points of `value`.
        """
        pairs = zip(_without_each(self.marks), _without_each(other.marks), strict=True)
        differences = np.array([a.value - b.value for a, b in pairs])
        n = len(differences)
        error = math.sqrt((n - 1) / n * ((differences - differences.mean()) ** 2).sum())
        return self.value - other.value > max(margin, 2 * error)

    @property
    def probabilities(self) -> str:
        """What the rule looks at."""
        if not self.rule.lag:
            return 'as they come'
        return 'own output' if self.rule.own_output else 'mean'

    def row(self) -> dict[str, Any]:
        """Return what a bundle keeps of it."""
        s = self.scores
        return {
            'lag': self.rule.lag,
            'probabilities': self.probabilities,
            'rule': self.sort,
            'accuracy': s.accuracy,
            'f1@50': s.f1[50],
            'delay_median_s': s.boundary_delay_median_s,
            'delay_p90_s': s.boundary_delay_p90_s,
        }


@dataclass(frozen=True, slots=True)
class Marks:
    """What the labels of recordings add to accuracy and F1@50.

    Attributes:
        right: Frames with the right label.
        frames: Frames that have a true label.
        segments: Segments that overlap by half, and those that do not.
    """

    right: int
    frames: int
    segments: Counts

    @classmethod
    def of(cls, targets: Ids, predicted: Ids, labels: LabelSet) -> 'Marks':
        """Count the labels of one recording, int64 (T,) both."""
        known = targets != UNKNOWN
        y, own = targets[known], predicted[known]
        skipped = [labels.id_of(name) for name in BACKGROUND if name in labels.names]
        return cls(int((y == own).sum()), len(y), segment_counts(y, own, 0.5, skipped))

    def __add__(self, other: 'Marks') -> 'Marks':
        return Marks(
            self.right + other.right, self.frames + other.frames, self.segments + other.segments
        )

    @property
    def accuracy(self) -> float:
        """Share of frames with the right label, percent."""
        return 100 * self.right / max(self.frames, 1)

    @property
    def f1(self) -> float:
        """F1@50, percent."""
        return self.segments.f1 or 0.0

    @property
    def value(self) -> float:
        """What rules are chosen by."""
        return self.accuracy + self.f1


class RuleTrials:
    """Tries rules on recordings.

    Attributes:
        tracks: The recordings, each with some labelled frames.
    """

    def __init__(self, tracks: Sequence[Track], labels: LabelSet, frame_rate: float) -> None:
        """Take recordings."""
        self.tracks = tracks
        self._labels, self._period = labels, SECOND / frame_rate
        n = min(FOLDS, len(tracks))
        self._folds = [list(range(k, len(tracks), n)) for k in range(n)]

    def of_rule(self, sort: str, rule: Rule) -> RuleTrial:
        """Try a rule that learns nothing."""
        return self._trial(sort, rule, [self._decide(t, rule) for t in self.tracks])

    def of_best(self, sort: str, rules: Sequence[Rule]) -> RuleTrial:
        """Try to choose among rules: on each recording the one that is best on the others."""
        predicted = [[self._decide(t, rule) for t in self.tracks] for rule in rules]
        marks = [self._marks(found) for found in predicted]

        def best(chosen: Sequence[int]) -> int:
            values = [total([found[k] for k in chosen]).value for found in marks]
            return int(np.argmax(values))

        held_out = [np.zeros(0, np.int64)] * len(self.tracks)
        for fold in self._folds:
            rule = best(self._rest(fold))
            for k in fold:
                held_out[k] = predicted[rule][k]
        return self._trial(sort, rules[best(range(len(self.tracks)))], held_out)

    def of_learnt(
        self,
        sort: str,
        learn: Callable[[Sequence[int]], Rule | None],
        thresholds: Sequence[float],
    ) -> RuleTrial | None:
        """Try what is learnt from the other recordings; the threshold is chosen on all.

        Args:
            sort: What to call it.
            learn: Returns the rule that some recordings, by number, teach; None without one.
            thresholds: Of the rule.
        """
        held_out = [[np.zeros(0, np.int64)] * len(self.tracks) for _ in thresholds]
        for fold in self._folds:
            rule = learn(self._rest(fold))
            if rule is None:
                return None
            for found, threshold in zip(held_out, thresholds, strict=True):
                for k in fold:
                    found[k] = self._decide(self.tracks[k], replace(rule, threshold=threshold))
        rule = learn(range(len(self.tracks)))
        if rule is None:
            return None
        best = int(np.argmax([total(self._marks(found)).value for found in held_out]))
        return self._trial(sort, replace(rule, threshold=thresholds[best]), held_out[best])

    def _rest(self, fold: Sequence[int]) -> list[int]:
        return [k for k in range(len(self.tracks)) if k not in fold]

    def _decide(self, track: Track, rule: Rule) -> Ids:
        return decide(track, rule, self._labels, self._period)

    def _marks(self, predicted: Sequence[Ids]) -> list[Marks]:
        return [
            Marks.of(track.targets, ids, self._labels)
            for track, ids in zip(self.tracks, predicted, strict=True)
        ]

    def _trial(self, sort: str, rule: Rule, predicted: Sequence[Ids]) -> RuleTrial:
        sequences = [
            sequence_of(
                str(k), track.targets, ids, self._labels.names, self._period,
                lag_s=rule.lag * self._period / SECOND,
            )
            for k, (track, ids) in enumerate(zip(self.tracks, predicted, strict=True))
        ]  # fmt: skip
        scores = score(sequences)
        delay = scores.boundary_delay_median_s
        confidences = [
            float(track.probabilities[np.arange(len(ids)), ids].mean())
            for track, ids in zip(self.tracks, predicted, strict=True)
        ]
        rule = replace(
            rule,
            delay_s=-1.0 if delay is None else round(max(delay, 0.0), 3),
            doubtful_below=doubtful_below(confidences),
        )
        return RuleTrial(sort, rule, self._marks(predicted), scores)


def track_of(posterior: Posterior, rule: Rule) -> Track:
    """Return a recording as a rule sees it."""
    rows = _late(posterior, rule.lag, own=rule.own_output)
    return Track(calibrated(rows, rule.temperature), posterior.boundaries, posterior.targets)


def plain_rule(found: Sequence[Posterior], lag: int, *, own: bool) -> Rule:
    """Return arg max with the temperature that recordings ask for.

    Args:
        found: What the head says of them.
        lag: Frames that labels wait for.
        own: Take the head's output for this lag, not the mean around the frame.
    """
    rows = [_late(p, lag, own=own) for p in found]
    temperature = fit_temperature(rows, [p.targets for p in found])
    return Rule(lag=lag, temperature=temperature, own_output=own)


def decide(track: Track, rule: Rule, labels: LabelSet, period: float) -> Ids:
    """Return the labels of a recording by a rule, int64 (T,); the period is in nanoseconds."""
    decider = rule.decider(labels)
    edges = np.round(np.arange(len(track.targets) + 1) * period).astype(np.int64).tolist()
    ids = [
        decider.step(p, Frame(edges[t], edges[t + 1], 0, boundary, 0))
        for t, (p, boundary) in enumerate(
            zip(track.probabilities, track.boundaries.tolist(), strict=True)
        )
    ]
    return np.array(ids, np.int64)


def total(marks: Sequence[Marks]) -> Marks:
    """Return what all recordings add together."""
    return reduce(Marks.__add__, marks)


def _without_each(marks: Sequence[Marks]) -> list[Marks]:
    """Return what all recordings but one add together, for each one."""
    none = Marks(0, 0, Counts())
    before = list(accumulate(marks, initial=none))[:-1]
    behind = list(accumulate(reversed(marks), initial=none))[:-1]
    return [a + b for a, b in zip(before, reversed(behind), strict=True)]


def _late(posterior: Posterior, lag: int, *, own: bool) -> NDArray[np.float32]:
    if own:
        return posterior.later[lag]
    return all_late({0: posterior.probabilities}, Smoother(lag))
