# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ranges of a file that are fetched before they are asked for, within a window."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from m2r2_ros.bags.remote.ranges import Ranges

#: Ranges that lie no farther apart are fetched by one request, of up to so many bytes.
_GAP: Final = 1 << 17
_REQUEST: Final = 1 << 22
#: Bytes that are fetched ahead or wait to be taken, and requests in flight.
WINDOW: Final = 1 << 26
_FLYING: Final = 12
#: Requests that are made with the first range; a reader that goes on gets one more each time.
_FIRST: Final = 2


class Ahead:
    """Ranges in the order in which they will be read.

    A range can be taken again, and out of order: it is fetched again then.
    """

    def __init__(self, ranges: Ranges, spans: Sequence[tuple[int, int]]) -> None:
        """Plan the requests; none is made before the first range is taken.

        Args:
            ranges: The file.
            spans: Where each range begins and ends, bytes.
        """
        self._ranges, self._spans = ranges, spans
        self._groups, self._group_of = _grouped(spans)
        self._left = [0] * len(self._groups)  # ranges of each group not taken yet
        for group in self._group_of:
            self._left[group] += 1
        self._taken = [False] * len(spans)
        self._flying: dict[int, Future[bytes]] = {}
        self._next, self._depth = 0, _FIRST

    def take(self, k: int) -> memoryview:
        """Return the bytes of a range, and fetch more of those that follow.

        Raises:
            BagError: They cannot be read.
        """
        group = self._group_of[k]
        start, stop = self._spans[k]
        self._next = max(self._next, group)
        self._fill(group)
        future = self._flying.get(group)
        if future is None:
            return memoryview(self._ranges.fetch(start, stop))
        low = self._groups[group][0]
        # Copied, so that what is held of it does not hold its neighbours.
        data = memoryview(bytes(memoryview(future.result())[start - low : stop - low]))
        if not self._taken[k]:
            self._taken[k] = True
            self._left[group] -= 1
        for done in [g for g in self._flying if g < group or not self._left[g]]:
            del self._flying[done]
        self._depth = min(self._depth + 1, _FLYING)
        self._fill(group)
        return data

    def _fill(self, current: int) -> None:
        """Make requests until the window is full."""
        held = sum(self._size(group) for group in self._flying)
        while self._next < len(self._groups) and len(self._flying) < self._depth:
            size = self._size(self._next)
            if self._next != current and held + size > WINDOW:
                return
            self._flying[self._next] = self._ranges.begin(*self._groups[self._next])
            held += size
            self._next += 1

    def _size(self, group: int) -> int:
        start, stop = self._groups[group]
        return stop - start


def _grouped(spans: Sequence[tuple[int, int]]) -> tuple[list[tuple[int, int]], list[int]]:
    """Put neighbours together; the first stays alone, so that reading begins early.

    Returns:
        Where each request begins and ends; the request of each range.
    """
    groups: list[tuple[int, int]] = []
    group_of: list[int] = []
    for k, (start, stop) in enumerate(spans):
        low, high = groups[-1] if groups else (0, 0)
        # Chunks that begin at almost the same time may be read in another order than they lie in.
        near = 0 <= start - high <= _GAP or 0 <= low - stop <= _GAP
        if k > 1 and near and max(high, stop) - min(low, start) <= _REQUEST:
            groups[-1] = (min(low, start), max(high, stop))
        else:
            groups.append((start, stop))
        group_of.append(len(groups) - 1)
    return groups, group_of
