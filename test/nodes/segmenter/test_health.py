# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rates, jitter and gaps, against streams whose figures are known."""

import numpy as np
import pytest

from m2r2_ros.nodes.segmenter.health import GAP, SPAN, Durations, StreamHealth

START = 1_800_000_000_000_000_000


def stamps(seconds: np.ndarray) -> np.ndarray:
    return START + np.round(seconds * 1e9).astype(np.int64)


def test_rate_jitter_and_age_of_a_steady_stream() -> None:
    health = StreamHealth()
    times = np.arange(0, 10, 0.01)
    for part in np.array_split(times, 37):
        health.note(stamps(part))
    health.update()
    assert health.count == 1000
    assert health.rate == pytest.approx(100)
    assert health.jitter == pytest.approx(0, abs=1e-9)
    assert health.gaps == 0
    assert health.age(START + 10_000_000_000) == pytest.approx(0.01)


def test_jitter_is_the_spread_of_the_spacing() -> None:
    health = StreamHealth()
    spacing = np.where(np.arange(400) % 2, 0.008, 0.012)
    health.note(stamps(spacing.cumsum()))
    health.update()
    assert health.jitter == pytest.approx(0.002, rel=1e-4)


def test_rate_looks_back_over_the_last_seconds_alone() -> None:
    health = StreamHealth()
    slow, fast = np.arange(0, 20, 0.1), 20 + np.arange(0, SPAN + 1, 0.01)
    health.note(stamps(slow))
    health.update()
    assert health.rate == pytest.approx(10)
    health.note(stamps(fast))
    health.update()
    assert health.rate == pytest.approx(100)


def test_gaps_are_spacings_far_above_the_usual_one() -> None:
    health = StreamHealth()
    health.note(stamps(np.arange(0, 1, 0.01)))
    health.update()
    health.note(stamps(np.array([1.0, 1.0 + 0.01 * (GAP - 0.5), 2.0, 2.01])))
    assert health.gaps == 1
    assert health.longest_gap == pytest.approx(1 - 0.01 * (GAP - 0.5))


def test_before_the_first_message_nothing_is_known() -> None:
    health = StreamHealth()
    health.note(stamps(np.empty(0)))
    health.update()
    assert (health.count, health.rate, health.jitter) == (0, 0, 0)
    assert health.age(START) == float('inf')


def test_percentiles_are_those_of_the_newest_durations() -> None:
    durations = Durations(most=100)
    assert durations.percentile(99) == 0
    for k in range(200):
        durations.note(k / 1000)
    assert durations.percentile(0) == pytest.approx(0.1)
    assert durations.percentile(50) == pytest.approx(0.1495)
