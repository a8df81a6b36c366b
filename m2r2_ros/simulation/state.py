# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is true in the cell: read from the state of the physics, never from what was intended."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.simulation.cell import Cell
from m2r2_ros.simulation.layout import TRAY_HALF
from m2r2_ros.simulation.parts import CLEARANCE, DEPTH, PARTS
from m2r2_ros.simulation.scene import TRAY_TOP

#: A part counts as seated when it is closer than this to the bottom of its hole, m.
SEATED: Final = 0.004
_UPRIGHT: Final = float(np.cos(np.radians(8.0)))
#: A part that is lifted stands at least this far above what it stood on, m.
_LIFTED: Final = 0.015


@dataclass(frozen=True, slots=True)
class PartState:
    """Where a part is.

    Attributes:
        position: (3,), middle of its bottom in the base frame, m.
        yaw: Its turn about the vertical, rad.
        upright: Whether it leans by less than 8 degrees.
        held: Whether both fingers touch it and nothing else does.
        inserted: Whether it is upright in its own hole, down to the bottom.
        on_tray: Whether it stands upright on the tray.
    """

    position: NDArray[np.float64]
    yaw: float
    upright: bool
    held: bool
    inserted: bool
    on_tray: bool


def part_state(cell: Cell, part: int) -> PartState:
    """Look at a part."""
    body = cell.data.body(PARTS[part].name)
    rotation = body.xmat.reshape(3, 3)
    position = body.xpos.copy()
    upright = bool(rotation[2, 2] > _UPRIGHT)
    touching = _touching(cell, PARTS[part].name)
    fingers = {'finger_left', 'finger_right'} <= touching
    return PartState(
        position=position,
        yaw=float(np.arctan2(rotation[1, 0], rotation[0, 0])),
        upright=upright,
        held=fingers and touching <= {'finger_left', 'finger_right', 'hand'},
        inserted=upright and _in_hole(cell, part, position),
        on_tray=upright and _stands_on_tray(cell, position),
    )


def lifted(state: PartState) -> bool:
    """Return whether a part is in the gripper and clear of what it stood on or in."""
    return state.held and bool(state.position[2] > TRAY_TOP + _LIFTED)


def _in_hole(cell: Cell, part: int, position: NDArray[np.float64]) -> bool:
    hole = cell.layout.hole(part)
    aside = np.hypot(position[0] - hole.x, position[1] - hole.y)
    depth = TRAY_TOP + DEPTH - position[2]
    return bool(aside < 3 * CLEARANCE and depth > DEPTH - SEATED)


def _stands_on_tray(cell: Cell, position: NDArray[np.float64]) -> bool:
    tray = cell.layout.tray
    c, s = np.cos(tray.yaw), np.sin(tray.yaw)
    x, y = position[0] - tray.x, position[1] - tray.y
    along, across = c * x + s * y, c * y - s * x
    level = abs(position[2] - TRAY_TOP) < 0.002
    return bool(level and abs(along) < TRAY_HALF[0] and abs(across) < TRAY_HALF[1])


def _touching(cell: Cell, name: str) -> set[str]:
    """Return the bodies that a part touches."""
    model, contact = cell.model, cell.data.contact
    body = model.body(name).id
    pairs = model.geom_bodyid[contact.geom[: cell.data.ncon]]
    ours = pairs[(pairs == body).any(axis=1)]
    return {model.body(int(k)).name for k in ours.ravel() if k != body}
