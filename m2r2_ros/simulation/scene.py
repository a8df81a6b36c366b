# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cell as a MuJoCo model: table, tray, board with holes, parts, cameras and the arm."""

from collections.abc import Sequence
from typing import Any, Final

import mujoco
import numpy as np

from m2r2_ros.simulation.arm import add_arm
from m2r2_ros.simulation.faults import CAMERAS
from m2r2_ros.simulation.layout import PITCH, PLACES, TRAY_HALF, Layout, Spot, offset_of
from m2r2_ros.simulation.parts import CLEARANCE, DENSITY, DEPTH, HEIGHT, PARTS, Part
from m2r2_ros.simulation.trace import STEP_RATE

#: Height of tray and board above the table, m; parts in the tray stand on it.
TRAY_TOP: Final = 0.010
BOARD_TOP: Final = TRAY_TOP + DEPTH
_BOX, _CYLINDER = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER
#: As stiff as the time step allows.
_CONTACT: Final = {'solref': (0.002, 1.0), 'solimp': (0.98, 0.995, 0.0005, 0.5, 2.0)}
_TIP: Final = 0.004
_GROOVE: Final = (0.009, 0.015)
_GROOVE_DEPTH: Final = 0.0016
_LATCH_RADIUS, _LATCH_OUT = 0.003, 0.0014


def build_scene(layout: Layout) -> Any:  # noqa: ANN401 - mujoco has no types
    """Return the compiled model of a layout; every part has a free joint of its name."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.timestep = 1.0 / STEP_RATE
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    spec.visual.quality.shadowsize = 0
    spec.visual.quality.offsamples = 0
    add_arm(spec, layout.grip_friction)
    _add_surroundings(spec, layout)
    _add_board(spec, layout)
    for k in range(len(PARTS)):
        _add_part(spec, layout, k)
    return spec.compile()


def _add_surroundings(spec: Any, layout: Layout) -> None:  # noqa: ANN401
    world, glow = spec.worldbody, 0.45 * layout.light
    spec.visual.headlight.ambient = (glow, glow, glow)
    spec.visual.headlight.diffuse = (0.1, 0.1, 0.1)
    spec.add_texture(
        name='sky', type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, width=64, height=384,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT, rgb1=(0.62, 0.66, 0.70),
        rgb2=(0.35, 0.37, 0.40),
    )  # fmt: skip
    toward = np.array([0.48, 0.0, 0.0]) - layout.lamp
    world.add_light(
        pos=layout.lamp, dir=toward, diffuse=3 * (0.8 * layout.light,), castshadow=False,
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
    )  # fmt: skip
    friction = (layout.friction, 0.005, 0.0001)
    world.add_geom(
        name='table', type=_BOX, size=(0.5, 0.6, 0.02), pos=(0.45, 0, -0.02), friction=friction,
        rgba=(*layout.table, 1), **_CONTACT,
    )  # fmt: skip
    tray = world.add_body(
        name='tray', pos=(layout.tray.x, layout.tray.y, 0), quat=_about_z(layout.tray.yaw)
    )
    size = (*TRAY_HALF, TRAY_TOP / 2)
    tray.add_geom(
        name='tray', type=_BOX, size=size, pos=(0, 0, TRAY_TOP / 2), friction=friction,
        rgba=(*layout.tray_colour, 1), **_CONTACT,
    )  # fmt: skip
    off = layout.cameras
    eye, target = np.array([1.10, 0.0, 0.60]) + off[0, :3], np.array([0.47, 0.0, 0.06])
    world.add_camera(
        name=CAMERAS[0], pos=eye, fovy=36.0, quat=_looking(eye, target + off[0, 3:] * 2)
    )
    hand = spec.body('hand')
    eye = np.array([0.085, 0.0, 0.055]) + off[1, :3] / 2
    hand.add_camera(
        name=CAMERAS[1], pos=eye, fovy=75.0, quat=_looking(eye, np.array([0.02, 0.0, 0.16]))
    )


def _add_board(spec: Any, layout: Layout) -> None:  # noqa: ANN401
    """Add the board: each cell is a ring of boxes around its hole, or one box without."""
    board = spec.worldbody.add_body(
        name='board', pos=(layout.board.x, layout.board.y, 0), quat=_about_z(layout.board.yaw)
    )
    shapes = {cell: PARTS[k] for k, cell in enumerate(layout.holes)}
    floor = (PITCH * 1.55, PITCH * 1.05, TRAY_TOP / 2)
    board.add_geom(
        name='board_floor', type=_BOX, size=floor, pos=(0, 0, TRAY_TOP / 2),
        rgba=(*(0.6 * np.array(layout.board_colour)), 1), **_CONTACT,
    )  # fmt: skip
    look = {'rgba': (*layout.board_colour, 1), 'friction': (layout.friction, 0.005, 0.0001)}
    for cell in range(PLACES):
        middle = np.array([*offset_of(cell), TRAY_TOP + DEPTH / 2])
        if cell not in shapes:
            size = (PITCH / 2, PITCH / 2, DEPTH / 2)
            board.add_geom(name=f'board_{cell}', type=_BOX, size=size, pos=middle, **look)
            continue
        sides = 8 if shapes[cell].shape == 'round' else 4
        _add_walls(board, cell, middle, shapes[cell].width / 2 + CLEARANCE, sides, look)
        if shapes[cell].shape == 'plug':
            _add_latches(board, middle, shapes[cell])


def _add_walls(
    board: Any,  # noqa: ANN401
    cell: int,
    middle: np.ndarray[Any, np.dtype[np.float64]],
    inner: float,
    sides: int,
    look: dict[str, Any],
) -> None:
    """Surround a hole with boxes whose faces touch its inscribed circle or square."""
    outer = PITCH / 2
    if sides == 8:
        # Four boxes across the corners make the square an octagon.
        reach = inner * np.tan(np.pi / 8)
        thick = (inner * np.sqrt(2) - inner) / 2 + 0.002
        for k in range(4):
            angle = np.pi / 4 + k * np.pi / 2
            off = (inner + thick) * np.array([np.cos(angle), np.sin(angle), 0])
            board.add_geom(
                name=f'board_{cell}_corner{k}', type=_BOX, size=(thick, reach, DEPTH / 2),
                pos=middle + off, quat=_about_z(angle), **look, **_CONTACT,
            )  # fmt: skip
    half = (outer - inner) / 2
    for k, (dx, dy) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
        off = np.array([dx, dy, 0]) * (inner + half)
        size = (half, outer, DEPTH / 2) if dx else (inner, half, DEPTH / 2)
        board.add_geom(
            name=f'board_{cell}_wall{k}', type=_BOX, size=size, pos=middle + off, **look, **_CONTACT
        )


def _add_latches(board: Any, middle: Any, part: Part) -> None:  # noqa: ANN401
    """Add two sprung balls in the walls of the plug's hole; they snap into its groove."""
    inner = part.width / 2 + CLEARANCE
    height = TRAY_TOP + sum(_GROOVE) / 2
    for side in (1, -1):
        latch = board.add_body(
            name=f'latch{side}',
            pos=(middle[0] + side * (inner + _LATCH_RADIUS - _LATCH_OUT), middle[1], height),
        )
        latch.add_joint(
            name=f'latch{side}', type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(side, 0, 0),
            range=(0, 0.004), stiffness=2500, springref=-0.0015, damping=0.6,
            solref_limit=(0.003, 1),
        )  # fmt: skip
        latch.add_geom(
            name=f'latch{side}', type=mujoco.mjtGeom.mjGEOM_SPHERE, size=(_LATCH_RADIUS, 0, 0),
            mass=0.004, rgba=(0.8, 0.8, 0.3, 1), contype=2, conaffinity=2,
            friction=(0.2, 0.005, 0.0001), **_CONTACT,
        )  # fmt: skip


