# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Learn how labels are decided from recordings that the network was not trained on.

For each lag, arg max, hold rules and the commit rule are compared by leaving recordings out, on
what the head says of that lag and on the mean around the frame. Of those that score best, and
never below arg max, the one is kept whose labels are right most often.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN, LabelSet
from m2r2_ros.evaluation.runs import runs_of
from m2r2_ros.segmenters.calibration import calibrated
from m2r2_ros.segmenters.commit import feature_names
from m2r2_ros.segmenters.decoding import Decoding, Rule
from m2r2_ros.training.calibrate import doubtful_below, fit_temperature
from m2r2_ros.training.fit_commit import Track, first_samples, fit_commit
from m2r2_ros.training.posteriors import Posterior
from m2r2_ros.training.rule_trials import RuleTrial, RuleTrials, plain_rule, track_of

#: Lags for which rules are learnt, frames.
LAGS: Final = (0, 3, 5, 10)
#: Hold rules that are tried: every pair of these, durations in frames.
CONFIDENCES: Final = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
DURATIONS: Final = (1, 2, 3, 5, 8, 12)
#: Thresholds of the commit rule that are tried.
THRESHOLDS: Final = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85)
#: Rules at least so close to the best one, in accuracy (percent) + F1@50, are as good as it.
MARGIN: Final = 1.0
#: Boundaries without which there is no commit rule to learn.
ENOUGH: Final = 60


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rules that were learnt, and how they were chosen.

    Attributes:
        decoding: The best for each lag.
        trials: What was tried for each lag, with its scores on recordings that were left out.
    """

    decoding: Decoding
    trials: tuple[RuleTrial, ...]

    @property
    def best(self) -> dict[int, RuleTrial]:
        """The trial of the rule that is kept for each lag."""
        return {trial.rule.lag: trial for trial in self.trials if self.kept(trial)}

    def rows(self) -> list[dict[str, Any]]:
        """Return what a bundle keeps of the trials."""
        return [{**trial.row(), 'kept': self.kept(trial)} for trial in self.trials]

    def kept(self, trial: RuleTrial) -> bool:
        """Return whether the rule of a trial is the one that was chosen for its lag."""
        return any(trial.rule is rule for rule in self.decoding.learnt)


def learn_decoding(
    found: Sequence[Posterior], labels: LabelSet, frame_rate: float, lags: Sequence[int] = LAGS
) -> Decoding:
    """Return the rules that do best on recordings that they were not learnt from.

    Args:
        found: What the heads say of recordings that neither they nor their extractor were trained
            on.
        labels: What the ids mean.
        frame_rate: Frames per second.
        lags: Lags to learn rules for, beside those that the head has outputs for, frames.
    """
    return compare_rules(found, labels, frame_rate, lags).decoding


def compare_rules(
    found: Sequence[Posterior], labels: LabelSet, frame_rate: float, lags: Sequence[int] = LAGS
) -> Comparison:
    """Return the same as `learn_decoding`, and the scores that it went by."""
    known = [p for p in found if (p.targets != UNKNOWN).any()]
    if not known:
        return Comparison(Decoding(), ())
    rules: list[Rule] = []
    trials: list[RuleTrial] = []
    for lag in sorted({0, *lags, *known[0].later}):
        tried = [t for own in _kinds(known, lag) for t in _try(known, lag, own, labels, frame_rate)]
        rules.append(choose(tried).rule)
        trials += tried
    temperature, doubtful = _whole(known)
    decoding = Decoding(
        whole_temperature=temperature, whole_doubtful_below=doubtful, learnt=tuple(rules)
    )
    return Comparison(decoding, tuple(trials))


def _kinds(found: Sequence[Posterior], lag: int) -> list[bool]:
    """Return whether to try the mean (False) and the head's own output for the lag (True)."""
    return [False, True] if lag and all(lag in p.later for p in found) else [False]


def _whole(found: Sequence[Posterior]) -> tuple[float, float]:
    """Return the temperature of the offline head, and below what its recordings are doubtful."""
    whole = [(p.whole, p.targets) for p in found if p.whole is not None]
    if not whole:
        return 1.0, 0.0
    temperature = fit_temperature([p for p, _ in whole], [y for _, y in whole])
    means = [float(calibrated(p, temperature).max(axis=1).mean()) for p, _ in whole]
    return temperature, doubtful_below(means)


def _try(
    found: Sequence[Posterior], lag: int, own: bool, labels: LabelSet, frame_rate: float
) -> list[RuleTrial]:
    """Return a trial of each sort of rule, the simplest first."""
    rule = plain_rule(found, lag, own=own)
    tracks = [track_of(p, rule) for p in found]
    trials = RuleTrials(tracks, labels, frame_rate)
    tried = [trials.of_rule('arg max', rule)]
    if len(tracks) > 1:
        period = 1 / frame_rate
        holds = [
            replace(rule, min_confidence=c, min_duration=round(d * period, 6) if d > 1 else 0.0)
            for c in CONFIDENCES
            for d in DURATIONS
        ]
        tried.append(trials.of_best('hold', holds))
        if sum(len(runs_of(t.targets, [UNKNOWN])) - 1 for t in tracks) >= ENOUGH:
            tried += _commit(trials, rule, labels)
    return tried


def _commit(trials: RuleTrials, rule: Rule, labels: LabelSet) -> list[RuleTrial]:
    """Return a trial of the commit rule, none where it could not be learnt."""
    first = [first_samples(track, labels) for track in trials.tracks]

    def learn(chosen: Sequence[int]) -> Rule | None:
        tracks: list[Track] = [trials.tracks[k] for k in chosen]
        weights = fit_commit(tracks, [first[k] for k in chosen], labels)
        return None if weights is None else replace(rule, weights=_named(weights, labels))

    trial = trials.of_learnt('commit', learn, THRESHOLDS)
    return [] if trial is None else [trial]


def _named(weights: NDArray[np.float64], labels: LabelSet) -> dict[str, float]:
    names = feature_names(labels)
    return {name: round(float(w), 5) for name, w in zip(names, weights, strict=True)}


def choose(tried: Sequence[RuleTrial]) -> RuleTrial:
    """Return the trial of the most accurate labels, which late ones are not, among the best.

    Those are the ones that the best one does not beat for sure, and none below arg max. Of those
    that are equal to a tenth of a percent it is the first: the simplest one.
    """
    best = max(tried, key=lambda trial: trial.value)
    plain = max(trial.value for trial in tried if trial.sort == 'arg max')
    good = [t for t in tried if t.value >= plain and not best.is_better(t, MARGIN)]
    return max(good, key=lambda trial: round(trial.accuracy, 1))
