# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels drawn into camera images, pixel by pixel."""

from typing import Any

import numpy as np
import pytest

from m2r2_ros.nodes.visualizer.history import Bar, View
from m2r2_ros.nodes.visualizer.overlay import MIN_WIDTH, TEXT_BAND, TIMELINE_BAND, draw_overlay
from test.nodes.visualizer.views import BLUE, RED


def overlay_of(view: View, size: int = 640) -> Any:
    return draw_overlay(np.full((size // 2, size, 3), 200, np.uint8), view)


def test_an_image_keeps_its_pixels_and_gets_a_band() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (100, MIN_WIDTH, 3), np.uint8)
    drawn = draw_overlay(pixels, View())
    assert drawn.shape == (100 + TEXT_BAND + TIMELINE_BAND, MIN_WIDTH, 3)
    np.testing.assert_array_equal(drawn[:100], pixels)
    small = draw_overlay(pixels[:, :100], View())
    assert small.shape[1] == 500
    np.testing.assert_array_equal(small[:500:5, ::5], pixels[:, :100])


def test_band_shows_label_confidence_and_timeline() -> None:
    bars = (Bar(0, 0.25, 0.5, 'pick', RED), Bar(1, 0.5, 1.0, 'place', BLUE))
    sure = overlay_of(View(1, 'place', 1.0, BLUE, bars))
    unsure = overlay_of(View(1, 'place', 0.5, BLUE, bars))
    strip = sure[-TIMELINE_BAND // 2]
    assert strip[240].tolist() == [255, 0, 0]
    assert strip[600].tolist() == [0, 0, 255]
    assert strip[80].tolist() not in ([255, 0, 0], [0, 0, 255])
    rows = slice(-TEXT_BAND - TIMELINE_BAND, -TIMELINE_BAND)
    blue = [int((part[rows, 100:] == (0, 0, 255)).all(-1).sum()) for part in (sure, unsure)]
    assert blue[0] == pytest.approx(2 * blue[1], rel=0.02)
    other = overlay_of(View(1, 'pick_up', 1.0, BLUE, bars))
    assert (other[rows, :300] != sure[rows, :300]).any()


def test_long_and_non_ascii_names_stay_in_their_place() -> None:
    name = 'größer_' * 40
    drawn = overlay_of(View(1, name, 1.0, RED, ()), 480)
    plain = overlay_of(View(1, 'a', 1.0, RED, ()), 480)
    np.testing.assert_array_equal(drawn[:, 290:], plain[:, 290:])
