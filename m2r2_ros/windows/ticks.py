# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frame clocks: when frames are."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class FrameClock(Protocol):
    """Gives the frame stamps t(i) that are due."""

    def begin(self, stamp: int) -> None:
        """Take note of the first sample of any stream, stamp in nanoseconds."""

    def see(self, stamp: int, clock: int) -> None:
        """Take note of a camera frame.

        Args:
            stamp: Its stamp, nanoseconds.
            clock: The data clock after its arrival, nanoseconds.
        """

    def due(self, clock: int) -> NDArray[np.int64]:
        """Return the frame stamps up to the data clock that were not taken yet, int64 (n,)."""

    def take(self, count: int) -> None:
        """Mark the first `count` due frames as taken."""

    @property
    def previous(self) -> int:
        """t(i-1) of the first due frame, nanoseconds."""

    @property
    def upcoming(self) -> int | None:
        """About when the next frame is due, nanoseconds; None before the first."""


class FixedClock:
    """Frames at whole multiples of the period since the epoch.

    Since the grid does not depend on the first sample, a frame's window is the same wherever the
    recording of it began.
    """

    def __init__(self, period: Fraction) -> None:
        """Make a clock; period in nanoseconds."""
        self._period = period
        self._next: int | None = None

    def begin(self, stamp: int) -> None:
        """Begin with the first frame after the first sample."""
        self._next = _whole(stamp, self._period) + 1

    def see(self, stamp: int, clock: int) -> None:
        """Ignore the camera."""

    def due(self, clock: int) -> NDArray[np.int64]:
        """Return the due frame stamps."""
        if self._next is None:
            return np.empty(0, np.int64)
        ticks = range(self._next, _whole(clock, self._period) + 1)
        return np.array([self._at(k) for k in ticks], np.int64)

    def take(self, count: int) -> None:
        """Mark frames as taken."""
        self._next = (self._next or 0) + count

    @property
    def previous(self) -> int:
        """t(i-1) of the first due frame."""
        return self._at((self._next or 0) - 1)

    @property
    def upcoming(self) -> int | None:
        """The stamp of the next frame."""
        return None if self._next is None else self._at(self._next)

    def _at(self, k: int) -> int:
        return _times(k, self._period)


class CameraClock:
    """Frames at the camera's stamps, thinned to the frame rate.

    A camera frame counts where it is the first in its cell of the fixed grid, or where the camera
    itself left out most of a period before it: whether it counts depends only on the camera frame
    before it, so that thinning is the same wherever the recording began. While the camera is
    silent, frames go on at the fixed period after the last one.
    """

    def __init__(self, period: Fraction, patience: int) -> None:
        """Make a clock.

        Args:
            period: Frame period, nanoseconds.
            patience: Data time past the due frame after which the camera counts as silent.
        """
        self._period = period
        self._patience = patience
        self._before: int | None = None
        self._last: int | None = None
        self._frames: list[tuple[int, int]] = []
        self._ready: list[int] = []

    def begin(self, stamp: int) -> None:
        """Let the first window begin at the first sample."""
        self._last = stamp

    def see(self, stamp: int, clock: int) -> None:
        """Take note of a camera frame."""
        before, self._before = self._before, stamp
        if before is None or self._counts(before, stamp):
            self._frames.append((stamp, clock))

    def due(self, clock: int) -> NDArray[np.int64]:
        """Return the due frame stamps."""
        last = self._ready[-1] if self._ready else self._last
        if last is None:
            return np.empty(0, np.int64)
        while True:
            while self._frames and self._frames[0][0] <= last:
                self._frames.pop(0)
            seen_at = self._frames[0][1] if self._frames else clock
            if seen_at > last + self._period + self._patience:
                last = int(last + self._period)
            elif self._frames:
                last = self._frames.pop(0)[0]
            else:
                return np.array(self._ready, np.int64)
            self._ready.append(last)

    def take(self, count: int) -> None:
        """Mark frames as taken."""
        if count:
            self._last = self._ready[count - 1]
            del self._ready[:count]

    @property
    def previous(self) -> int:
        """t(i-1) of the first due frame."""
        return self._last or 0

    @property
    def upcoming(self) -> int | None:
        """About when the next frame counts: a camera that keeps the rate is never this early."""
        if self._ready:
            return self._ready[0]
        return None if self._last is None else int(self._last + self._period * 3 / 4)

    def _counts(self, before: int, stamp: int) -> bool:
        cell, cell_before = _whole(stamp, self._period), _whole(before, self._period)
        return cell > cell_before or stamp - before >= 0.75 * self._period


def _whole(time: int, period: Fraction) -> int:
    """Return int(time / period) without making a fraction, which is slow."""
    return _towards_zero(time * period.denominator, period.numerator)


def _times(count: int, period: Fraction) -> int:
    """Return int(count * period) without making a fraction."""
    return _towards_zero(count * period.numerator, period.denominator)


def _towards_zero(over: int, under: int) -> int:
    return over // under if over >= 0 else -(-over // under)


def window_starts(previous: int, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return t(i-1) for each t(i), int64 (n,)."""
    starts: Sequence[int] = [previous, *ticks[:-1].tolist()]
    return np.array(starts[: len(ticks)], np.int64)
