# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How every segmenter takes windows: one by one, some together, or all of a recording."""

from abc import ABC, abstractmethod
from collections import deque

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.labels import FrameLabel
from m2r2_ros.core.windows import FrameWindows


class SteppingSegmenter(ABC):
    """What of the Segmenter protocol is the same whatever finds the labels."""

    def reset(self) -> None:
        """Forget all frames."""
        self._ready: deque[FrameLabel] = deque()
        self._forget()

    def step(self, window: FrameWindows) -> FrameLabel | None:
        """Take one window; see Segmenter."""
        if len(window) != 1:
            msg = f'step takes one window, not {len(window)}; extend takes any number'
            raise M2R2Error(msg)
        # A restart releases all pending labels; they go out one per step.
        self._ready.extend(self._extend(window))
        return self._ready.popleft() if self._ready else None

    def extend(self, windows: FrameWindows) -> list[FrameLabel]:
        """Take windows that follow on those before; see Segmenter."""
        labels = [*self._ready, *self._extend(windows)]
        self._ready.clear()
        return labels

    def finish(self) -> list[FrameLabel]:
        """Return the labels of the frames that are still pending, and reset."""
        labels = [*self._ready, *self._pending()]
        self.reset()
        return labels

    def segment(self, windows: FrameWindows) -> list[FrameLabel]:
        """Label a whole recording."""
        self.reset()
        return self.extend(windows) + self.finish()

    def _extend(self, windows: FrameWindows) -> list[FrameLabel]:
        labels: list[FrameLabel] = []
        for run in windows.runs():
            if run.restarts[0]:  # the clock jumped; segments keep counting
                labels += self._pending()
                self._restart()
            labels += self._label(run)
        return labels

    @abstractmethod
    def _forget(self) -> None:
        """Forget all frames and segments; begin a run."""

    @abstractmethod
    def _restart(self) -> None:
        """Begin a run of windows that follow on each other."""

    @abstractmethod
    def _label(self, run: FrameWindows) -> list[FrameLabel]:
        """Take windows of the run; return the labels that they complete."""

    @abstractmethod
    def _pending(self) -> list[FrameLabel]:
        """Return the labels of the run that are still pending."""
