# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from m2r2_ros.bags.writing.snapshot import Snapshot

SECOND = 1_000_000_000


def filled(seconds: float = 3.0, max_bytes: int = 10**6, count: int = 10) -> Snapshot:
    snapshot = Snapshot(seconds, max_bytes)
    for k in range(count):
        snapshot.add((k * SECOND, '/a', bytes(100)))
    return snapshot


def times(snapshot: Snapshot) -> list[int]:
    return [time // SECOND for time, _, _ in snapshot.entries()]


def test_it_looks_back_no_further_than_asked() -> None:
    snapshot = filled()
    assert times(snapshot) == [6, 7, 8, 9]
    assert snapshot.seconds == pytest.approx(3.0)


def test_it_takes_no_more_memory_than_allowed() -> None:
    snapshot = filled(100.0, 1000)
    assert times(snapshot) == [7, 8, 9]
    assert snapshot.size <= 1000
    snapshot.add((10 * SECOND, '/a', bytes(2000)))
    assert times(snapshot) == []
    assert (snapshot.size, snapshot.seconds) == (0, 0.0)


def test_clock_that_jumps_back_begins_anew() -> None:
    snapshot = filled()
    snapshot.add((0, '/a', b''))
    assert times(snapshot) == [0]


def test_small_disorder_is_kept() -> None:
    snapshot = filled(3.0, count=2)
    snapshot.add((0, '/b', b''))
    assert times(snapshot) == [0, 1, 0]


def test_latched_messages_outlive_their_time() -> None:
    snapshot = Snapshot(3.0, 10**6)
    for k in range(30):
        snapshot.add((0, '/tf_static', bytes([k])), latched=True)
    for k in range(10):
        snapshot.add((k * SECOND, '/a', b''))
    snapshot.add((9 * SECOND, '/tf_static', b'new'), latched=True)
    kept = [bytes([k]) for k in range(10, 30)]
    entries = snapshot.entries()
    assert entries[:20] == [(6 * SECOND, '/tf_static', raw) for raw in kept]
    assert [topic for _, topic, _ in entries[20:]] == ['/a'] * 4 + ['/tf_static']
    assert snapshot.latched(77) == [(77, '/tf_static', raw) for raw in (*kept, b'new')]
