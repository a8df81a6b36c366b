# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.evaluation.selective import accuracy_kept


def kept(confidences: list[float], right: list[int], *shares: float) -> list[float]:
    found = accuracy_kept(np.array(confidences), np.array(right, bool), np.array(shares))
    return [float(a) for a in found]


def test_the_most_confident_are_kept() -> None:
    assert kept([0.2, 0.9, 0.8, 0.4], [0, 1, 1, 1], 0.25, 0.5, 0.75, 1) == [1, 1, 1, 0.75]
    assert kept([0.9, 0.2, 0.4, 0.8], [0, 1, 1, 1], 0.25, 0.5, 1) == [0, 0.5, 0.75]


def test_equal_confidences_cannot_be_told_apart() -> None:
    assert kept([0.5] * 4, [1, 0, 0, 1], 0.25, 0.5, 1) == pytest.approx([0.5, 0.5, 0.5])


def test_frames_without_a_label_are_kept_last() -> None:
    assert kept([-np.inf, 0.1, 0.9, -np.inf], [0, 1, 1, 0], 0.5, 0.75, 1) == pytest.approx(
        [1, 2 / 3, 0.5]
    )


def test_no_frames() -> None:
    assert np.isnan(kept([], [], 0.5, 1)).all()


frames = st.lists(
    st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3)), min_size=1, max_size=30
)


@given(frames)
def test_weights_are_repetitions(entries: list[tuple[int, bool, int]]) -> None:
    confidences = np.array([c for c, _, _ in entries], np.float64)
    right = np.array([r for _, r, _ in entries], np.bool_)
    weights = np.array([w for _, _, w in entries], np.int64)
    shares = np.array([0.1, 0.5, 0.9, 1.0])
    weighted = accuracy_kept(confidences, right, shares, weights)
    many = accuracy_kept(np.repeat(confidences, weights), np.repeat(right, weights), shares)
    np.testing.assert_allclose(weighted, many)
