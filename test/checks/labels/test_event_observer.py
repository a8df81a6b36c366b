# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events are found in signals as sensors give them, in memory that has a bound."""

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.checks.labels.event_observer import EventObserver
from m2r2_ros.checks.labels.means import Means
from m2r2_ros.core.samples import SoundSamples, VectorSamples
from test.checks.labels.made import SECOND, START

Array = NDArray[np.float64]


def sampled(seconds: Array, values: Array) -> VectorSamples:
    stamps = START + np.round(seconds * SECOND).astype(np.int64)
    return VectorSamples(stamps, np.arange(len(stamps)), values)


def at(times: NDArray[np.int64]) -> list[float]:
    """Return seconds from the start."""
    return [round(float(t - START) / SECOND, 3) for t in times]


def moved(t: Array, start: float, seconds: float) -> Array:
    """Return 0 before and 1 after a smooth move."""
    u = np.clip((t - start) / seconds, 0, 1)
    way: Array = u**3 * (10 - 15 * u + 6 * u * u)
    return way


def test_a_gripper_closes_and_opens() -> None:
    t = np.arange(0, 20, 1 / 15)
    width = 0.08 - 0.05 * moved(t, 5, 0.4) + 0.05 * moved(t, 12, 0.4)
    observer = EventObserver()
    for k in range(0, len(t), 40):
        observer.samples('gripper', sampled(t[k : k + 40], width[k : k + 40, None]))
    times = observer.events().times
    assert at(times['gripper closes']) == [pytest.approx(5.1, abs=0.12)]
    assert at(times['gripper is closed']) == [pytest.approx(5.35, abs=0.15)]
    assert at(times['gripper opens']) == [pytest.approx(12.1, abs=0.12)]
    assert at(times['gripper is opened']) == [pytest.approx(12.35, abs=0.15)]


def test_contact_is_found_over_offset_and_noise() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(0, 20, 1e-3)
    force = rng.normal((3, -2, 9, 0, 0, 0), 0.2, (len(t), 6))
    force[(t > 6) & (t < 9), 2] -= 15
    observer = EventObserver()
    observer.samples('wrench', sampled(t, force))
    times = observer.events().times
    assert at(times['force rises']) == [pytest.approx(6, abs=0.06)]
    assert at(times['force falls']) == [pytest.approx(9, abs=0.06)]


@pytest.mark.parametrize('kind', ['twist', 'pose'])
def test_an_arm_starts_and_stops(kind: str) -> None:
    rng = np.random.default_rng(0)
    t = np.arange(0, 12, 1 / 200)
    x = 0.4 * moved(t, 3, 2)
    if kind == 'pose':
        values = np.zeros((len(t), 7))
        values[:, 0] = x
        values[:, :3] += rng.normal(0, 2e-5, (len(t), 3))
    else:
        values = np.zeros((len(t), 6))
        values[:, 0] = np.gradient(x, t)
    observer = EventObserver()
    observer.samples(kind, sampled(t, values))
    times = observer.events().times
    assert at(times['arm starts']) == [pytest.approx(3.2, abs=0.15)]
    assert at(times['arm stops']) == [pytest.approx(4.8, abs=0.15)]


def test_a_twist_goes_before_the_pose_and_arms_have_names() -> None:
    t = np.arange(0, 10, 0.01)
    pose, twist = np.zeros((len(t), 7)), np.zeros((len(t), 6))
    pose[:, 0] = moved(t, 2, 1)
    twist[:, 0] = (t > 5) & (t < 7)
    observer = EventObserver({'left_wrench': 'wrench', 'tcp': 'twist', 'right_tcp': 'pose'})
    observer.samples('pose', sampled(t, pose))
    observer.samples('twist', sampled(t, twist))
    observer.samples('left_wrench', sampled(t, twist * 20))
    observer.samples('right_tcp', sampled(t, pose))
    times = observer.events().times
    assert at(times['arm starts']) == [pytest.approx(5, abs=0.05)]
    assert at(times['left force rises']) == [pytest.approx(5, abs=0.06)]
    assert at(times['right tcp arm starts']) == [pytest.approx(2.2, abs=0.15)]


def test_what_never_changes_has_no_events_and_what_is_odd_is_passed_over() -> None:
    t = np.arange(0, 10, 0.01)
    rng = np.random.default_rng(0)
    observer = EventObserver()
    observer.samples('gripper', sampled(t, 0.08 + rng.normal(0, 1e-5, (len(t), 1))))
    observer.samples('wrench', sampled(t, rng.normal(0, 0.02, (len(t), 6))))
    observer.samples('twist', sampled(t, np.zeros((len(t), 6))))
    observer.samples('pose', sampled(t[:1], np.full((1, 7), np.nan)))
    observer.samples('joints', sampled(t, np.zeros((len(t), 7))))
    none = np.zeros(0, np.int64)
    observer.samples('sound', SoundSamples(none, none, [], 16000))
    times = observer.events().times
    assert {'gripper closes', 'force rises', 'arm starts'} <= set(times)
    assert not any(map(len, times.values()))
    assert not list(observer.finish())
    empty = EventObserver()
    empty.samples('twist', sampled(t, np.zeros((len(t), 2))))
    assert not empty.events().times


def test_gaps_and_values_that_are_not_finite_make_no_events() -> None:
    t = np.arange(0, 20, 0.005)
    force = np.zeros((len(t), 6))
    force[(t > 6) & (t < 9), 2] = 15
    force[(t > 2) & (t < 4)] = np.nan
    keep = (t < 12) | (t > 15)
    observer = EventObserver()
    observer.samples('wrench', sampled(t[keep], force[keep]))
    times = observer.events().times
    assert at(times['force rises']) == [pytest.approx(6, abs=0.06)]
    assert at(times['force falls']) == [pytest.approx(9, abs=0.06)]


def test_means_have_a_bound_and_hostile_stamps_do_no_harm() -> None:
    means = Means(1, most=64)
    for second in range(100):
        stamps = START + second * SECOND + np.arange(0, SECOND, SECOND // 100)
        means.add(stamps, (stamps[:, None] - START) / SECOND)
    values = means.means()
    assert len(values) <= 64
    assert np.diff(values[:-1, 0]) == pytest.approx(means.width / SECOND)
    assert means.width * len(values) >= 100 * SECOND
    before = means.means()
    means.add(np.array([0, 2**63 - 1, -(2**63)]), np.ones((3, 1)))
    means.add(np.array([START]), np.full((1, 1), np.inf))
    assert np.array_equal(means.means(), before)
    empty = Means(3)
    empty.add(np.zeros(0, np.int64), np.zeros((0, 3)))
    assert empty.means().shape == (0, 3)
