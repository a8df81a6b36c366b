# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motions of the robot, and the four skills that they are strung into."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.simulation.arm import GRIP_FORCE
from m2r2_ros.simulation.cell import CONTROL_STEPS, Cell
from m2r2_ros.simulation.layout import Spot
from m2r2_ros.simulation.parts import DEPTH, PARTS
from m2r2_ros.simulation.scene import BOARD_TOP, TRAY_TOP
from m2r2_ros.simulation.state import lifted, part_state
from m2r2_ros.simulation.trace import STEP_RATE

Array = NDArray[np.float64]

TICK: Final = CONTROL_STEPS / STEP_RATE
#: Height of the tool above the table when it travels, and above a part's bottom when it grips, m.
TRAVEL: Final = 0.19
GRASP: Final = 0.046
#: How much wider than the part the fingers open on their way to it, m.
ROOM: Final = 0.014
#: The arm feels a contact from this force on, N.
CONTACT: Final = 4.0
_FASTEST: Final = 0.35
#: A part whose bottom is this deep in a hole has found it; while searching, the target is this far
#: below the tool, m.
_FOUND, _PRESS = 0.0050, 0.003


class Span(NamedTuple):
    """A stretch of an episode, seconds, and what was done in it."""

    name: str
    start: float
    end: float
    success: bool


