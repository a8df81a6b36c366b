# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tree of frames of the cell: what hangs on what, and where the joints bring it.

Names are those of REP 103 and 199: `base_link` is the root and `base` the frame that the robot
reports poses in; `flange` looks along x and `tool0` along z out of the last link; `tcp` lies
between the fingertips. Quaternions are x, y, z, w.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.templates import quaternion_product
from m2r2_ros.simulation.arm import FLANGE, HAND_TURN, KNUCKLES, LINKS, TOOL_LENGTH
from m2r2_ros.simulation.faults import CAMERAS

Array = NDArray[np.float64]

BASE_LINK: Final = 'base_link'
ARM_JOINTS: Final = tuple(f'joint{k + 1}' for k in range(len(LINKS)))
FINGER_JOINTS: Final = ('finger_left_joint', 'finger_right_joint')


class Edge(NamedTuple):
    """A frame, and how it hangs on the one before it.

    Attributes:
        parent: The frame before.
        child: The frame.
        position: Where its origin is, in the parent, m, with the joint at zero.
        turn: Its orientation there, a unit quaternion.
        joint: The joint that moves it; '' for none.
        slide: The axis of a joint that slides, in the parent; () for one that turns about z of the
            child.
    """

    parent: str
    child: str
    position: Sequence[float]
    turn: Sequence[float] = (0.0, 0.0, 0.0, 1.0)
    joint: str = ''
    slide: tuple[float, ...] = ()


def _xyzw(turn: Sequence[float]) -> tuple[float, ...]:
    """Return the unit quaternion of one of any length with w first, as MuJoCo has it."""
    w, x, y, z = (np.array(turn) / np.linalg.norm(turn)).tolist()
    return x, y, z, w


_QUARTER: Final = float(np.sqrt(0.5))
#: What the joints move, in the order of joint states.
MOVING: Final = (
    *(
        Edge(f'link{k}' if k else BASE_LINK, f'link{k + 1}', link[0], _xyzw(link[1]), ARM_JOINTS[k])
        for k, link in enumerate(LINKS)
    ),
    Edge('hand', 'finger_left', (0, 0, KNUCKLES), joint=FINGER_JOINTS[0], slide=(0, 1, 0)),
    Edge('hand', 'finger_right', (0, 0, KNUCKLES), joint=FINGER_JOINTS[1], slide=(0, -1, 0)),
)
#: What is rigid.
FIXED: Final = (
    Edge(BASE_LINK, 'base', (0, 0, 0)),
    Edge(f'link{len(LINKS)}', 'flange', FLANGE, (0, -_QUARTER, 0, _QUARTER)),
    Edge('flange', 'tool0', (0, 0, 0), (0, _QUARTER, 0, _QUARTER)),
    Edge('tool0', 'hand', (0, 0, 0), _xyzw(HAND_TURN)),
    Edge('hand', 'wrist', (0, 0, 0)),
    Edge('hand', 'tcp', (0, 0, TOOL_LENGTH)),
)


def camera_edges(model: Any) -> tuple[Edge, ...]:  # noqa: ANN401 - mujoco has no types
    """Return where the cameras of a scene are: as well known as after a perfect calibration."""
    parents = (BASE_LINK, 'hand')
    edges = []
    for name, parent in zip(CAMERAS, parents, strict=True):
        camera = model.camera(name)
        # MuJoCo's cameras look along -z with y up, optical frames along z with y down.
        turn = quaternion_product(np.array([_xyzw(camera.quat)]), np.array([[1.0, 0.0, 0.0, 0.0]]))
        place = camera.pos.tolist()
        edges.append(Edge(parent, f'{name}_optical_frame', place, turn[0].tolist()))
    return tuple(edges)


def at_rest(edges: Sequence[Edge]) -> Array:
    """Return position and quaternion of each edge with its joint at zero, (1, edges * 7)."""
    return np.array([[number for edge in edges for number in (*edge.position, *edge.turn)]])


def moved(positions: Array) -> Array:
    """Return position and quaternion of each edge of MOVING in its parent, (n, edges * 7).

    Args:
        positions: (n, edges), of their joints, rad and m.
    """
    places = np.tile(at_rest(MOVING).reshape(len(MOVING), 7), (len(positions), 1, 1))
    for k, edge in enumerate(MOVING):
        if edge.slide:
            places[:, k, :3] += positions[:, k, None] * np.array(edge.slide)
            continue
        turn = np.zeros((len(positions), 4))
        turn[:, 2], turn[:, 3] = np.sin(positions[:, k] / 2), np.cos(positions[:, k] / 2)
        places[:, k, 3:] = quaternion_product(places[:, k, 3:], turn)
    return places.reshape(len(positions), 7 * len(MOVING))
