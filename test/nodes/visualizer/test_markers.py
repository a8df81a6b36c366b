# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as markers, without a graph."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip('visualization_msgs', reason='this machine has no ROS 2')

from visualization_msgs.msg import Marker

from m2r2_ros.nodes.visualizer.history import MOST_BARS
from m2r2_ros.nodes.visualizer.markers import LABEL, NAMES, TIMELINE, Board, MarkerBoard, Place
from test.nodes.visualizer.views import SECOND, history

BOARD = Board(Place('base', (1.0, 2.0, 3.0)), 0.0, 2.0, 0.1)
TIP = Place('base', (0.5, 0.0, 0.25))


def shown(array: Any) -> dict[tuple[str, int], Any]:
    return {(m.ns, m.id): m for m in array.markers if m.action == Marker.ADD}


def deleted(array: Any) -> set[tuple[str, int]]:
    return {(m.ns, m.id) for m in array.markers if m.action == Marker.DELETE}


def test_markers_are_bounded() -> None:
    found = history(*((k * 0.1, 'pick', k) for k in range(500)))
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