class Robot:
    """Moves the cell's robot; every motion is a phase.

    Attributes:
        phases: What was done so far.
        haste: How fast this episode goes, 1 is ordinary.
    """

    def __init__(self, cell: Cell, rng: np.random.Generator, on_tick: Callable[[], None]) -> None:
        """Take over a cell.

        Args:
            cell: The cell; the robot stands at home.
            rng: For speeds, errors and slips.
            on_tick: Called after every period of the controller.
        """
        self.cell, self.rng, self.phases = cell, rng, list[Span]()
        self.haste = float(rng.uniform(0.8, 1.25))
        self._on_tick = on_tick
        self._home = cell.target.copy()

    def rest(self, seconds: float) -> None:
        """Go home if the robot is not there, and stand still."""
        if np.linalg.norm(self.cell.target - self._home) > 0.01:
            off = self.rng.normal(0.0, 0.015, 3)
            self.go('move', self._home + off, 0.0, width=0.04)
        self.wait('rest', seconds)

    def pick(self, part: int) -> bool:
        """Take a part off the tray."""
        # Now and then the aim is so bad that the fingers close beside the part.
        miss = 0.024 if self.rng.random() < 0.07 else 0.0
        self._grasp(part, miss, GRIP_FORCE)
        self.go('lift', _above(self.cell.target, TRAVEL), pace=1.2)
        return lifted(part_state(self.cell, part))

    def remove(self, part: int) -> bool:
        """Pull a part out of the board."""
        weak = PARTS[part].shape == 'plug' and self.rng.random() < 0.25
        self._grasp(part, 0.0, 5.0 if weak else GRIP_FORCE)
        self._pull(part)
        self.go('lift', _above(self.cell.target, TRAVEL), pace=1.2)
        return lifted(part_state(self.cell, part))

    def insert(self, part: int) -> bool:
        """Bring the part in the gripper into its hole; whether or not that works, let it go."""
        hole = self.cell.layout.hole(part)
        error = self.rng.normal(0.0, 0.0012, 2)
        if self.rng.random() < 0.1:
            angle = self.rng.uniform(0, 2 * np.pi)
            error = 0.007 * np.array([np.cos(angle), np.sin(angle)])
        place = self._bring(part, Spot(hole.x + error[0], hole.y + error[1], hole.yaw))
        if not self._search(part, place):
            self.go('lift', _above(self.cell.target, TRAVEL), pace=1.2)
            return False
        self._push(part)
        self._let_go(part)
        return part_state(self.cell, part).inserted

    def place(self, part: int, slot: int) -> bool:
        """Put the part in the gripper down on a free place of the tray."""
        spot = self.cell.layout.slot(slot)
        dx, dy, turn = self.rng.uniform(-1, 1, 3) * (0.006, 0.006, 0.3)
        place = self._bring(part, Spot(spot.x + dx, spot.y + dy, spot.yaw + turn))
        self._down('approach', part, place, TRAY_TOP)
        self._let_go(part)
        return part_state(self.cell, part).on_tray

    def go(
        self,
        phase: str,
        target: Array,
        yaw: float | None = None,
        *,
        width: float | None = None,
        pace: float = 1.0,
        until: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Move the target on a minimum-jerk path; end early when `until` holds.

        Returns:
            Whether it ended early.
        """
        cell = self.cell
        begin, start, turn = cell.time, cell.target.copy(), cell.yaw
        yaw = turn if yaw is None else yaw
        if width is not None:
            cell.width = width
        length = float(np.linalg.norm(target - start)) + 0.12 * abs(yaw - turn)
        seconds = max(1.9 * length / (_FASTEST * pace * self.haste), 0.35)
        seconds *= float(self.rng.uniform(0.9, 1.2))
        stopped = False
        for k in range(1, max(round(seconds / TICK), 1) + 1):
            u = min(k * TICK / seconds, 1.0)
            way = u**3 * (10 - 15 * u + 6 * u * u)
            cell.target, cell.yaw = start + way * (target - start), turn + way * (yaw - turn)
            self._tick()
            if until():
                stopped = True
                break
        self._note(phase, begin)
        return stopped

    def wait(self, phase: str, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Hold the target."""
        begin = self.cell.time
        while self.cell.time - begin < seconds and not until():
            self._tick()
        self._note(phase, begin)

    def _grasp(self, part: int, miss: float, force: float) -> None:
        state, width = part_state(self.cell, part), PARTS[part].width
        yaw = self._grip_yaw(part, state.yaw)
        # A miss is across the direction in which the fingers close.
        aside = miss * np.array([np.cos(yaw), np.sin(yaw), 0.0])
        aim = state.position + aside + (*self.rng.normal(0.0, 0.0006, 2), 0.0)
        self.cell.grip = GRIP_FORCE
        self.go('move', _above(aim, TRAVEL), yaw, width=width + ROOM)
        self.go('approach', aim + _up(GRASP + self.rng.normal(0.0, 0.001)), pace=0.7)
        self.cell.width, self.cell.grip = 0.0, force
        self.wait('grasp', float(self.rng.uniform(0.4, 0.55)))

    def _grip_yaw(self, part: int, yaw: float) -> float:
        """Return a turn of the hand whose fingers close on flat faces, the nearest to zero."""
        if PARTS[part].shape == 'round':
            return float(self.rng.uniform(-0.4, 0.4))
        quarter = np.pi / 2
        if PARTS[part].shape == 'plug':
            quarter = np.pi
        return float((yaw + quarter / 2) % quarter - quarter / 2)

    def _bring(self, part: int, spot: Spot) -> Array:
        """Carry a part above a spot; return where the tool has to go down there."""
        state = part_state(self.cell, part)
        # The part turns with the hand, and its offset from the tool with it.
        turn = self._grip_yaw(part, 0.0) if PARTS[part].shape == 'round' else spot.yaw - state.yaw
        if PARTS[part].shape == 'square':
            turn = (turn + np.pi / 4) % (np.pi / 2) - np.pi / 4
        yaw = turn if PARTS[part].shape == 'round' else self.cell.yaw + turn
        turn = yaw - self.cell.yaw
        c, s = np.cos(turn), np.sin(turn)
        dx, dy = (state.position - self.cell.position)[:2]
        place = np.array([spot.x - c * dx + s * dy, spot.y - s * dx - c * dy, 0.0])
        self.go('move', _above(place, TRAVEL), yaw)
        return place

    def _down(self, phase: str, part: int, place: Array, surface: float) -> bool:
        """Go down until the part touches something; tell whether it does."""
        hang = self.cell.position[2] - part_state(self.cell, part).position[2]
        low = np.array([place[0], place[1], surface + hang + 0.012])
        self.go(phase, low)
        return self.go(phase, low - _up(0.018), pace=0.12, until=self._feels)

    def _search(self, part: int, place: Array) -> bool:
        """Feel for the hole in a spiral, pressing down; tell whether the part is in it."""
        self._down('align', part, place, BOARD_TOP)
        cell, begin = self.cell, self.cell.time
        patience = float(self.rng.uniform(2.5, 4.0))
        middle = cell.target.copy()
        body = cell.data.body(PARTS[part].name)
        while body.xpos[2] > BOARD_TOP - _FOUND and cell.time - begin < patience:
            since = cell.time - begin
            radius = min(0.001 * since, 0.003)
            angle = 2 * np.pi * 1.3 * since
            cell.target = middle + radius * np.array([np.cos(angle), np.sin(angle), 0.0])
            # Pressing follows the part down, so that a part that has found the hole drops in.
            cell.target[2] = cell.position[2] - _PRESS
            self._tick()
        self._note('align', begin)
        return bool(body.xpos[2] <= BOARD_TOP - _FOUND)

    def _push(self, part: int) -> None:
        """Push the part down to the ground of its hole."""
        cell = self.cell
        # The walls know better where the hole is than the arm does.
        cell.target = cell.position
        low = cell.position - _up(part_state(cell, part).position[2] - TRAY_TOP)
        self.go('push', low - _up(0.012), pace=0.10)
        self.wait('push', 0.15)

    def _pull(self, part: int) -> None:
        """Pull the part up out of its hole, with a little shaking."""
        cell, begin = self.cell, self.cell.time
        start, seconds = cell.target.copy(), float(self.rng.uniform(1.4, 2.6)) / self.haste
        shake = float(self.rng.uniform(0.0, 0.0012))
        while (since := cell.time - begin) < seconds:
            up = (DEPTH + 0.015) * since / seconds
            sway = shake * np.sin(2 * np.pi * 2.5 * since)
            cell.target = start + np.array([sway, 0.0, up])
            self._tick()
        self._note('pull', begin)

    def _let_go(self, part: int) -> None:
        self.cell.target = self.cell.position
        self.cell.width, self.cell.grip = PARTS[part].width + ROOM, GRIP_FORCE
        self.wait('release', float(self.rng.uniform(0.25, 0.4)))
        self.go('retreat', _above(self.cell.target, TRAVEL), pace=1.2)

    def _feels(self) -> bool:
        return bool(self.cell.force[2] > CONTACT)

    def _tick(self) -> None:
        self.cell.advance()
        self._on_tick()

    def _note(self, phase: str, begin: float) -> None:
        last = self.phases[-1] if self.phases else None
        if last and last.name == phase and last.end == begin:
            self.phases[-1] = last._replace(end=self.cell.time)
        elif self.cell.time > begin:
            self.phases.append(Span(phase, begin, self.cell.time, True))


def _up(height: float) -> Array:
    return np.array([0.0, 0.0, height])


def _above(place: Array, height: float) -> Array:
    return np.array([place[0], place[1], height])
