# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is shown of labels, without a graph: timeline, markers, pixels, choice of topics."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from visualization_msgs.msg import Marker

from m2r2_ros.nodes.visualizer.history import (
    GREY,
    MOST_BARS,
    Bar,
    Colour,
    LabelHistory,
    View,
    silent,
)
from m2r2_ros.nodes.visualizer.latest import choose_topics
from m2r2_ros.nodes.visualizer.markers import LABEL, NAMES, TIMELINE, Board, MarkerBoard, Place
from m2r2_ros.nodes.visualizer.overlay import MIN_WIDTH, TEXT_BAND, TIMELINE_BAND, draw_overlay
from m2r2_ros.readers.topics import guess_topics

SECOND = 10**9
RED: Colour = (1.0, 0.0, 0.0)
BLUE: Colour = (0.0, 0.0, 1.0)
BOARD = Board(Place('base', (1.0, 2.0, 3.0)), 0.0, 2.0, 0.1)
TIP = Place('base', (0.5, 0.0, 0.25))


def history(*labels: tuple[float, str, int], gap: float = 1.0) -> LabelHistory:
    """Return a history of labels, given as seconds, name and segment."""
    found = LabelHistory()
    found.set_colours(['pick', 'place'], [RED, BLUE])
    for seconds, name, segment in labels:
        found.note(round(seconds * SECOND), name, segment, 0.5, gap)
    return found


def spans(view: View) -> list[tuple[float, float, str]]:
    return [(round(b.start, 6), round(b.end, 6), b.label) for b in view.bars]


def shown(array: Any) -> dict[tuple[str, int], Any]:
    return {(m.ns, m.id): m for m in array.markers if m.action == Marker.ADD}


def deleted(array: Any) -> set[tuple[str, int]]:
    return {(m.ns, m.id) for m in array.markers if m.action == Marker.DELETE}


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


def test_a_clock_that_goes_back_begins_anew() -> None:
    found = history((10.0, 'pick', 0), (11.0, 'pick', 0), (2.0, 'pick', 0), (3.0, 'pick', 0))
    assert found.resets == 1
    assert spans(found.view(2.0)) == [(0.5, 1.0, 'pick')]


def test_without_labels_and_without_label_set() -> None:
    assert history().view(10.0) == View()
    assert history((0.0, 'wave', 0)).view(10.0).colour == GREY
    assert silent(history((0.0, 'pick', 0)).view(1.0)).label == ''


def test_bars_are_bounded() -> None:
    found = history(*((k * 0.1, 'pick', k) for k in range(500)))
    assert len(found.view(1000.0).bars) <= MOST_BARS
    array = MarkerBoard().show(found.view(1000.0), TIP, BOARD, 0.1, 1.0)
    assert len(array.markers) <= 1 + 2 * MOST_BARS


def test_label_stands_above_the_tip_in_its_colour() -> None:
    view = history((0.0, 'pick', 0), (1.0, 'pick', 0)).view(2.0)
    label = shown(MarkerBoard().show(view, TIP, BOARD, 0.1, 1.5))[LABEL, 0]
    assert label.type == Marker.TEXT_VIEW_FACING
    assert label.text == 'pick 50%'
    assert label.header.frame_id == 'base'
    assert label.header.stamp.sec == 1
    assert (label.pose.position.x, label.pose.position.y) == (0.5, 0.0)
    assert label.pose.position.z == pytest.approx(0.4)
    assert (label.color.r, label.color.g, label.color.b, label.color.a) == (1.0, 0.0, 0.0, 1.0)
    assert (label.lifetime.sec, label.lifetime.nanosec) == (1, SECOND // 2)


def test_timeline_lies_where_it_is_put() -> None:
    view = history((0.0, 'pick', 0), (1.0, 'place', 1), (4.0, 'place', 1), gap=5.0).view(4.0)
    markers = shown(MarkerBoard().show(view, TIP, BOARD, 0.1, 1.0))
    pick, place = markers[TIMELINE, 0], markers[TIMELINE, 1]
    assert (pick.pose.position.x, pick.scale.x) == pytest.approx((0.25, 0.5))
    assert (place.pose.position.x, place.scale.x) == pytest.approx((1.25, 1.5))
    assert (place.pose.position.y, place.pose.position.z, place.scale.z) == (2.0, 3.0, 0.1)
    assert (place.color.r, place.color.b) == (0.0, 1.0)
    name = markers[NAMES, 1]
    assert name.text == 'place'
    assert name.pose.position.z < 3.0 - 0.05
    turned = Board(BOARD.place, np.pi / 2, 2.0, 0.1)
    bar = shown(MarkerBoard().show(view, TIP, turned, 0.1, 1.0))[TIMELINE, 1]
    assert (bar.pose.position.x, bar.pose.position.y) == pytest.approx((1.0, 2.25))
    assert bar.pose.orientation.z == pytest.approx(np.sin(np.pi / 4))


def test_markers_keep_their_ids_and_go_by_name() -> None:
    board = MarkerBoard()
    found = history((0.0, 'pick', 0), (1.0, 'place', 1), (2.0, 'place', 1))
    first = board.show(found.view(2.0), TIP, BOARD, 0.1, 1.0)
    assert not deleted(first)
    found.note(3 * SECOND, 'place', 1, 0.5, 1.0)
    second = board.show(found.view(2.0), TIP, BOARD, 0.1, 1.0)
    assert deleted(second) == {(TIMELINE, 0), (NAMES, 0)}
    assert shown(second)[TIMELINE, 1].text == shown(first)[TIMELINE, 1].text
    assert deleted(board.clear()) == {(LABEL, 0), (TIMELINE, 1), (NAMES, 1)}
    assert not board.clear().markers


def overlay_of(view: View, size: int = 640) -> Any:
    return draw_overlay(np.full((size // 2, size, 3), 200, np.uint8), view)


def test_picture_keeps_its_pixels_and_gets_a_band() -> None:
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


def test_long_and_foreign_names_stay_in_their_place() -> None:
    name = 'größer_' * 40
    drawn = overlay_of(View(1, name, 1.0, RED, ()), 480)
    plain = overlay_of(View(1, 'a', 1.0, RED, ()), 480)
    np.testing.assert_array_equal(drawn[:, 290:], plain[:, 290:])


CAMERA, POSE = 'sensor_msgs/msg/CompressedImage', 'geometry_msgs/msg/PoseStamped'


def test_topics_are_found_in_the_namespace_and_never_our_own() -> None:
    available = {
        '/visualizer/image/compressed': CAMERA,
        '/cameras/front/image_raw/compressed': CAMERA,
        '/robot/pose': POSE,
        '/robot/wrench': 'geometry_msgs/msg/WrenchStamped',
    }
    wanted = {'pose': '', 'image': ''}
    own = {'/visualizer/image/compressed'}
    chosen = choose_topics(available, wanted, '/', own)
    assert {m: s.topic for m, s in chosen.items()} == {
        'pose': '/robot/pose',
        'image': '/cameras/front/image_raw/compressed',
    }
    inside = choose_topics(available, wanted, '/robot', own)
    assert {m: s.topic for m, s in inside.items()} == {'pose': '/robot/pose'}
    given = choose_topics(available, {'pose': '/elsewhere', 'image': ''}, '/robot', own)
    assert (given['pose'].topic, given['pose'].type) == ('/elsewhere', '')
    # Nor does a segmenter take our picture for a camera's.
    assert not guess_topics({'/visualizer/image/compressed': CAMERA}, {})
