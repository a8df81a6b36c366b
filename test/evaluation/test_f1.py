# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.f1 import segment_counts
from m2r2_ros.evaluation.runs import Runs, runs_of

Spell = Callable[[str], NDArray[np.int64]]

frames = st.lists(st.integers(0, 3), min_size=1, max_size=40)


def plain(truth: Runs, predicted: Runs, overlap: float) -> Counts:
    """The definition over all pairs of segments."""
    used: set[int] = set()
    for start, end, label in zip(predicted.starts, predicted.ends, predicted.ids, strict=True):
        ious = [
            max(0, min(end, e) - max(start, s)) / (max(end, e) - min(start, s)) * (y == label)
            for s, e, y in zip(truth.starts, truth.ends, truth.ids, strict=True)
        ]
        if ious and max(ious) >= overlap:
            used.add(ious.index(max(ious)))
    return Counts(len(used), len(predicted) - len(used), len(truth) - len(used))


@given(frames, st.data(), st.sampled_from((0.1, 0.25, 0.5)))
def test_equals_the_definition_over_all_pairs(
    labels: list[int], data: st.DataObject, overlap: float
) -> None:
    n = len(labels)
    truth = np.array(labels, np.int64)
    predicted: NDArray[np.int64] = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), np.int64
    )
    expected = plain(runs_of(truth, (0,)), runs_of(predicted, (0,)), overlap)
    assert segment_counts(truth, predicted, overlap, (0,)) == expected


def test_a_segment_claimed_by_an_earlier_one_is_not_given_away(ids: Spell) -> None:
    # The first A reaches IoU 0.4 and claims the true segment; the better second one comes late.
    counts = segment_counts(ids('A100'), ids('A40 B1 A59'), 0.25)
    assert counts == Counts(1, 2, 0)


def test_counts_are_pooled_before_f1() -> None:
    assert (Counts(1, 0, 0) + Counts(0, 1, 1)).f1 == pytest.approx(50)
    assert Counts().f1 is None
