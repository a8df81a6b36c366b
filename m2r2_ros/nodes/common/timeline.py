# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where in a recording a replay is: wall time at some rate, unless it is paused."""

import threading
import time

#: Shortest and longest sleep, nanoseconds; what is due within the shortest is published in bulk.
_GRAIN, _LONGEST = 1_000_000, 10_000_000


class Timeline:
    """A position in nanoseconds that moves on by itself; every method may be called in any thread.

    It stands still until the first `jump`.
    """

    def __init__(self, rate: float, *, paused: bool) -> None:
        """Begin at 0; `rate` is recorded seconds per second."""
        self._lock = threading.Lock()
        self._rate, self._paused, self._running = rate, paused, False
        self._wall, self._start = time.monotonic_ns(), 0

    @property
    def rate(self) -> float:
        """Recorded seconds per second, while it is not paused."""
        return self._rate

    @property
    def paused(self) -> bool:
        """Whether it was paused."""
        return self._paused

    def position(self) -> int:
        """Return where it is, nanoseconds."""
        with self._lock:
            return self._position()

    def behind(self, due: int) -> float:
        """Return how long ago `due` (ns) was passed, wall seconds; 0 while it is paused."""
        with self._lock:
            return 0.0 if self._paused else (self._position() - due) / self._rate / 1e9

    def jump(self, position: int) -> None:
        """Go on from a position."""
        with self._lock:
            self._running = True
            self._anchor(position)

    def pause(self) -> None:
        """Stand still."""
        with self._lock:
            self._anchor(self._position())
            self._paused = True

    def resume(self) -> None:
        """Move on."""
        with self._lock:
            self._anchor(self._position())
            self._paused = False

    def step(self, length: int) -> bool:
        """Jump ahead by nanoseconds; False where it is not paused, or not begun."""
        with self._lock:
            if self._paused and self._running:
                self._anchor(self._position() + length)
            return self._paused and self._running

    def set_rate(self, rate: float) -> None:
        """Move on at another rate."""
        with self._lock:
            self._anchor(self._position())
            self._rate = rate

    def sleep(self, until: int) -> None:
        """Return when `until` (ns) is reached, or soon, since anything may change meanwhile."""
        with self._lock:
            wall = _LONGEST
            if not self._paused:
                wall = min(int((until - self._position()) / self._rate), _LONGEST)
        time.sleep(max(wall, _GRAIN) / 1e9)

    def _position(self) -> int:
        if self._paused or not self._running:
            return self._start
        return self._start + int((time.monotonic_ns() - self._wall) * self._rate)

    def _anchor(self, position: int) -> None:
        self._wall, self._start = time.monotonic_ns(), position
