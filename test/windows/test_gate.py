# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which stamps are believed, and when the clock follows those that are not."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.core.time import SECOND
from m2r2_ros.windows.gate import BACK, TimeGate

GAP = 10 * SECOND
HOUR = 3600 * SECOND
T = 1_700_000_000 * SECOND
MS = 1_000_000


@dataclass
class Judged:
    """Everything a gate said about samples that came in several calls."""

    accepted: list[bool] = field(default_factory=list)
    clock: list[int] = field(default_factory=list)
    resets: list[int] = field(default_factory=list)
    dropped: Counter[tuple[int, str]] = field(default_factory=Counter)


def judge(gate: TimeGate, *samples: tuple[int, int], cuts: tuple[int, ...] = ()) -> Judged:
    """Hand (stamp, stream) pairs to a gate in calls cut at the given positions."""
    out = Judged()
    edges = sorted({0, *cuts, len(samples)})
    for lo, hi in pairwise(edges):
        verdict = gate.admit(*arrays(samples[lo:hi]))
        out.accepted += verdict.accepted.tolist()
        out.clock += verdict.clock.tolist()
        out.resets += [lo + r for r in verdict.resets]
        out.dropped += verdict.dropped
    return out


def arrays(samples: tuple[tuple[int, int], ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return tuple(np.array(column, np.int64) for column in zip(*samples, strict=True))  # type: ignore[return-value]


def steady(streams: int, start: int, count: int) -> list[tuple[int, int]]:
    """Make `count` samples of each stream, 10 ms apart."""
    return [(start + k * 10 * MS + s, s) for k in range(count) for s in range(streams)]


def each_alone(n: int) -> tuple[int, ...]:
    return tuple(range(n))


@pytest.mark.parametrize('alone', [False, True])
def test_repeats_and_disorder_are_dropped_and_counted_by_name(alone: bool) -> None:
    samples = [(T, 0), (T, 0), (T + 5, 0), (T + 3, 0), (T + BACK, 0), (T + 5, 0), (T + 1, 1)]
    judged = judge(TimeGate(2, GAP), *samples, cuts=each_alone(7) if alone else ())
    assert judged.accepted == [True, False, True, False, True, False, True]
    assert judged.dropped == {(0, 'repeated'): 1, (0, 'out_of_order'): 2}
    assert judged.clock == list(np.maximum.accumulate([s for s, _ in samples]))
    assert not judged.resets


def test_streams_may_be_out_of_step_with_each_other() -> None:
    judged = judge(TimeGate(2, GAP), (T + 3 * SECOND, 0), (T, 1), (T + 1, 1))
    assert all(judged.accepted)
    assert judged.clock == [T + 3 * SECOND] * 3


def test_a_step_back_of_half_a_second_is_disorder_and_more_is_another_clock() -> None:
    at = T + SECOND
    half = 500 * MS
    judged = judge(TimeGate(3, GAP), (at, 0), (at, 1), (at, 2), (at - half, 0), (at - half - 1, 0))
    assert judged.accepted == [True] * 3 + [False] * 2
    assert judged.dropped == {(0, 'out_of_order'): 1, (0, 'off_clock'): 1}


def test_a_single_stamp_far_ahead_is_dropped_and_forgotten() -> None:
    head, tail = steady(3, T, 5), steady(3, T + 50 * MS, 5)
    gate = TimeGate(3, GAP)
    judged = judge(gate, *head, (T + HOUR, 1), *tail)
    assert judged.dropped == {(1, 'off_clock'): 1}
    assert judged.accepted.count(False) == 1
    assert not judged.resets
    assert gate.clock == tail[-1][0]


def test_stamps_far_ahead_now_and_then_do_not_add_up() -> None:
    rows = [(T + HOUR if k % 3 == 2 else T + k * MS, 0) for k in range(30)]
    judged = judge(TimeGate(1, GAP), *rows)
    assert judged.dropped == {(0, 'off_clock'): 10}
    assert not judged.resets


def test_stamps_up_to_the_gap_ahead_are_believed() -> None:
    gate = TimeGate(2, GAP)
    judged = judge(gate, (T, 0), (T + GAP, 1), (T + 2 * GAP + 1, 0))
    assert judged.accepted == [True, True, False]


@pytest.mark.parametrize('jump', [HOUR, -HOUR, -SECOND, GAP + SECOND])
@pytest.mark.parametrize('alone', [False, True])
def test_the_clock_follows_once_most_streams_have_jumped_twice(jump: int, alone: bool) -> None:
    samples = [*steady(3, T, 5), *steady(3, T + jump + 50 * MS, 5)]
    gate = TimeGate(3, GAP)
    cuts = each_alone(len(samples)) if alone else ()
    judged = judge(gate, *samples, cuts=cuts)
    # Two of three streams, twice each: the second sample of the second stream decides.
    assert judged.resets == [15 + 4]
    assert judged.accepted == [True] * 15 + [False] * 4 + [True] * 11
    assert judged.dropped == {(0, 'off_clock'): 2, (1, 'off_clock'): 1, (2, 'off_clock'): 1}
    assert judged.clock[18] == samples[14][0]
    assert judged.clock[19:] == [s for s, _ in samples[19:]]


def test_one_device_that_reboots_does_not_reset_the_others() -> None:
    rows = [(s, k) if k else (s - T, k) for s, k in steady(3, T + 50 * MS, 200)]
    judged = judge(TimeGate(3, GAP), *steady(3, T, 5), *rows)
    assert not judged.resets
    assert judged.dropped == {(0, 'off_clock'): 200}
    assert judged.clock[-1] == rows[-1][0]


def test_a_device_is_believed_again_once_its_clock_is_right() -> None:
    gate = TimeGate(3, GAP)
    judge(gate, *steady(3, T, 5), (T - HOUR, 0), (T - HOUR + 1, 0))
    judged = judge(gate, *steady(3, T + SECOND, 5))
    assert all(judged.accepted)
    assert not judged.resets


def test_a_stream_that_is_alone_decides_alone() -> None:
    judged = judge(TimeGate(6, GAP), (T, 3), (T + HOUR, 3), (T + HOUR + 1, 3))
    assert judged.accepted == [True, False, True]
    assert judged.resets == [2]


def test_streams_that_are_long_silent_have_no_say() -> None:
    gate = TimeGate(4, GAP)
    judge(gate, *steady(4, T, 3))
    judge(gate, *steady(1, T + SECOND, 2500))
    assert judge(gate, *steady(1, T, 3)).resets == [1]


def test_a_stream_that_fell_silent_a_moment_ago_still_has_a_say() -> None:
    gate = TimeGate(4, GAP)
    judge(gate, *steady(4, T, 3))
    judge(gate, *steady(2, T + SECOND, 100))
    assert not judge(gate, *steady(2, T - HOUR, 50)).resets


@pytest.mark.parametrize('alone', [False, True])
def test_a_first_stamp_of_zero_is_a_time_like_any_other(alone: bool) -> None:
    samples = [(0, 0), (T, 1), (T + MS, 1)]
    gate = TimeGate(2, GAP)
    judged = judge(gate, *samples, cuts=each_alone(3) if alone else ())
    assert judged.accepted == [True, False, False]
    assert judged.clock == [0, 0, 0]
    later = judge(gate, (T + 2 * MS, 0), (T + 3 * MS, 0), (T + 4 * MS, 1))
    assert later.resets == [1]
    assert gate.clock == T + 4 * MS


def test_a_first_stamp_far_ahead_does_not_stop_the_clock_for_good() -> None:
    judged = judge(TimeGate(3, GAP), (T + HOUR, 0), *steady(3, T, 3))
    assert judged.resets == [1 + 4]
    assert judged.clock[-1] == T + 20 * MS + 2


@pytest.mark.parametrize('alone', [False, True])
def test_a_device_that_begins_with_another_clock_is_named(alone: bool) -> None:
    rows = [(s, k) if k else (s - T, k) for s, k in steady(3, T, 5)]
    rows[:2] = rows[1::-1]
    judged = judge(TimeGate(3, GAP), *rows, cuts=each_alone(15) if alone else ())
    assert judged.dropped == {(0, 'off_clock'): 5}
    assert not judged.resets


def test_nothing_gives_nothing() -> None:
    gate = TimeGate(2, GAP)
    none = np.empty(0, np.int64)
    assert len(gate.admit(none, none).accepted) == 0
    assert gate.clock is None
    judge(gate, (T, 0))
    assert len(gate.admit(none, none).clock) == 0
    assert gate.clock == T


@st.composite
def wild_streams(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Make streams that step, repeat, fall back, run ahead and jump."""
    steps = st.one_of(
        st.integers(0, 30 * MS),
        st.integers(-2 * BACK, 2 * BACK),
        st.sampled_from([0, -BACK, -BACK - 1, GAP, GAP + 1, HOUR, -HOUR]),
    )
    now = draw(st.sampled_from([0, T]))
    offsets = draw(st.lists(st.integers(0, BACK), min_size=3, max_size=3))
    out = []
    for stream, step in draw(st.lists(st.tuples(st.integers(0, 2), steps), max_size=60)):
        now = max(0, now + step)
        out.append((now + offsets[stream], stream))
    return out


@given(wild_streams(), st.lists(st.integers(0, 60)))
def test_fast_and_slow_path_and_any_grouping_agree(
    samples: list[tuple[int, int]], cuts: list[int]
) -> None:
    if not samples:
        return
    at_once = judge(TimeGate(3, GAP), *samples)
    inner = tuple(c for c in cuts if c < len(samples))
    assert judge(TimeGate(3, GAP), *samples, cuts=inner) == at_once
    slow = TimeGate(3, GAP)
    slow._clock = samples[0][0]
    verdict = slow._admit_each(*arrays(tuple(samples)))
    assert verdict.accepted.tolist() == at_once.accepted
    assert verdict.clock.tolist() == at_once.clock
    assert verdict.resets == at_once.resets
    assert verdict.dropped == at_once.dropped


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20 * MS)), min_size=1, max_size=60))
def test_the_fast_path_takes_what_is_on_the_clock(moves: list[tuple[int, int]]) -> None:
    stamps = np.cumsum([T] + [step for _, step in moves[1:]])
    samples = tuple((int(t), s) for t, (s, _) in zip(stamps, moves, strict=True))
    fast, slow = TimeGate(4, GAP), TimeGate(4, GAP)
    fast._clock = slow._clock = T
    quick, thorough = fast._admit_run(*arrays(samples)), slow._admit_each(*arrays(samples))
    assert quick is not None
    assert quick.accepted.tolist() == thorough.accepted.tolist()
    assert quick.clock.tolist() == thorough.clock.tolist()
    assert quick.dropped == thorough.dropped
    assert (fast._last, fast.clock) == (slow._last, slow.clock)
