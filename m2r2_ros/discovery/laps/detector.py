# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detectors that find segments in an energy: a value for each window, and the controller."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.laps.controller import Controller, ControllerOptions


class EnergySource(Protocol):
    """Makes energies of frames: one of each window of `window` frames, every `stride` frames."""

    @property
    def window(self) -> int:
        """Frames of a window."""

    @property
    def stride(self) -> int:
        """Frames from window to window."""

    def reset(self) -> None:
        """Begin a run of frames."""

    def extend(self, windows: FrameWindows) -> Sequence[float | None]:
        """Take the next frames of the run; return the energies of the windows that end in them.

        None stands for a window that has too few frames with data.
        """


class EnergyDetector:
    """Scores the frames where primitives begin and end; each starts a segment.

    The energy of a window belongs to its middle, so that a change is placed where it happened, not
    where it became known. Where the clock jumps, all is begun anew, and no score is given for that.
    """

    def __init__(self, source: EnergySource, options: ControllerOptions, frame_rate: float) -> None:
        """Make a detector.

        Args:
            source: Makes energies of frames.
            options: Of the controller.
            frame_rate: Frames per second.
        """
        self._source, self._stride = source, source.stride
        self._controller = Controller(options, source.stride / frame_rate)
        self._middle = (source.window - 1) // 2
        self._rest = source.window - 1 - self._middle
        self.reset()

    @property
    def lag(self) -> int:
        """Frames that a score waits for: half a window, and the steps that decide a change."""
        return self._rest + self._controller.delay * self._stride

    def reset(self) -> None:
        """Forget all frames."""
        self._restart()
        self._pending: list[float] = []

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        """Take the next windows; return the scores of the frames that are decided now."""
        scores: list[float] = []
        for run in windows.runs():
            if run.restarts[0]:
                scores += self._flush()
            self._pending += [0.0] * len(run)
            for energy in self._source.extend(run):
                self._take(energy)
            self._frames += len(run)
            scores += self._release(max(len(self._pending) - self.lag, 0))
        return np.array(scores, np.float32)

    def finish(self) -> NDArray[np.float32]:
        """Return the scores of the frames that are still pending, and reset."""
        scores = np.array(self._flush(), np.float32)
        self.reset()
        return scores

    def _take(self, energy: float | None) -> None:
        event = self._controller.step(energy)
        if event is not None:
            self._pending[self._middle + event.step * self._stride - self._first] = event.strength

    def _release(self, count: int) -> list[float]:
        released, self._pending = self._pending[:count], self._pending[count:]
        self._first += count
        return released

    def _flush(self) -> list[float]:
        released = self._release(len(self._pending))
        self._restart()
        return released

    def _restart(self) -> None:
        self._source.reset()
        self._controller.reset()
        #: Of the run: frames taken, and the number of the first whose score is pending.
        self._frames = self._first = 0
