# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recordings that were opened last, of which one is read in the background."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from m2r2_ros.review.session.opened import OpenRecording

#: Recordings that stay open, with what was read of them.
KEPT: Final = 3


class Sessions:
    """Opens recordings by number, and keeps the last ones."""

    def __init__(self, open_one: Callable[[int], OpenRecording]) -> None:
        """Open nothing yet.

        Args:
            open_one: Opens the recording of a number.
        """
        self._open_one = open_one
        self._open: OrderedDict[int, OpenRecording] = OrderedDict()
        self._lock = Lock()

    def __getitem__(self, number: int) -> OpenRecording:
        """Return a recording.

        Raises:
            M2R2Error: It cannot be read.
        """
        with self._lock:
            opened = self._open.get(number)
            if opened is None:
                opened = self._open[number] = self._open_one(number)
            self._open.move_to_end(number)
            while len(self._open) > KEPT:
                self._open.popitem(last=False)[1].close()
            return opened

    def turn_to(self, number: int) -> OpenRecording:
        """Return a recording, and let no other one be read in the background from now on.

        Raises:
            M2R2Error: It cannot be read.
        """
        opened = self[number]
        with self._lock:
            others = [other for other in self._open.values() if other is not opened]
        for other in others:
            other.rest()
        return opened

    def close(self) -> None:
        """Stop all that runs."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()
