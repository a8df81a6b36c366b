# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sliding windows over frames that come one by one, and what is kept of them for training."""

from collections import deque
from typing import Final, Generic, TypeVar

#: Part of the frames of a window that must have data for it to count.
MIN_PRESENT: Final = 0.75

T = TypeVar('T')


class Hops(Generic[T]):
    """The last frames of a run; every `stride` frames they make a window.

    A frame without data is taken to be as the one before it.
    """

    def __init__(self, window: int, stride: int) -> None:
        """Make an empty one.

        Args:
            window: Frames of a window.
            stride: Frames from window to window.
        """
        self._window, self._stride = window, stride
        self.reset()

    def reset(self) -> None:
        """Begin a run."""
        self._frames: deque[T | None] = deque(maxlen=self._window)
        self._there: deque[bool] = deque(maxlen=self._window)
        self._taken = 0

    def push(self, frame: T | None) -> bool:
        """Take a frame, None without data; return whether a window ends with it."""
        held = self._frames[-1] if frame is None and self._frames else frame
        self._frames.append(held)
        self._there.append(frame is not None)
        self._taken += 1
        return self._taken >= self._window and (self._taken - self._window) % self._stride == 0

    @property
    def window(self) -> list[T] | None:
        """The frames of the window that ends now; None where too many have no data."""
        if sum(self._there) < MIN_PRESENT * self._window:
            return None
        known = [frame for frame in self._frames if frame is not None]
        return known[:1] * (self._window - len(known)) + known


class Thinned(Generic[T]):
    """Keeps items spread evenly over a stream of unknown length, as many as there is room for."""

    def __init__(self, room: int) -> None:
        """Make an empty one with room for this many, 1 or more."""
        self._room, self._step, self._seen = room, 1, 0
        self.items: list[T] = []

    @property
    def wants_next(self) -> bool:
        """Whether the next item would be kept: what it takes to make others can be spared."""
        return self._seen % self._step == 0

    def push(self, item: T | None) -> None:
        """Take the next item; None for one that is not wanted, or could not be made."""
        self._seen += 1
        if item is None:
            return
        self.items.append(item)
        if len(self.items) > self._room:
            self.items = self.items[::2]
            self._step *= 2
