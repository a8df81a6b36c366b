# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The position of a replay."""

import time

from m2r2_ros.nodes.common.timeline import Timeline

MS = 1_000_000


def test_a_timeline_moves_at_its_rate_and_stands_where_it_is_paused() -> None:
    timeline = Timeline(50.0, paused=True)
    assert not timeline.step(5)
    timeline.jump(100)
    assert timeline.step(5)
    assert timeline.position() == 105
    assert timeline.behind(0) == 0.0
    begin = time.monotonic_ns()
    timeline.resume()
    timeline.sleep(105 + 10 * MS)
    timeline.pause()
    stood = timeline.position()
    assert 0 < stood - 105 <= (time.monotonic_ns() - begin) * 50
    timeline.set_rate(1.0)
    assert timeline.position() == stood
