# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from m2r2_ros.discovery.laps.hops import Hops, Thinned


def test_windows_slide_over_frames() -> None:
    hops: Hops[int] = Hops(4, 2)
    found = {k: hops.window for k in range(9) if hops.push(k)}
    assert found == {3: [0, 1, 2, 3], 5: [2, 3, 4, 5], 7: [4, 5, 6, 7]}
    hops.reset()
    assert [hops.push(k) for k in range(4)] == [False, False, False, True]


def test_frames_without_data_are_held_while_they_are_few() -> None:
    hops: Hops[int] = Hops(4, 1)
    found = [hops.window for k in [None, 1, 2, 3, None, 5, None, None] if hops.push(k)]
    assert found == [[1, 1, 2, 3], [1, 2, 3, 3], [2, 3, 3, 5], None, None]


def test_thinning_keeps_items_from_everywhere() -> None:
    kept: Thinned[int] = Thinned(10)
    made = 0
    for k in range(1000):
        wanted = kept.wants_next
        made += wanted
        kept.push(k if wanted else None)
    steps = {b - a for a, b in zip(kept.items, kept.items[1:], strict=False)}
    assert kept.items[0] == 0 and kept.items[-1] > 850
    assert len(steps) == 1 and 5 <= len(kept.items) <= 10
    assert made < 100
