# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of the times of a topic while a recording is read."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.checks.recording.intervals import Intervals
from m2r2_ros.core.time import SECOND

#: Windows of a recording; those of a longer one are longer than asked for.
_MOST_WINDOWS: Final = 200_000


class TimeGrid:
    """A recording cut into windows of time.

    Attributes:
        start: Where the first begins, nanoseconds.
        window: Length of one, nanoseconds.
        count: How many there are.
    """

    def __init__(self, start: int, end: int, window: float) -> None:
        """Cut a recording of log times start to end, ns, into windows of so many seconds."""
        self.start = start
        length = max(end - start, 0) + 1
        self.window = max(round(window * SECOND), -(-length // _MOST_WINDOWS))
        self.count = -(-length // self.window)

    def places(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return in which window each time lies, int64 (n,)."""
        return np.clip((times - self.start) // self.window, 0, self.count - 1)


class TopicTimes:
    """The times of one topic, in memory that does not depend on how many messages it has.

    Attributes:
        count: Messages.
        stamped: How many of them say when they are from.
        first: Log time of the first, nanoseconds.
        last: Log time of the last, nanoseconds.
        intervals: Between messages, by their stamps where they have any; those are long for
            certain that are long in log time, too.
        counts: int64 (windows,), messages in each window.
        steps: Stamps that are before those of the message in front.
        step: The largest such step, nanoseconds.
        step_span: Log times of the first and the last such step, nanoseconds.
    """

    def __init__(self, grid: TimeGrid) -> None:
        self._grid = grid
        self.count = self.stamped = 0
        self.first = self.last = 0
        self.intervals = Intervals()
        self.counts = np.zeros(grid.count, np.int64)
        self._latency = np.zeros(grid.count)
        self._latencies = np.zeros(grid.count, np.int64)
        self._base: int | None = None
        self.steps = self.step = 0
        self.step_span = (0, 0)
        self._stamp = 0

    def add(self, times: NDArray[np.int64], stamps: NDArray[np.int64] | None) -> None:
        """Take log times (n,), ascending, and stamps (n,), nanoseconds, 0 where there is none."""
        places = self._grid.places(times)
        low, high = int(places[0]), int(places[-1]) + 1
        self.counts[low:high] += np.bincount(places - low, minlength=high - low)
        known = stamps is not None and bool(stamps.all())
        before = self.last if self.count else int(times[0])
        pauses = np.diff(times, prepend=before)
        starts = times - pauses
        if known and stamps is not None:
            lengths = self._stamps(times, stamps, places)
        else:
            lengths, self._stamp = pauses, 0
        first = 0 if self.count else 1
        self.intervals.add(
            lengths[first:], np.minimum(lengths, pauses)[first:], starts[first:], times[first:]
        )
        self.first = self.first if self.count else int(times[0])
        self.count += len(times)
        self.last = int(times[-1])

    @property
    def latencies(self) -> NDArray[np.float64]:
        """Mean of log time less stamp in each window, ns (windows,); NaN where there is none."""
        with np.errstate(invalid='ignore', divide='ignore'):
            return (self._base or 0) + self._latency / self._latencies

    @property
    def pace(self) -> float:
        """How much log time passes in a second of stamps, in the mean; 1 without stamps."""
        late = self.latencies[np.isfinite(self.latencies)]
        length = self.last - self.first
        drift = float(late[-1] - late[0]) if len(late) else 0.0
        return length / (length - drift) if 0 < length > drift else 1.0

    def _stamps(
        self, times: NDArray[np.int64], stamps: NDArray[np.int64], places: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Take stamps; returns the intervals between them, nanoseconds (n,)."""
        late = times - stamps
        if self._base is None:
            self._base = int(late[0])
        low, high = int(places[0]), int(places[-1]) + 1
        where = places - low
        # Less the first, so that clocks that are decades apart keep their nanoseconds.
        rest = np.asarray(late - self._base, np.float64)
        self._latency[low:high] += np.bincount(where, rest, minlength=high - low)
        self._latencies[low:high] += np.bincount(where, minlength=high - low)
        lengths = np.diff(stamps, prepend=self._stamp or int(stamps[0]))
        back = np.flatnonzero(lengths < 0)
        if len(back):
            begin = self.step_span[0] if self.steps else int(times[back[0]])
            self.step_span = begin, int(times[back[-1]])
            self.steps += len(back)
            self.step = max(self.step, -int(lengths.min()))
        self._stamp = int(stamps[-1])
        self.stamped += len(stamps)
        return lengths
