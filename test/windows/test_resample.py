# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Grids of windows, and values on them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.core.time import SECOND
from m2r2_ros.windows.resample import grid, resample

T = 1_700_000_000 * SECOND
MS = 1_000_000
AGE = 200 * MS


def at(times: list[float] | NDArray[np.float64]) -> NDArray[np.int64]:
    return T + np.round(np.asarray(times) * MS).astype(np.int64)


def one(times: list[float], values: list[float], wanted: list[float], seen: int = 0) -> list[float]:
    """Resample one window of a one-dimensional stream; times in ms."""
    counts = np.array([seen or len(times)])
    column = np.array(values)[:, None]
    out = resample(at(times), column, counts, at(wanted)[None], AGE)
    assert out.dtype == np.float32
    assert out.shape == (1, len(wanted), 1)
    return out[0, :, 0].tolist()


@given(st.integers(0, 10_000), st.integers(2, 80), st.integers(1, 40))
def test_between_samples_values_are_those_of_numpy_interp(seed: int, n: int, points: int) -> None:
    rng = np.random.default_rng(seed)
    stamps = at(np.cumsum(rng.uniform(0.01, 50, n)))
    values = rng.normal(0, 5, (n, 3))
    starts = at(np.sort(rng.uniform(-20, 60 * n, 4)))
    times = grid(starts, starts + 100 * MS, points)
    counts = rng.integers(1, n + 1, 4)
    out = resample(stamps, values, counts, times, AGE)
    for i, seen in enumerate(counts):
        for d in range(3):
            expected = np.interp(times[i] - T, stamps[:seen] - T, values[:seen, d])
            np.testing.assert_allclose(out[i, :, d], expected, rtol=1e-5, atol=1e-5)


def test_the_newest_sample_that_may_be_seen_is_held_to_the_end() -> None:
    assert one([0, 10, 20], [1, 2, 7], [10, 15, 20, 90]) == [2.0, 4.5, 7.0, 7.0]
    assert one([0, 10, 20], [1, 2, 7], [10, 15, 20, 90], seen=2) == [2.0, 2.0, 2.0, 2.0]


def test_before_the_first_sample_it_holds() -> None:
    assert one([10, 20], [3, 4], [0, 9, 10, 15]) == [3.0, 3.0, 3.0, 3.5]
    assert one([10, 310], [3, 4], [0, 9]) == [3.0, 3.0]


def test_no_line_is_drawn_across_a_gap() -> None:
    assert one([0, 200], [0, 1], [0, 50, 150]) == [0.0, 0.25, 0.75]
    assert one([0, 201], [0, 1], [50, 150]) == [1.0, 1.0]


def test_samples_at_1_khz_and_at_15_hz_go_through_the_same_way() -> None:
    for step in (1.0, 1000 / 15):
        times = [k * step for k in range(400)]
        wanted = [100 + k * 10 / 3 for k in range(30)]
        out = one(times, [2 * t for t in times], wanted)
        np.testing.assert_allclose(out, [2 * t for t in wanted], atol=1e-3)


def test_a_grid_begins_at_the_start_and_stays_below_the_end() -> None:
    starts, stamps = at([0, 100]), at([100, 233])
    times = grid(starts, stamps, 30)
    assert times.shape == (2, 30)
    assert times[:, 0].tolist() == starts.tolist()
    assert (times[:, -1] < stamps).all()
    assert np.ptp(np.diff(times[1])) <= 1


def test_a_window_of_an_hour_does_not_overflow() -> None:
    times = grid(at([0]), at([3_600_000]), 300)
    assert (np.diff(times) == 12 * SECOND).all()
