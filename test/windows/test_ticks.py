# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When frames are, with a camera and without one."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.time import SECOND
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.ticks import CameraClock, FixedClock, window_starts

T = 1_700_000_000 * SECOND
TENTH = Fraction(SECOND, 10)
PATIENCE = SECOND // 2


def ms(*times: float) -> list[int]:
    return [T + round(t * 1_000_000) for t in times]


def fed(stamps: list[int], period: Fraction = TENTH, begin: int = T - 1) -> CameraClock:
    clock = CameraClock(period, PATIENCE)
    clock.begin(begin)
    for stamp in stamps:
        clock.see(stamp, stamp)
    return clock


def test_the_fixed_grid_lies_on_whole_periods_wherever_it_begins() -> None:
    clock = FixedClock(TENTH)
    clock.begin(T + 123_456_789)
    assert clock.previous == T + SECOND // 10
    assert clock.due(T + 500_000_000).tolist() == ms(200, 300, 400, 500)
    assert clock.due(T + 199_999_999).tolist() == []


def test_a_sample_on_the_grid_belongs_to_the_frame_after_it() -> None:
    clock = FixedClock(TENTH)
    clock.begin(T)
    assert clock.previous == T
    assert clock.due(T + SECOND // 10).tolist() == ms(100)


def test_taken_frames_are_not_due_again() -> None:
    clock = FixedClock(TENTH)
    clock.begin(T)
    clock.take(2)
    assert clock.previous == ms(200)[0]
    assert clock.due(ms(400)[0]).tolist() == ms(300, 400)


def test_a_fixed_clock_that_has_not_begun_gives_nothing() -> None:
    assert len(FixedClock(TENTH).due(T)) == 0
    assert len(CameraClock(TENTH, PATIENCE).due(T)) == 0


@pytest.mark.parametrize('rate', [3.0, 15.0, 29.97, 30.0])
@given(hours=st.integers(0, 100), cut=st.integers(0, 3_000_000_000))
def test_uneven_periods_do_not_drift_and_do_not_depend_on_the_start(
    rate: float, hours: int, cut: int
) -> None:
    period = WindowConfig(frame_rate=rate).period
    now = T + hours * 3600 * SECOND
    whole, later = FixedClock(period), FixedClock(period)
    whole.begin(now)
    later.begin(now + cut)
    ticks = whole.due(now + 5 * SECOND)
    rest = later.due(now + 5 * SECOND)
    assert rest.tolist() == ticks[len(ticks) - len(rest) :].tolist()
    assert len(ticks) == pytest.approx(5 * rate, abs=1)
    assert set(np.diff(ticks)) <= {int(period), int(period) + 1}
    grid = [int(k * period) for k in range(int(now / period), int(now / period) + 200)]
    assert set(ticks.tolist()) <= set(grid)


def test_every_frame_of_a_slow_camera_counts_however_it_jitters() -> None:
    stamps = ms(10, 95, 221, 303, 395, 512, 640)
    assert fed(stamps).due(stamps[-1]).tolist() == stamps


def test_a_fast_camera_is_thinned_to_one_frame_in_a_cell() -> None:
    stamps = ms(*np.arange(0, 1000, 1000 / 30))
    ticks = fed(stamps).due(stamps[-1])
    assert set(ticks.tolist()) <= set(stamps)
    assert (ticks // int(TENTH)).tolist() == [T // int(TENTH) + k for k in range(10)]


@given(st.integers(0, 29), st.integers(0, 10_000))
def test_thinning_does_not_depend_on_where_the_recording_began(skip: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stamps = ms(*(np.arange(60) * 33.3 + rng.uniform(0, 12, 60)))
    whole = fed(stamps).due(stamps[-1]).tolist()
    part = fed(stamps[skip:], begin=stamps[skip] - 1).due(stamps[-1]).tolist()
    # The very first frame counts for want of one before it.
    assert part[1:] == [t for t in whole if t > part[0]]


def test_while_the_camera_is_silent_frames_go_on_at_the_period() -> None:
    clock = fed(ms(0, 100, 200))
    clock.take(len(clock.due(T + 200_000_000)))
    assert clock.due(ms(800)[0]).tolist() == []
    assert clock.due(ms(801)[0]).tolist() == ms(300)
    assert clock.due(ms(1001)[0]).tolist() == ms(300, 400, 500)


def test_a_camera_that_returns_takes_over_at_its_own_stamps() -> None:
    clock = fed(ms(0, 100))
    clock.due(ms(1000)[0])
    clock.see(*ms(1040, 1040))
    ticks = clock.due(ms(1040)[0]).tolist()
    assert ticks == ms(0, 100, 200, 300, 400, 500, 1040)
    clock.see(*ms(1140, 1140))
    assert clock.due(ms(1140)[0])[-1] == ms(1140)[0]


def test_an_image_that_comes_late_makes_no_frame_in_the_past() -> None:
    clock = fed(ms(0))
    clock.take(len(clock.due(ms(2000)[0])))
    assert clock.previous == ms(1400)[0]
    clock.see(*ms(1350, 2000))
    assert clock.due(ms(2000)[0]).tolist() == []


@given(st.lists(st.integers(1, 900), min_size=1, max_size=40), st.data())
def test_asking_more_often_does_not_change_the_frames(gaps: list[int], data: st.DataObject) -> None:
    stamps = ms(*np.cumsum(gaps))
    eager = CameraClock(TENTH, PATIENCE)
    eager.begin(T - 1)
    found: list[int] = []
    for stamp in stamps:
        eager.see(stamp, stamp)
        due = eager.due(stamp)
        n = data.draw(st.integers(0, len(due)))
        found += due[:n].tolist()
        eager.take(n)
    found += eager.due(stamps[-1]).tolist()
    assert found == fed(stamps).due(stamps[-1]).tolist()


def test_windows_join_without_gaps() -> None:
    ticks = np.array([5, 9, 12])
    assert window_starts(3, ticks).tolist() == [3, 5, 9]
    assert window_starts(3, ticks[:0]).tolist() == []