def _add_part(spec: Any, layout: Layout, k: int) -> None:  # noqa: ANN401
    part, spot = PARTS[k], start_of(layout, k)
    body = spec.worldbody.add_body(
        name=part.name,
        pos=(spot.x, spot.y, TRAY_TOP + 0.0005),
        quat=_about_z(spot.yaw),
    )
    body.add_freejoint(name=part.name)
    look = {
        'rgba': (*layout.colours[k], 1), 'friction': (layout.friction, 0.005, 0.0001),
        'density': DENSITY, **_CONTACT,
    }  # fmt: skip
    for n, (low, high, x, y) in enumerate(_sections(part)):
        half, round_ = (high - low) / 2, part.shape == 'round'
        body.add_geom(
            name=f'{part.name}_{n}', type=_CYLINDER if round_ else _BOX,
            size=(x / 2, half, 0) if round_ else (x / 2, y / 2, half),
            pos=(0, 0, low + half), contype=3, conaffinity=3, **look,
        )  # fmt: skip
    # The tip is rounded above its foot, and so slides into a hole that it meets off centre.
    body.add_geom(
        name=f'{part.name}_tip', type=mujoco.mjtGeom.mjGEOM_ELLIPSOID,
        size=(part.width / 2, part.width / 2, _TIP), pos=(0, 0, _TIP), contype=3, conaffinity=3,
        **{**look, 'density': 0.0},
    )  # fmt: skip


def _sections(part: Part) -> Sequence[tuple[float, float, float, float]]:
    """Return bottom, top and both widths of the sections of a part, from its foot upwards."""
    width, narrow = part.width, part.width - 0.003
    foot = (0.0, _TIP, narrow, narrow)
    if part.shape != 'plug':
        return foot, (_TIP, HEIGHT, width, width)
    low, high = _GROOVE
    groove = (low, high, width - 2 * _GROOVE_DEPTH, width)
    return foot, (_TIP, low, width, width), groove, (high, HEIGHT, width, width)


def start_of(layout: Layout, part: int) -> Spot:
    """Return where a part stands at the start."""
    if layout.inserted[part]:
        return layout.hole(part)
    spot, (dx, dy, turn) = layout.slot(layout.slots[part]), layout.offsets[part].tolist()
    return Spot(spot.x + dx, spot.y + dy, spot.yaw + turn)


def _about_z(yaw: float) -> tuple[float, float, float, float]:
    return float(np.cos(yaw / 2)), 0.0, 0.0, float(np.sin(yaw / 2))


def _looking(eye: Any, target: Any) -> Any:  # noqa: ANN401
    """Return the orientation of a camera (its -z looks ahead) at `eye` that sees `target`."""
    back = (eye - target) / np.linalg.norm(eye - target)
    right = np.cross((0, 0, 1), back)
    right = right / np.linalg.norm(right)
    rotation = np.column_stack((right, np.cross(back, right), back))
    quaternion = np.empty(4)
    mujoco.mju_mat2Quat(quaternion, rotation.ravel())
    return quaternion
