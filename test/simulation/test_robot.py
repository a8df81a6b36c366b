# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Skills happen by contact: what the physics says is checked against plain geometry."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.errors import SimulationError
from m2r2_ros.simulation.cell import Cell
from m2r2_ros.simulation.layout import Layout, draw_layout
from m2r2_ros.simulation.parts import DEPTH, PARTS
from m2r2_ros.simulation.robot import Robot
from m2r2_ros.simulation.scene import BOARD_TOP, TRAY_TOP
from m2r2_ros.simulation.state import part_state
from m2r2_ros.simulation.trace import CONTACTS, Trace


class Steady(np.random.Generator):
    """Random numbers of a robot that neither misses nor slips, unless it is told to."""

    def __init__(self, fate: float) -> None:
        super().__init__(np.random.PCG64(5))
        self._fate = fate

    def random(self, *_: object) -> float:  # type: ignore[override]
        return self._fate


def layout(*, inserted: bool) -> Layout:
    drawn = draw_layout(np.random.default_rng(3))
    return replace(drawn, inserted=len(PARTS) * (inserted,))


def robot(cell: Cell, fate: float = 0.99) -> Robot:
    return Robot(cell, Steady(fate), lambda: None)


def corners(cell: Cell, part: int) -> NDArray[np.float64]:
    """Return the lower outline of a part in the frame of its hole, m: (4, 3)."""
    body, hole = cell.data.body(PARTS[part].name), cell.layout.hole(part)
    half = PARTS[part].width / 2
    if PARTS[part].shape == 'round':
        outline = half * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    else:
        outline = half * np.array([[1, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0]])
    outline[:, 2] = 0.006
    world = body.xpos + outline @ body.xmat.reshape(3, 3).T - (hole.x, hole.y, 0)
    c, s = np.cos(hole.yaw), np.sin(hole.yaw)
    return world @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


@pytest.mark.parametrize('part', range(len(PARTS)), ids=[p.name for p in PARTS])
def test_a_part_is_picked_and_inserted_and_removed_and_placed(part: int) -> None:
    cell = Cell(layout(inserted=False))
    arm = robot(cell)
    assert part_state(cell, part).on_tray
    assert arm.pick(part)
    lifted = part_state(cell, part)
    assert lifted.held
    assert lifted.position[2] > 0.1
    # Rubber gives way a little; a millimetre tells parts apart all the same.
    assert cell.opening == pytest.approx(PARTS[part].width, abs=0.0014)
    assert arm.insert(part)
    assert part_state(cell, part).inserted
    # Every corner is within the walls, to the thickness of what a contact gives way.
    outline = corners(cell, part)
    assert np.abs(outline[:, :2]).max() < PARTS[part].width / 2 + 0.0009
    assert (outline[:, 2] < BOARD_TOP - 0.7 * DEPTH).all()
    assert 'push' in {span.name for span in arm.phases}
    cell.take()
    assert arm.remove(part)
    assert part_state(cell, part).position[2] > BOARD_TOP
    assert arm.place(part, cell.layout.slots[part])
    state = part_state(cell, part)
    assert state.on_tray
    assert not state.held
    assert state.position[2] == pytest.approx(TRAY_TOP, abs=0.001)
    finger, board, tray, latch = (cell.take().contact_force.max(axis=0) > 1.0).tolist()
    assert (finger, board, tray, latch) == (True, True, True, PARTS[part].shape == 'plug')


def test_walls_hold_what_does_not_fit() -> None:
    """The board is solid: a peg that is pressed on it beside every hole stays on top."""
    drawn = layout(inserted=False)
    free = next(k for k in range(6) if k not in drawn.holes)
    cell = Cell(drawn)
    arm = robot(cell)
    assert arm.pick(3)
    cell.layout = replace(drawn, holes=(*drawn.holes[:3], free, drawn.holes[4]))
    assert not arm.insert(3)
    assert part_state(cell, 3).position[2] > BOARD_TOP - 0.002


def test_failures_are_seen_in_the_state() -> None:
    cell = Cell(layout(inserted=False))
    assert not robot(cell, fate=0.01).pick(1)
    assert part_state(cell, 1).on_tray
    assert cell.opening < 0.002
    cell = Cell(layout(inserted=True))
    assert not robot(cell, fate=0.01).remove(4), 'a weak grip cannot pull the plug past its latch'
    assert part_state(cell, 4).inserted


def snaps(trace: Trace) -> int:
    """Count sudden falls of the latches' force."""
    force = trace.contact_force[:, CONTACTS.index('latch')]
    return int((np.diff(force) < -1.0).sum())


def test_the_plug_snaps_in() -> None:
    cell = Cell(layout(inserted=False))
    arm = robot(cell)
    arm.pick(4)
    assert not snaps(cell.take())
    arm.insert(4)
    assert snaps(cell.take())
    assert cell.data.body('plug').xpos[2] == pytest.approx(TRAY_TOP, abs=0.001)


def test_the_wrench_feels_what_is_pressed_and_carried() -> None:
    cell = Cell(layout(inserted=False))
    arm = robot(cell)
    arm.wait('rest', 0.5)
    rest = cell.take()
    assert np.abs(rest.wrench[-100:, :3]).max() < 0.2
    arm.pick(4)
    arm.wait('rest', 0.5)
    carried = cell.take()
    weight = 9.81 * float(cell.model.body('plug').mass[0])
    # The sensor's z axis points down with the tool: a load pulls along it.
    assert carried.wrench[-100:, 2].mean() == pytest.approx(weight, rel=0.1)
    arm.insert(4)
    assert cell.take().wrench[:, 2].min() < -8.0


def test_unstable_physics_are_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes a log where it runs
    cell = Cell(layout(inserted=False))
    cell.advance()
    cell.take()
    cell.data.qvel[0] = np.nan
    cell.advance()
    with pytest.raises(SimulationError, match=r'unstable before 0\.0 s: try another seed'):
        cell.take()
