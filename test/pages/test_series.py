# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Signals of a page: extremes of every bucket, samples about boundaries, bounded memory."""

import numpy as np
import pytest

from m2r2_ros.pages import series as module
from m2r2_ros.pages.container import Container
from m2r2_ros.pages.series import Series
from test.pages.containers import Unpacked

RNG = np.random.default_rng(0)


def unpack(series: Series, channels: int = 1) -> Unpacked:
    out = Container()
    names = [str(k) for k in range(channels)]
    packed = {'id': 'x', **series.pack(range(channels), names, out)}
    return Unpacked(out.pack({'signals': [packed]}))


def test_buckets_hold_the_extremes_of_their_samples() -> None:
    times = np.sort(RNG.uniform(0, 10, 5000))
    values = RNG.normal(size=(5000, 2))
    series = Series(2, 10.0, 500.0)
    for part in np.array_split(np.arange(5000), 17):
        series.add(times[part], values[part])
    found = unpack(series, 2)
    place = (times / series.width).astype(int)
    for channel in range(2):
        extremes = found.extremes('x', channel)
        step = np.ptp(values[:, channel]) / 65534
        for k in range(len(extremes)):
            own = values[place == k, channel]
            if len(own):
                assert extremes[k] == pytest.approx([own.min(), own.max()], abs=step)


def test_samples_are_kept_about_boundaries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'WHOLE', 0)
    times = np.arange(0, 60, 1e-3)
    values = np.sin(times)[:, None]
    series = Series(1, 60.0, 1000.0, around=[10.0, 10.3, 40.0])
    for part in np.array_split(np.arange(len(times)), 9):
        series.add(times[part], values[part])
    found, kept = unpack(series).samples('x', 0)
    near = (np.abs(times[:, None] - [10.0, 10.3, 40.0]) < module.AROUND - 1e-3).any(axis=1)
    assert set(np.round(times[near], 3)) <= set(np.round(found, 3))
    assert np.abs(kept - np.sin(found)).max() < 1e-4
    assert len(found) < 1.1 * near.sum()


def test_the_samples_of_a_short_recording_are_all_kept() -> None:
    times = np.arange(0, 5, 0.01)
    series = Series(1, 5.0, 100.0, around=[1.0])
    series.add(times, times[:, None])
    found, kept = unpack(series).samples('x', 0)
    assert np.allclose(found, times, atol=1e-6)
    assert np.allclose(kept, times, atol=1e-4)


def test_memory_does_not_grow_with_the_number_of_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'MOST_ROWS', 1000)
    series = Series(1, 36_000.0, 1000.0, around=list(np.arange(0, 36_000, 2.0)))
    for second in range(0, 36_000, 40):
        times = second + np.arange(0, 1, 1e-3)
        series.add(times, times[:, None])
    found, _ = unpack(series).samples('x', 0)
    assert len(found) < 1500
    assert series.lows.shape[1] <= module.MOST_BUCKETS


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_missing(bad: float) -> None:
    times = np.arange(0, 10, 0.01)
    values = np.ones((1000, 1))
    values[300:700] = bad
    series = Series(1, 10.0, 100.0, around=[5.0])
    series.add(times, values)
    found = unpack(series)
    extremes = found.extremes('x', 0)
    middle = extremes[int(4.5 / series.width)]
    assert np.isnan(middle).all()
    assert extremes[1].tolist() == [1.0, 1.0]
    assert np.isnan(found.samples('x', 0)[1][400])


def test_a_slow_sensor_is_a_line_and_a_silent_one_is_not() -> None:
    times = np.concatenate([np.arange(0, 20, 0.066), np.arange(40, 60, 0.066)])
    series = Series(1, 60.0, 15.0)
    series.add(times, np.ones((len(times), 1)))
    extremes = unpack(series).extremes('x', 0)[:, 0]
    at = (np.array([5.0, 15.0, 30.0, 50.0]) / series.width).astype(int)
    assert np.isfinite(extremes[at]).tolist() == [True, True, False, True]


def test_jitter_does_not_interrupt_a_line() -> None:
    times = np.arange(0, 20, 0.066)
    times = times[np.arange(len(times)) % 50 > 2]  # three missing in a row
    series = Series(1, 20.0, 15.0)
    series.add(times, times[:, None])
    extremes = unpack(series).extremes('x', 0)
    inside = slice(int(times[0] / series.width), int(times[-1] / series.width))
    assert np.isfinite(extremes[inside]).all()


@pytest.mark.parametrize('times', [[-5.0, -0.1], [11.0, 1e12], []])
def test_samples_outside_of_the_recording_are_left_out(times: list[float]) -> None:
    series = Series(1, 10.0, 100.0, around=[5.0])
    series.add(np.array(times), np.ones((len(times), 1)))
    assert np.isnan(unpack(series).extremes('x', 0)).all()


def test_samples_in_any_order_give_the_same() -> None:
    times, values = RNG.uniform(0, 10, 3000), RNG.normal(size=(3000, 1))
    order = np.argsort(times)
    one, other = (Series(1, 10.0, 300.0, around=[5.0]) for _ in range(2))
    one.add(times, values)
    other.add(times[order], values[order])
    assert np.array_equal(one.lows, other.lows, equal_nan=True)
    assert np.array_equal(one.highs, other.highs, equal_nan=True)
    for a, b in zip(unpack(one).samples('x', 0), unpack(other).samples('x', 0), strict=True):
        assert np.array_equal(a, b)
