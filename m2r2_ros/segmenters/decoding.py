# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From probabilities to labels: arg max, hold rule, fixed-lag smoothing."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.options import between, check_options, read_options


@dataclass(frozen=True, slots=True)
class Decoding:
    """Options of the decoder; with all of them zero, each frame gets its own arg max.

    Attributes:
        min_confidence: A new label is taken up once its probability reaches this.
        min_duration: A new label is taken up once it was the likeliest for so long, s.
        lag: Frames to look ahead: labels wait for them and are smoothed over as many before.
    """

    min_confidence: float = between(0.0, 0, 1)
    min_duration: float = between(0.0, 0, 3600)
    lag: int = between(0, 0, 10_000)

    def __post_init__(self) -> None:
        check_options(self, 'decoding')

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> 'Decoding':
        """Read the `decoding` section of bundle.yaml.

        Raises:
            ConfigError: An entry is unknown or out of range.
        """
        return read_options(cls, entries, 'decoding')

    def to_dict(self) -> dict[str, float]:
        """Return what `from_dict` reads."""
        return asdict(self)

    def added_delay(self, period: float) -> dict[str, float]:
        """Return the seconds that each rule adds to a label that it does not refuse.

        Args:
            period: Seconds between frames.
        """
        held = max(0.0, np.ceil(self.min_duration / period - 1e-9) - 1) * period
        return {'hold_s': float(held), 'lag_s': self.lag * period}


class Smoother:
    """Mean of the probabilities over lag frames before and after each frame."""

    def __init__(self, lag: int) -> None:
        """Make a smoother; with lag 0 probabilities pass as they are."""
        self._lag = lag
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=2 * lag + 1)
        self._waiting = 0

    def step(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Take a frame's probabilities (C,) and return those of the frame lag before."""
        self._recent.append(probabilities)
        self._waiting += 1
        return self._next() if self._waiting > self._lag else None

    def finish(self) -> list[NDArray[np.float32]]:
        """Return what is still pending, and forget all."""
        rest = [self._next() for _ in range(self._waiting)]
        self._recent.clear()
        return rest

    def _next(self) -> NDArray[np.float32]:
        """Return the oldest waiting frame, smoothed over the same count either side."""
        here = len(self._recent) - self._waiting
        reach = min(self._lag, self._waiting - 1, here)
        around = list(self._recent)[here - reach : here + reach + 1]
        self._waiting -= 1
        smooth: NDArray[np.float32] = np.mean(around, axis=0, dtype=np.float32)
        return smooth


class Hold:
    """Keeps a label until another has been the likeliest, and likely enough, for long enough.

    Attributes:
        min_confidence: Probability that another label must reach.
        min_duration: Nanoseconds for which it must have been the likeliest.
    """

    def __init__(self, min_confidence: float, min_duration: int) -> None:
        """Make a rule; min_duration in nanoseconds."""
        self.min_confidence = min_confidence
        self.min_duration = min_duration
        self.reset()

    def reset(self) -> None:
        """Forget the label."""
        self._label: int | None = None
        self._rival = -1
        self._since = 0

    def step(self, probabilities: NDArray[np.float32], start: int, stamp: int) -> int:
        """Return the label of a frame.

        Args:
            probabilities: (C,).
            start: t(i-1), nanoseconds.
            stamp: t(i), nanoseconds.
        """
        best = int(np.argmax(probabilities))
        if self._label is None:
            self._label = best
        if best == self._label or probabilities[best] < self.min_confidence:
            self._rival = -1
        elif best != self._rival:
            self._rival, self._since = best, start
        if self._rival >= 0 and stamp - self._since >= self.min_duration:
            self._label, self._rival = self._rival, -1
        return self._label
