# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as markers: the label at the end effector, and a timeline beside the robot."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, Quaternion, Vector3
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from m2r2_ros.core.palette import Colour
from m2r2_ros.nodes.visualizer.history import MOST_BARS, Bar, View

#: Namespaces of the markers, which viewers show and hide one by one.
LABEL: Final = 'label'
TIMELINE: Final = 'timeline'
NAMES: Final = 'timeline_names'

#: Bars of a smaller share of the timeline have no name below them: names would overlap.
_LEAST_NAMED: Final = 0.04
_WHITE: Final[Colour] = (1.0, 1.0, 1.0)

#: Namespace and id.
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is, in metres.

    Attributes:
        frame: Frame id.
        position: x, y, z.
    """

    frame: str
    position: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Board:
    """The timeline in space: time runs along the x axis, names stand below.

    Attributes:
        place: Its centre.
        yaw: Rotation about the z axis, rad.
        width: Length of the timeline, m.
        height: Height of its bars, m.
    """

    place: Place
    yaw: float
    width: float
    height: float

    def point(self, along: float, below: float = 0.0) -> tuple[float, float, float]:
        """Return the point at `along` (0 oldest, 1 now) that is `below` (m) the bars' middle."""
        x, y, z = self.place.position
        offset = (along - 0.5) * self.width
        return x + offset * math.cos(self.yaw), y + offset * math.sin(self.yaw), z - below


class MarkerBoard:
    """Makes marker arrays; knows which earlier ones viewers still show.

    There are at most 1 + 2 MOST_BARS markers. A segment keeps its ids while it moves along the
    timeline, so that it moves in viewers too instead of being drawn again.
    """

    def __init__(self) -> None:
        """Begin with nothing shown."""
        self._shown: dict[Key, str] = {}

    def show(
        self, view: View, tip: Place, board: Board, text_height: float, lifetime: float
    ) -> MarkerArray:
        """Return the markers of a view, and deletions of those that are gone.

        Args:
            view: What is shown.
            tip: Where the label stands.
            board: The timeline.
            text_height: Of the label, m.
            lifetime: Seconds after which viewers remove markers that are not sent again.
        """
        markers = [*_label(view, tip, text_height), *_timeline(view, board)]
        for marker in markers:
            marker.header.stamp = _time(view.stamp)
            marker.action = Marker.ADD
            marker.lifetime = _duration(lifetime)
        return self._array(markers)

    def clear(self) -> MarkerArray:
        """Return deletions of all that is shown."""
        return self._array([])

    def _array(self, markers: list[Marker]) -> MarkerArray:
        now = {(m.ns, m.id): m.header.frame_id for m in markers}
        gone = [
            _marker(key, Marker.CUBE, Place(frame, (0.0, 0.0, 0.0)), action=Marker.DELETE)
            for key, frame in self._shown.items()
            if key not in now
        ]
        self._shown = now
        return MarkerArray(markers=[*gone, *markers])


def _label(view: View, tip: Place, text_height: float) -> Iterator[Marker]:
    if not view.label:
        return
    x, y, z = tip.position
    above = Place(tip.frame, (x, y, z + 1.5 * text_height))
    marker = _marker((LABEL, 0), Marker.TEXT_VIEW_FACING, above)
    marker.text = f'{view.label} {view.confidence:.0%}'
    marker.scale = Vector3(z=text_height)
    marker.color = _colour(view.colour)
    yield marker


def _timeline(view: View, board: Board) -> Iterator[Marker]:
    turn = Quaternion(z=math.sin(board.yaw / 2), w=math.cos(board.yaw / 2))
    for bar in view.bars:
        slot = bar.number % MOST_BARS
        middle = Place(board.place.frame, board.point((bar.start + bar.end) / 2))
        marker = _marker((TIMELINE, slot), Marker.CUBE, middle)
        marker.pose.orientation = turn
        length = (bar.end - bar.start) * board.width
        marker.scale = Vector3(x=length, y=board.height / 4, z=board.height)
        marker.color = _colour(bar.colour)
        yield marker
        if bar.end - bar.start >= _LEAST_NAMED:
            yield _name(bar, slot, board)


def _name(bar: Bar, slot: int, board: Board) -> Marker:
    # Word below word: names are longer than bars.
    lines = bar.label.split('_')
    size = board.height / 3
    below = board.height * 0.7 + size * len(lines) / 2
    place = Place(board.place.frame, board.point((bar.start + bar.end) / 2, below))
    marker = _marker((NAMES, slot), Marker.TEXT_VIEW_FACING, place)
    marker.text = '\n'.join(lines)
    marker.scale = Vector3(z=size)
    marker.color = _colour(_WHITE)
    return marker


def _marker(key: Key, kind: int, place: Place, action: int = Marker.ADD) -> Marker:
    marker = Marker(ns=key[0], id=key[1], type=kind, action=action)
    marker.header.frame_id = place.frame
    marker.pose.position = Point(x=place.position[0], y=place.position[1], z=place.position[2])
    marker.pose.orientation.w = 1.0
    return marker


def _colour(colour: Colour) -> ColorRGBA:
    return ColorRGBA(r=colour[0], g=colour[1], b=colour[2], a=1.0)


def _time(nanoseconds: int) -> Time:
    sec, nanosec = divmod(nanoseconds, 1_000_000_000)
    return Time(sec=sec, nanosec=nanosec)


def _duration(seconds: float) -> Duration:
    sec, nanosec = divmod(round(seconds * 1e9), 1_000_000_000)
    return Duration(sec=sec, nanosec=nanosec)
