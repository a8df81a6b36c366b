# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folds: every kind on both sides, every label always learnt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.training.folds import HELD_OUT, LARGE, choose_folds, kinds_to_leave_out


def targets(*runs: int, frames: int = 10) -> NDArray[np.int64]:
    return np.repeat(np.array(runs, np.int64), frames)


ROTATING, DIRECT = targets(0, 1, 2, 3), targets(0, 2, 3)
SNAP = [ROTATING] * 21 + [DIRECT] * 9


def test_kinds_are_on_both_sides_of_every_fold() -> None:
    folds = choose_folds(SNAP)
    assert len(folds) == 2
    assert sorted(k for fold in folds for k in fold.held_out) == list(range(30))
    for fold in folds:
        assert not set(fold.train) & set(fold.held_out)
        for side in (fold.train, fold.held_out):
            assert 4 <= sum(k >= 21 for k in side) <= 5


@pytest.mark.parametrize(('recordings', 'folds'), [(1, 0), (2, 2), (3, 3), (12, 3), (13, 2)])
def test_there_are_few_folds(recordings: int, folds: int) -> None:
    assert len(choose_folds([ROTATING] * recordings)) == folds


def test_one_fold_is_enough_for_much_data() -> None:
    long = targets(0, 1, 2, frames=LARGE // 3)
    (fold,) = choose_folds([long] * 2 * HELD_OUT)
    assert len(fold.held_out) == 2


def test_a_kind_is_left_out_where_the_others_have_its_labels() -> None:
    fold = choose_folds(SNAP)[0]
    ((rest, own),) = kinds_to_leave_out(fold, SNAP)
    assert all(k < 21 for k in rest)
    assert all(k >= 21 for k in own)
    assert set(rest) <= set(fold.train)
    assert set(own) <= set(fold.held_out)


def test_a_single_kind_is_not_left_out() -> None:
    alike = [ROTATING] * 6
    assert kinds_to_leave_out(choose_folds(alike)[0], alike) == []


@given(
    st.lists(
        st.lists(st.integers(-1, 4), min_size=1, max_size=5).map(lambda runs: targets(*runs)),
        min_size=1,
        max_size=16,
    )
)
def test_every_label_that_is_held_out_is_learnt_too(recordings: list[NDArray[np.int64]]) -> None:
    for fold in choose_folds(recordings):
        assert sorted((*fold.train, *fold.held_out)) == list(range(len(recordings)))
        learnt = {int(k) for r in fold.train for k in recordings[r]}
        assert {int(k) for r in fold.held_out for k in recordings[r]} - {-1} <= learnt
