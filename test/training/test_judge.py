# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which rule beats which, and which online head is taken."""

from collections.abc import Sequence

import numpy as np
import pytest

from m2r2_ros.core.labels import Segment
from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.score import score
from m2r2_ros.evaluation.sequence import ScoredSequence
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.network.heads.base import Recipe
from m2r2_ros.segmenters.decoding import Decoding, Rule
from m2r2_ros.training.choices import HeadChoice
from m2r2_ros.training.judge import Judged, better_of
from m2r2_ros.training.learn_decoding import Comparison, choose
from m2r2_ros.training.rule_trials import Marks, RuleTrial
from m2r2_ros.training.search import ChosenHead

SCORES = score([ScoredSequence('a', np.array([1], np.int64), ['x'], [Segment(0, 2, 'x')])])


def trial(shown: Sequence[tuple[int, int]], lag: int = 0, sort: str = 'hold') -> RuleTrial:
    """Make a trial with so many of 100 frames and of 10 segments right in each recording."""
    marks = [Marks(right, 100, Counts(tp, 10 - tp, 10 - tp)) for right, tp in shown]
    return RuleTrial(sort, Rule(lag=lag), marks, SCORES)


def test_what_one_recording_says_is_chance() -> None:
    plain = trial([(98, 9)] * 10)
    lucky = trial([(98, 9)] * 9 + [(98, 10)])
    steady = trial([(98, 10)] * 10)
    assert lucky.value - plain.value == pytest.approx(1.0)
    assert not lucky.is_better(plain, 0.0)
    assert steady.is_better(plain, 0.0)
    assert not steady.is_better(plain, 20.0)
    assert not plain.is_better(steady, 0.0)


def test_of_rules_that_are_as_good_the_most_accurate_is_kept() -> None:
    plain = trial([(98, 9)] * 10, sort='arg max')
    lucky = trial([(97, 9)] * 8 + [(97, 10)] * 2)
    assert lucky.value > plain.value
    assert choose([plain, lucky]) is plain
    steady = trial([(97, 10)] * 10)
    assert choose([plain, lucky, steady]) is steady


def test_no_rule_is_kept_that_is_below_arg_max() -> None:
    plain = trial([(95, 9)] * 10, sort='arg max')
    surer = trial([(95, 9)] * 9 + [(97, 8)])
    assert surer.accuracy > plain.accuracy
    assert choose([plain, surer]) is plain


def judged(*trials: RuleTrial, lags: tuple[int, ...] = (0,)) -> Judged:
    choice = HeadChoice(CausalTCNConfig(lags=lags), Recipe())
    decoding = Decoding(learnt=tuple(t.rule for t in trials))
    return Judged(ChosenHead(choice, 1, [], []), [], Comparison(decoding, trials))


@pytest.mark.parametrize(
    ('live', 'late', 'taken'),
    [
        ((95, 9), (98, 10), True),  # late labels gain, online ones stay
        ((95, 9), (94, 7), False),  # nothing gains
        ((94, 10), (98, 10), False),  # online labels are less often right, though fewer flicker
        ((95, 7), (99, 10), False),  # online labels flicker
    ],
)
def test_outputs_for_older_labels_are_not_at_the_cost_of_online_ones(
    live: tuple[int, int], late: tuple[int, int], *, taken: bool
) -> None:
    plain = judged(trial([(95, 9)] * 8), trial([(95, 7)] * 8, lag=3))
    lagged = judged(trial([live] * 8), trial([late] * 8, lag=3), lags=(0, 3))
    assert better_of(plain, lagged) is (lagged if taken else plain)
