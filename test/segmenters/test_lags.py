# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of the head's own for frames that are some frames old."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.segmenters.lags import Revised, Smoother, all_late

LAGS = (0, 1, 3)


def said_by(n: int) -> dict[int, NDArray[np.float32]]:
    """Return rows that name the frame that they are of, and when that was said."""
    return {k: np.array([[t - k, t] for t in range(n)], np.float32) for k in LAGS}


@pytest.mark.parametrize('lag', LAGS)
@given(n=st.integers(1, 12))
def test_each_frame_has_the_last_that_was_said_of_it(lag: int, n: int) -> None:
    rows = all_late(said_by(n), Revised(lag))
    assert rows[:, 0].tolist() == list(range(n))
    for t in range(n):
        seen = n - 1 - t
        assert rows[t, 1] == t + max(k for k in LAGS if k <= min(lag, seen))


def test_a_frame_is_labelled_when_its_lag_is_over() -> None:
    late, said = Revised(3), said_by(6)
    found = [late.step({k: rows[t] for k, rows in said.items()}) for t in range(6)]
    assert [None if row is None else int(row[0]) for row in found] == [None] * 3 + [0, 1, 2]
    assert [int(row[0]) for row in late.finish()] == [3, 4, 5]
    assert late.finish() == []


def test_the_mean_is_the_same_all_at_once() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(3), 20).astype(np.float32)
    found = all_late({0: rows}, Smoother(2))
    np.testing.assert_allclose(found[9], rows[7:12].mean(axis=0), atol=1e-6)
    assert len(found) == 20
