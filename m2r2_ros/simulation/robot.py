# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The four skills of the robot, composed of motions."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.simulation.arm import GRIP_FORCE
from m2r2_ros.simulation.cell import Cell
from m2r2_ros.simulation.layout import Spot
from m2r2_ros.simulation.motion import Motion
from m2r2_ros.simulation.parts import DEPTH, PARTS
from m2r2_ros.simulation.scene import BOARD_TOP, TRAY_TOP
from m2r2_ros.simulation.state import lifted, part_state

Array = NDArray[np.float64]

#: Height of the tool above the table when it travels, and above a part's bottom when it grips, m.
TRAVEL: Final = 0.19
GRASP: Final = 0.046
#: How much wider than the part the fingers open on their way to it, m.
ROOM: Final = 0.014
#: The arm feels a contact from this force on, N.
CONTACT: Final = 4.0
#: A part whose bottom is this deep in a hole has found it; while searching, the target is this far
#: below the tool, m.
_FOUND, _PRESS = 0.0050, 0.003


class Robot(Motion):
    """Works in the cell; each skill returns whether it succeeded, by the state of the cell."""

    def __init__(self, cell: Cell, rng: np.random.Generator, on_tick: Callable[[], None]) -> None:
        """Take over a cell, as for Motion."""
        super().__init__(cell, rng, on_tick)
        self._home = cell.target.copy()

    def rest(self, seconds: float) -> None:
        """Go home if the robot is not there, and stand still."""
        if np.linalg.norm(self.cell.target - self._home) > 0.01:
            off = self.rng.normal(0.0, 0.015, 3)
            self.go('move', self._home + off, 0.0, width=0.04)
        self.wait('rest', seconds)

    def pick(self, part: int) -> bool:
        """Take a part off the tray."""
        # Now and then the aim is so bad that the fingers miss the part.
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
        """Bring the part in the gripper into its hole; let it go whether or not that works."""
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
        return _wrapped(yaw, np.pi if PARTS[part].shape == 'plug' else np.pi / 2)

    def _bring(self, part: int, spot: Spot) -> Array:
        """Carry a part above a spot; return where the tool has to go for it."""
        state, shape = part_state(self.cell, part), PARTS[part].shape
        turn = spot.yaw - state.yaw
        if shape == 'round':
            turn = self._grip_yaw(part, 0.0) - self.cell.yaw
        elif shape == 'square':
            turn = _wrapped(turn, np.pi / 2)
        # The part turns with the hand, and its offset from the tool with it.
        c, s = np.cos(turn), np.sin(turn)
        dx, dy = (state.position - self.cell.position)[:2]
        place = np.array([spot.x - c * dx + s * dy, spot.y - s * dx - c * dy, 0.0])
        self.go('move', _above(place, TRAVEL), self.cell.yaw + turn)
        return place

    def _down(self, phase: str, part: int, place: Array, surface: float) -> None:
        """Go down until the part touches something."""
        hang = self.cell.position[2] - part_state(self.cell, part).position[2]
        low = np.array([place[0], place[1], surface + hang + 0.012])
        self.go(phase, low)
        self.go(phase, low - _up(0.018), pace=0.12, until=self._feels)

    def _search(self, part: int, place: Array) -> bool:
        """Feel for the hole in a spiral, pressing down; return whether the part is in it."""
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
            self.tick()
        self.note('align', begin)
        return bool(body.xpos[2] <= BOARD_TOP - _FOUND)

    def _push(self, part: int) -> None:
        """Push the part down to the bottom of its hole."""
        cell = self.cell
        # The walls know better where the hole is than the arm does.
        cell.target = cell.position
        low = cell.position - _up(part_state(cell, part).position[2] - TRAY_TOP)
        self.go('push', low - _up(0.012), pace=0.10)
        self.wait('push', 0.15)

    def _pull(self, part: int) -> None:
        """Pull the part up out of its hole, shaking it a little."""
        cell, begin = self.cell, self.cell.time
        start, seconds = cell.target.copy(), float(self.rng.uniform(1.4, 2.6)) / self.haste
        shake = float(self.rng.uniform(0.0, 0.0012))
        while (since := cell.time - begin) < seconds:
            up = (DEPTH + 0.015) * since / seconds
            sway = shake * np.sin(2 * np.pi * 2.5 * since)
            cell.target = start + np.array([sway, 0.0, up])
            self.tick()
        self.note('pull', begin)

    def _let_go(self, part: int) -> None:
        self.cell.target = self.cell.position
        self.cell.width, self.cell.grip = PARTS[part].width + ROOM, GRIP_FORCE
        self.wait('release', float(self.rng.uniform(0.25, 0.4)))
        self.go('retreat', _above(self.cell.target, TRAVEL), pace=1.2)

    def _feels(self) -> bool:
        return bool(self.cell.force[2] > CONTACT)


def _wrapped(angle: float, period: float) -> float:
    """Return the angle nearest to zero that differs by whole periods, rad."""
    return float((angle + period / 2) % period - period / 2)


def _up(height: float) -> Array:
    return np.array([0.0, 0.0, height])


def _above(place: Array, height: float) -> Array:
    return np.array([place[0], place[1], height])
