# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The labels of the last seconds, as they are shown."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from m2r2_ros.core.palette import UNKNOWN_COLOUR, Colour

#: Most bars that are kept: a timeline of more could not be read, and a viewer has to draw them all.
MOST_BARS: Final = 64


@dataclass(frozen=True, slots=True)
class Bar:
    """A segment on the timeline.

    Attributes:
        number: Running number.
        start: Where it is drawn from, 0 (oldest) to 1 (now).
        end: Where it is drawn to, 0 to 1.
        label: Its label.
        colour: Colour of the label.
    """

    number: int
    start: float
    end: float
    label: str
    colour: Colour


@dataclass(frozen=True, slots=True)
class View:
    """What a viewer shows at one moment.

    Attributes:
        stamp: Of the newest label, nanoseconds.
        label: The label in force, '' where the newest is too old.
        confidence: Its probability, 0..1.
        colour: Its colour.
        bars: The timeline, oldest first.
    """

    stamp: int = 0
    label: str = ''
    confidence: float = 0.0
    colour: Colour = UNKNOWN_COLOUR
    bars: tuple[Bar, ...] = ()


@dataclass(slots=True)
class _Segment:
    number: int
    start: int
    end: int
    label: str


class LabelHistory:
    """Keeps the newest labels, segment by segment.

    Attributes:
        colours: By label.
        stamp: Stamp of the newest label, nanoseconds; None before the first.
        resets: How often the clock of the labels went back.
    """

    def __init__(self) -> None:
        """Begin without labels."""
        self.colours: dict[str, Colour] = {}
        self.stamp: int | None = None
        self.resets = 0
        self._segments: deque[_Segment] = deque(maxlen=MOST_BARS)
        self._number = 0
        self._key: tuple[str, int] | None = None
        self._confidence = 0.0

    def set_colours(self, names: Sequence[str], colours: Sequence[Colour]) -> None:
        """Take the colours of a label set."""
        self.colours = dict(zip(names, colours, strict=False))

    def note(self, stamp: int, label: str, segment: int, confidence: float, gap: float) -> None:
        """Take the label of a frame.

        Args:
            stamp: Of the frame, nanoseconds; where it goes back, all before is forgotten.
            label: Name of the label.
            segment: Index of its segment.
            confidence: Probability of the label, 0..1.
            gap: Seconds without labels after which nothing is drawn in between.
        """
        if self.stamp is not None and stamp < self.stamp:
            self._segments.clear()
            self.resets += 1
            self.stamp = None
        follows = self.stamp is not None and stamp - self.stamp <= gap * 1e9
        if follows and self._segments:
            self._segments[-1].end = stamp
        if not follows or self._key != (label, segment):
            self._segments.append(_Segment(self._number, stamp, stamp, label))
            self._number += 1
        self.stamp, self._key, self._confidence = stamp, (label, segment), confidence

    def view(self, span: float) -> View:
        """Return what there is to show of the last `span` seconds before the newest label."""
        if self.stamp is None or self._key is None:
            return View()
        start, length = self.stamp - span * 1e9, span * 1e9
        bars = tuple(
            Bar(
                s.number,
                max((s.start - start) / length, 0.0),
                (s.end - start) / length,
                s.label,
                self.colours.get(s.label, UNKNOWN_COLOUR),
            )
            for s in self._segments
            if s.end > max(start, s.start)
        )
        label = self._key[0]
        return View(
            self.stamp, label, self._confidence, self.colours.get(label, UNKNOWN_COLOUR), bars
        )


def silent(view: View) -> View:
    """Return a view whose labels are still shown, and none of which is in force."""
    return replace(view, label='', confidence=0.0, colour=UNKNOWN_COLOUR)
