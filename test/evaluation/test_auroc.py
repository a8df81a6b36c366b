# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.evaluation.auroc import auroc


@pytest.mark.parametrize(
    ('scores', 'positive', 'expected'),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1),
        ([1, 2, 3, 4], [1, 1, 0, 0], 0),
        ([1, 2, 3, 4], [0, 1, 0, 1], 0.75),
        ([5, 5, 5, 5], [0, 1, 0, 1], 0.5),
        ([1, 2, 2, 3], [0, 1, 0, 1], 0.875),
        ([-np.inf, 0, np.inf], [0, 1, 1], 1),
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),
    ],
)
def test_known_areas(scores: list[float], positive: list[int], expected: float) -> None:
    area = auroc(np.array(scores, float), np.array(positive, bool))
    assert area == pytest.approx(expected)


def test_one_kind_alone_has_no_area() -> None:
    for scores, positive in (([], []), ([1.0], [True]), ([1.0, 2.0], [False, False])):
        assert auroc(np.array(scores), np.array(positive, bool)) is None


def test_what_cannot_be_put_in_order_is_refused() -> None:
    with pytest.raises(ValueError, match='NaN'):
        auroc(np.array([np.nan, 1.0]), np.array([True, False]))
    with pytest.raises(ValueError, match='2 scores for 1 kinds'):
        auroc(np.array([0.0, 1.0]), np.array([True]))


pairs = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), max_size=40)


@given(pairs)
def test_every_pair_compared(entries: list[tuple[int, bool, int]]) -> None:
    scores = np.array([score for score, _, _ in entries], np.float64)
    positive = np.array([yes for _, yes, _ in entries], np.bool_)
    weights = np.array([weight for _, _, weight in entries], np.int64)
    won, compared = 0.0, 0
    for a, yes, wa in entries:
        for b, other, wb in entries:
            if yes and not other:
                compared += wa * wb
                won += wa * wb * ((a > b) + (a == b) / 2)
    area = auroc(scores, positive, weights)
    assert area == (pytest.approx(won / compared) if compared else None)


def test_agrees_with_scikit_learn() -> None:
    metrics = pytest.importorskip('sklearn.metrics', reason='needs scikit-learn')
    rng = np.random.default_rng(0)
    positive = rng.random(500) < 0.3
    scores = np.round(rng.normal(positive * 0.8, 1.0), 1)  # with ties
    assert auroc(scores, positive) == pytest.approx(metrics.roc_auc_score(positive, scores))
