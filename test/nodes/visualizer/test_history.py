# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as the bars of a timeline."""

from m2r2_ros.core.palette import UNKNOWN_COLOUR
from m2r2_ros.nodes.visualizer.history import MOST_BARS, View, silent
from test.nodes.visualizer.views import BLUE, RED, SECOND, history


def spans(view: View) -> list[tuple[float, float, str]]:
    return [(round(b.start, 6), round(b.end, 6), b.label) for b in view.bars]


def test_segments_follow_each_other_up_to_now() -> None:
    found = history((0.0, 'pick', 0), (0.5, 'pick', 0), (1.0, 'place', 1), (2.0, 'place', 1))
    view = found.view(4.0)
    assert spans(view) == [(0.5, 0.75, 'pick'), (0.75, 1.0, 'place')]
    assert [b.colour for b in view.bars] == [RED, BLUE]
    assert (view.stamp, view.label, view.colour) == (2 * SECOND, 'place', BLUE)
    assert spans(found.view(1.25)) == [(0.0, 0.2, 'pick'), (0.2, 1.0, 'place')]
    assert spans(found.view(0.5)) == [(0.0, 1.0, 'place')]


def test_two_segments_of_one_label_are_two_bars() -> None:
    view = history((0.0, 'pick', 0), (1.0, 'pick', 1), (2.0, 'pick', 1)).view(2.0)
    assert spans(view) == [(0.0, 0.5, 'pick'), (0.5, 1.0, 'pick')]


def test_silence_leaves_a_gap() -> None:
    view = history((0.0, 'pick', 0), (1.0, 'pick', 0), (3.0, 'pick', 0), (4.0, 'pick', 0)).view(4)
    assert spans(view) == [(0.0, 0.25, 'pick'), (0.75, 1.0, 'pick')]


def test_a_clock_that_goes_back_clears_the_timeline() -> None:
    found = history((10.0, 'pick', 0), (11.0, 'pick', 0), (2.0, 'pick', 0), (3.0, 'pick', 0))
    assert found.resets == 1
    assert spans(found.view(2.0)) == [(0.5, 1.0, 'pick')]


def test_without_labels_and_without_label_set() -> None:
    assert history().view(10.0) == View()
    assert history((0.0, 'wave', 0)).view(10.0).colour == UNKNOWN_COLOUR
    assert silent(history((0.0, 'pick', 0)).view(1.0)).label == ''


def test_bars_are_bounded() -> None:
    found = history(*((k * 0.1, 'pick', k) for k in range(500)))
    assert len(found.view(1000.0).bars) <= MOST_BARS
