# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.evaluation.matching import maximum_matches, nearest_matches

points = st.lists(st.integers(0, 40), unique=True, max_size=8).map(
    lambda values: np.array(sorted(values), np.int64)
)


@given(points, points, st.integers(0, 12))
def test_maximum_matching_is_maximum(a: np.ndarray, b: np.ndarray, tolerance: int) -> None:
    reach = np.abs(a[:, None] - b[None, :]) <= tolerance
    optimize = pytest.importorskip('scipy.optimize', reason='needs scipy')
    rows, columns = optimize.linear_sum_assignment(reach, maximize=True)
    assert maximum_matches(a, b, tolerance) == int(reach[rows, columns].sum())


@given(points, points, st.integers(0, 12))
def test_nearest_matching_is_one_to_one_and_in_reach(
    a: np.ndarray, b: np.ndarray, tolerance: int
) -> None:
    found = nearest_matches(a, b, tolerance)
    hit = found >= 0
    assert len(set(found[hit].tolist())) == hit.sum() <= maximum_matches(a, b, tolerance)
    assert np.all(np.abs(a[hit] - b[found[hit]]) <= tolerance)


def test_the_nearest_free_prediction_is_taken() -> None:
    found = nearest_matches(np.array([10, 12]), np.array([9, 11, 30]), 5)
    assert found.tolist() == [0, 1]


def test_nanosecond_stamps_keep_their_precision() -> None:
    now = 1_760_000_000_000_000_001
    assert nearest_matches(np.array([now]), np.array([now + 11]), 10).tolist() == [-1]
    assert nearest_matches(np.array([now]), np.array([now + 10]), 10).tolist() == [0]
