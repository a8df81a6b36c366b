# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far a run is, and how fast."""

import time
from collections import Counter
from dataclasses import dataclass, field

from m2r2_ros.fleet.items import Ended, State


@dataclass(slots=True)
class FleetCounts:
    """Of a run.

    Attributes:
        total: Recordings that this run is to do.
        ended: How many have ended, by what became of them.
        recorded_s: Length of those that were done, s.
        began: When the run began, by the monotonic clock, s.
    """

    total: int
    ended: Counter[State] = field(default_factory=Counter)
    recorded_s: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def add(self, ended: Ended) -> None:
        """Count one."""
        self.ended[ended.state] += 1
        self.recorded_s += ended.recorded_s

    @property
    def left(self) -> int:
        """Recordings that have not ended."""
        return self.total - self.ended.total()

    @property
    def speed(self) -> float:
        """Hours of recording that are done in an hour, start of the workers included."""
        return self.recorded_s / max(time.monotonic() - self.began, 1e-3)

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take if it goes on like this; None before the first."""
        count = self.ended.total()
        return (time.monotonic() - self.began) / count * self.left if count else None

    def __str__(self) -> str:
        """On one line."""
        parts = [f'{self.ended[State.DONE]} done', f'{self.ended[State.FAILED]} failed']
        others = [state for state in (State.KEPT, State.PASSED) if self.ended[state]]
        parts += [f'{self.ended[state]} {state.value}' for state in others]
        parts.append(f'{self.left} left')
        text = ', '.join(parts)
        if self.recorded_s:
            text += f'; {self.speed:.0f} h of recording an hour'
        if self.left and self.left_s is not None:
            text += f'; about {_duration(self.left_s)} to go'
        return text


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f'{seconds:.0f} s'
    if seconds < 90 * 60:
        return f'{seconds / 60:.0f} min'
    return f'{seconds / 3600:.1f} h'
