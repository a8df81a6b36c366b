# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Smooth motions of the robot, each a phase of an action."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.simulation.cell import CONTROL_STEPS, Cell
from m2r2_ros.simulation.trace import STEP_RATE

Array = NDArray[np.float64]

TICK: Final = CONTROL_STEPS / STEP_RATE
_FASTEST: Final = 0.35


class Activity(NamedTuple):
    """An interval of an episode, seconds, and what was done in it."""

    name: str
    start: float
    end: float
    success: bool


class Motion:
    """Moves the target of a cell's controller.

    Attributes:
        cell: The cell.
        rng: For speeds, and for the random choices of skills.
        phases: What was done so far.
        haste: How fast the robot moves in this episode; 1 is ordinary.
    """

    def __init__(self, cell: Cell, rng: np.random.Generator, on_tick: Callable[[], None]) -> None:
        """Take over a cell.

        Args:
            cell: The cell; the robot stands at home.
            rng: For speeds, and for the random choices of skills.
            on_tick: Called after every period of the controller.
        """
        self.cell, self.rng, self.phases = cell, rng, list[Activity]()
        self.haste = float(rng.uniform(0.8, 1.25))
        self._on_tick = on_tick

    def go(
        self,
        phase: str,
        target: Array,
        yaw: float | None = None,
        *,
        width: float | None = None,
        pace: float = 1.0,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        """Move the target on a minimum-jerk path; end early when `until` holds.

        Args:
            phase: What this is called.
            target: Where the tool goes, (3,), m.
            yaw: Its turn there, rad; unchanged by default.
            width: What the fingers open to meanwhile, m; unchanged by default.
            pace: Factor on the speed.
            until: FieldSelection after every period of the controller.
        """
        cell = self.cell
        begin, start, turn = cell.time, cell.target.copy(), cell.yaw
        yaw = turn if yaw is None else yaw
        if width is not None:
            cell.width = width
        length = float(np.linalg.norm(target - start)) + 0.12 * abs(yaw - turn)
        seconds = max(1.9 * length / (_FASTEST * pace * self.haste), 0.35)
        seconds *= float(self.rng.uniform(0.9, 1.2))
        for k in range(1, max(round(seconds / TICK), 1) + 1):
            u = min(k * TICK / seconds, 1.0)
            way = u**3 * (10 - 15 * u + 6 * u * u)
            cell.target, cell.yaw = start + way * (target - start), turn + way * (yaw - turn)
            self.tick()
            if until():
                break
        self.note(phase, begin)

    def wait(self, phase: str, seconds: float) -> None:
        """Hold the target."""
        begin = self.cell.time
        while self.cell.time - begin < seconds:
            self.tick()
        self.note(phase, begin)

    def tick(self) -> None:
        """Advance by one period of the controller."""
        self.cell.advance()
        self._on_tick()

    def note(self, phase: str, begin: float) -> None:
        """Record what was done since `begin`, seconds."""
        last = self.phases[-1] if self.phases else None
        if last and last.name == phase and last.end == begin:
            self.phases[-1] = last._replace(end=self.cell.time)
        elif self.cell.time > begin:
            self.phases.append(Activity(phase, begin, self.cell.time, True))
