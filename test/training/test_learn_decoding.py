# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rules are learnt where they help, and left where they do not."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN, LabelSet
from m2r2_ros.segmenters.commit import feature_names
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.training.calibrate import doubtful_below, fit_temperature
from m2r2_ros.training.fit_commit import Samples, logistic_regression
from m2r2_ros.training.learn_decoding import Comparison, compare_rules, learn_decoding
from m2r2_ros.training.posteriors import Posterior

LABELS = LabelSet(('rest', 'pick', 'place'), ('', '', ''))
RATE = 10.0


def softened(
    targets: NDArray[np.int64], sure: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return probabilities of which those of the targets are about `sure`."""
    logits = rng.normal(0, 0.3, (len(targets), 3))
    logits[np.arange(len(targets)), targets] += np.log(2 * sure / (1 - sure))
    shares = np.exp(logits)
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def recording(seed: int, *, flicker: float, segments: int = 12) -> Posterior:
    """Make segments of 2 s that flicker: a wrong label is the likeliest for a frame or two.

    It is doubtful, while a right one that is new is sure from its first frame on.
    """
    rng = np.random.default_rng(seed)
    order = np.cumsum(rng.integers(1, 3, segments)) % 3
    targets = np.repeat(order, 20).astype(np.int64)
    said = targets.copy()
    p = softened(targets, 0.95, rng)
    for t in np.flatnonzero(rng.uniform(size=len(targets)) < flicker):
        wrong = slice(t, t + int(rng.integers(1, 3)))
        said[wrong] = (targets[wrong] + 1) % 3
        p[wrong] = softened(said[wrong], 0.55, rng)
    begins = np.append(True, targets[1:] != targets[:-1])
    boundaries = np.where(begins, 0.9, 0.1).astype(np.float32)
    return Posterior(str(seed), targets, p, {}, boundaries, None, p)


FOUND = [recording(k, flicker=0.08) for k in range(6)]


@cache
def study() -> Comparison:
    return compare_rules(FOUND, LABELS, RATE, [0])


def rows_of(found: Comparison, lag: int = 0) -> dict[str, dict[str, Any]]:
    return {row['rule']: row for row in found.rows() if row['lag'] == lag}


def test_flicker_is_held_back_without_delay() -> None:
    rows = rows_of(study())
    assert rows['arg max']['f1@50'] < 80
    kept = next(row for row in rows.values() if row['kept'])
    assert kept['rule'] != 'arg max'
    assert kept['f1@50'] > 97
    assert kept['accuracy'] >= rows['arg max']['accuracy']
    assert rows['commit']['f1@50'] > 97
    assert rows['commit']['delay_median_s'] == 0.0


def test_where_nothing_flickers_arg_max_is_left() -> None:
    compared = compare_rules([recording(k, flicker=0.0) for k in range(6)], LABELS, RATE, [0, 5])
    for lag in (0, 5):
        rule = compared.decoding.asked({'lag': lag}).rule
        assert not rule.weights
        assert rule.min_confidence == rule.min_duration == 0.0
        assert not rule.own_output


def test_few_boundaries_are_not_enough_for_a_commit_rule() -> None:
    compared = compare_rules(FOUND[:4], LABELS, RATE, [0])
    assert set(rows_of(compared)) == {'arg max', 'hold'}
    alone = compare_rules(FOUND[:1], LABELS, RATE, [0])
    assert set(rows_of(alone)) == {'arg max'}


def test_an_output_of_its_own_is_used_where_it_is_better() -> None:
    rng = np.random.default_rng(0)
    few = FOUND[:3]
    better = [replace(p, later={3: softened(p.targets, 0.99, rng)}) for p in few]
    worse = [replace(p, later={3: softened((p.targets + 1) % 3, 0.6, rng)}) for p in few]
    assert learn_decoding(better, LABELS, RATE, [3]).asked({'lag': 3}).rule.own_output
    assert not learn_decoding(worse, LABELS, RATE, [3]).asked({'lag': 3}).rule.own_output


def test_what_is_learnt_can_be_kept_in_a_bundle() -> None:
    compared = study()
    text = yaml.safe_dump(compared.decoding.to_dict())
    again = Decoding.from_dict(yaml.safe_load(text))
    assert again == compared.decoding
    again.expect_fits(LABELS, (0,))
    rows = compared.rows()
    assert yaml.safe_load(yaml.safe_dump(rows)) == rows
    assert sum(row['kept'] for row in rows) == 1


def test_recordings_without_labels_teach_nothing() -> None:
    blank = replace(recording(0, flicker=0.1), targets=np.full(240, UNKNOWN))
    assert learn_decoding([blank], LABELS, RATE) == Decoding()
    few = FOUND[:2]
    with_blank = learn_decoding([blank, *few], LABELS, RATE, [0])
    assert with_blank == learn_decoding(few, LABELS, RATE, [0])


@pytest.mark.parametrize('temperature', [0.7, 1.0, 2.5])
def test_the_temperature_that_labels_were_drawn_with_is_found(temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 4))
    shares = np.exp(logits / temperature)
    shares /= shares.sum(axis=1, keepdims=True)
    targets = (shares.cumsum(axis=1) < rng.uniform(size=(len(shares), 1))).sum(axis=1)
    p = np.exp(logits)
    p = (p / p.sum(axis=1, keepdims=True)).astype(np.float32)
    parts = np.array_split(p, 40), np.array_split(targets, 40)
    assert fit_temperature(*parts) == pytest.approx(temperature, rel=0.05)


def test_one_recording_without_a_mistake_makes_nothing_surer() -> None:
    y = np.arange(300) // 10 % 3
    found = softened(y, 0.97, np.random.default_rng(0))
    assert 0.75 < fit_temperature([found], [y]) < 1
    assert fit_temperature([found] * 30, [y] * 30) < 0.65


def test_recordings_are_doubtful_that_are_much_less_sure_than_all_held_out() -> None:
    assert doubtful_below([0.9, 0.94]) == 0
    assert doubtful_below([0.9, 0.94, 0.96]) == pytest.approx(0.85)
    assert doubtful_below([1.0, 1.0, 1.0]) == pytest.approx(0.97)
    assert doubtful_below([0.1, 0.9, 0.9]) == 0


def test_temperatures_are_learnt_for_both_heads() -> None:
    found = [recording(k, flicker=0.0) for k in range(4)]
    sure = [replace(p, whole=p.probabilities**8 / (p.probabilities**8).sum(axis=1, keepdims=True))
            for p in found]  # fmt: skip
    wrong = [replace(p, targets=np.where(np.arange(240) % 5, p.targets, 0)) for p in sure]
    decoding = learn_decoding(wrong, LABELS, RATE, [0])
    assert decoding.whole_temperature > 4 * decoding.rule.temperature > 1


def test_a_regression_finds_the_odds() -> None:
    rng = np.random.default_rng(0)
    phi = np.column_stack([np.ones(5000), rng.normal(3, 2, 5000), np.full(5000, 7.0)])
    odds = 1.5 * phi[:, 1] - 4
    true = rng.uniform(size=5000) < 1 / (1 + np.exp(-odds))
    weights = logistic_regression([Samples(phi, true)])
    assert weights is not None
    assert weights == pytest.approx([-4, 1.5, 0], abs=0.4)
    assert logistic_regression([Samples(phi, np.ones(5000, np.bool_))]) is None
    assert logistic_regression([]) is None


def test_weights_have_names() -> None:
    weights = study().decoding.rule.weights
    assert not weights or set(weights) == set(feature_names(LABELS))
