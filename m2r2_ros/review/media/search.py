# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The last message at or before a stamp, in files that are ordered by log time."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.time import SECOND
from m2r2_ros.review.media.parts import Parts, Place, TimedPart

#: How much log time less stamp may differ from what was seen of it, nanoseconds.
_SLACK: Final = SECOND // 20
#: What differs more from the usual is a wrong stamp; such messages may be passed over.
_ODD: Final = 2 * SECOND
#: Parts that are looked at for one answer; mostly one or two are enough.
_MOST_PARTS: Final = 1 << 12
#: How far is looked back at first where nothing is found, nanoseconds.
_BACK: Final = SECOND // 2


class StampedMessage(NamedTuple):
    """A message: stamp and log time in nanoseconds, and its CDR bytes."""

    stamp: int
    log_time: int
    raw: NDArray[np.uint8]


class StampedTopic:
    """The messages of one topic by their stamps.

    Log times are later than stamps, by less than a frame or by years. How much is learnt from
    what is read: at the first message, and wherever something is looked for.
    """

    def __init__(self, parts: Parts, topic: str) -> None:
        """Read nothing yet."""
        self._parts, self._topic = parts, topic
        self._start, self._end = parts.range_of(topic)
        self._usual = self._low = self._high = 0
        self._begun = False

    def at(self, stamp: int) -> StampedMessage | None:
        """Return the last message at or before a stamp, by stamp, then log time; None before all.

        Raises:
            BagError: The file is corrupt there.
        """
        if not self._begun:
            self._begin()
        seen: set[Place] = set()
        best = None
        back = 0
        while best is None and len(seen) < _MOST_PARTS:
            since = stamp + self._low - _SLACK - back
            for part in reversed(self._left(since, stamp, seen)):
                best = self._look(part, stamp, seen, best)
                if best is not None or len(seen) >= _MOST_PARTS:
                    break
            if since < self._start:
                break
            back = max(2 * back, _BACK)
        # What is newer still was logged between the one that was found and the stamp.
        while best is not None and len(seen) < _MOST_PARTS:
            left = self._left(best.stamp + self._low - _SLACK, stamp, seen)
            if not left:
                break
            best = self._look(left[-1], stamp, seen, best)
        return best

    def _left(self, since: int, stamp: int, seen: set[Place]) -> list[TimedPart]:
        """Return the parts from a log time on, up to that of a stamp, that were not looked at."""
        until = stamp + self._high + _SLACK + 1
        found = self._parts.during(self._topic, since, until) if since < until else []
        return [part for part in found if part.place not in seen]

    def _look(
        self, part: TimedPart, stamp: int, seen: set[Place], best: StampedMessage | None
    ) -> StampedMessage | None:
        """Return the best message of a part, or that from elsewhere if it is better."""
        seen.add(part.place)
        stretch = self._parts.read(part, self._topic)
        if stretch is None:
            return best
        self._learn(stretch.block.log_times - stretch.stamps)
        early = np.flatnonzero(stretch.stamps <= stamp)
        if not len(early):
            return best
        stamps, times = stretch.stamps[early], stretch.block.log_times[early]
        k = int(np.lexsort((times, stamps))[-1])
        found = StampedMessage(int(stamps[k]), int(times[k]), stretch.block.message(int(early[k])))
        return found if best is None or found[:2] >= best[:2] else best

    def _begin(self) -> None:
        for part in self._parts.during(self._topic, self._start, self._end + 1):
            stretch = self._parts.read(part, self._topic)
            if stretch is not None:
                lags = stretch.block.log_times - stretch.stamps
                self._usual = self._low = self._high = int(np.median(lags))
                self._learn(lags)
                break
        self._begun = True

    def _learn(self, lags: NDArray[np.int64]) -> None:
        near = lags[np.abs(lags - self._usual) <= _ODD]
        if len(near):
            self._low = min(self._low, int(near.min()))
            self._high = max(self._high, int(near.max()))
