# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cell in motion: the arm follows a target with compliance, and everything is measured."""

from typing import Any, Final

import mujoco
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import SimulationError
from m2r2_ros.simulation.arm import GRIP_FORCE, HOME, SENSORS
from m2r2_ros.simulation.layout import Layout
from m2r2_ros.simulation.parts import PARTS
from m2r2_ros.simulation.scene import build_scene
from m2r2_ros.simulation.trace import CONTACTS, STEP_RATE, Trace

Array = NDArray[np.float64]

#: Physics steps between two updates of the controller.
CONTROL_STEPS: Final = 2
#: Stiffness (N/m, N m/rad) and damping (N s/m, N m s/rad) of the tool.
_STIFFNESS: Final = np.array([1800.0, 1800.0, 1800.0, 60.0, 60.0, 60.0])
_DAMPING: Final = np.array([110.0, 110.0, 110.0, 6.0, 6.0, 6.0])
#: The same of the posture that the seventh joint leaves open, N m/rad and N m s/rad.
_POSTURE: Final = (12.0, 3.0)
_GRIP_STIFFNESS, _GRIP_DAMPING = 4000.0, 120.0
#: The gripper's motor changes the width by at most this, m/s.
_GRIP_SPEED: Final = 0.12
#: Seconds in which parts come to rest before an episode begins.
_SETTLING: Final = 0.3
#: Warnings after which MuJoCo resets the state on its own.
_UNSTABLE: Final = (
    mujoco.mjtWarning.mjWARN_BADQPOS,
    mujoco.mjtWarning.mjWARN_BADQVEL,
    mujoco.mjtWarning.mjWARN_BADQACC,
)
#: Columns of a row of measurements.
_WIDTHS: Final = (*SENSORS, len(CONTACTS), len(CONTACTS))


class Cell:
    """Physics of an episode.

    Attributes:
        model, data: Of MuJoCo.
        layout: What it was built from.
        target: Where the controller is to bring the tool: position (3,), m.
        yaw: And its turn about the vertical, rad; the tool points down.
        width: Wanted distance between the fingers, m.
        grip: Largest force of the gripper, N.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.model = build_scene(layout)
        self.data = mujoco.MjData(self.model)
        self.data.qpos[:7] = HOME
        self._fingers = [self.model.joint(n).qposadr[0] for n in ('finger_left', 'finger_right')]
        self.data.qpos[self._fingers] = 0.02
        mujoco.mj_forward(self.model, self.data)
        self._tool = self.model.site('tool').id
        self._wrist = self.model.site('wrist').id
        self._weight = 9.81 * self.model.body('hand').subtreemass[0]
        self._kinds = _contact_kinds(self.model)
        self._jacobian = np.zeros((6, self.model.nv))
        self._rows: list[Array] = []
        self._steps = self._taken = 0
        self.target = self.position
        self.yaw, self.width, self.grip = 0.0, 0.04, GRIP_FORCE
        self._width = self.width
        while self.time < _SETTLING:
            self.advance()
        self._steps = 0
        self._rows.clear()

    @property
    def time(self) -> float:
        """Seconds since the start of the episode."""
        return self._steps / STEP_RATE

    @property
    def position(self) -> Array:
        """Where the tool is, (3,), m."""
        found: Array = self.data.site_xpos[self._tool].copy()
        return found

    @property
    def opening(self) -> float:
        """Distance between the fingers, m."""
        return float(self.data.qpos[self._fingers].sum())

    @property
    def force(self) -> Array:
        """Force on the hand in the base frame, (3,), N, without its weight."""
        rotation = self.data.site_xmat[self._wrist].reshape(3, 3)
        felt: Array = np.array([0.0, 0.0, self._weight]) - rotation @ self.data.sensordata[:3]
        return felt

    def advance(self) -> None:
        """Advance by one period of the controller."""
        self._control()
        for _ in range(CONTROL_STEPS):
            mujoco.mj_step(self.model, self.data)
            self._steps += 1
            self._rows.append(np.concatenate((self.data.sensordata, self._contacts())))

    def take(self) -> Trace:
        """Return the trace since the last call.

        Raises:
            SimulationError: The physics became unstable, so that none of it can be trusted.
        """
        if any(self.data.warning[kind].number for kind in _UNSTABLE):
            msg = f'the physics became unstable before {self.time:.1f} s: try another seed'
            raise SimulationError(msg)
        rows = np.array(self._rows).reshape(len(self._rows), sum(_WIDTHS))
        self._rows.clear()
        times = (self._taken + 1 + np.arange(len(rows))) / STEP_RATE
        self._taken += len(rows)
        columns = np.split(rows, np.cumsum(_WIDTHS)[:-1], axis=1)
        force, torque, wrist, position, turn, linear, angular = columns[:7]
        return Trace(
            times,
            np.hstack((self._weight * _upwards(wrist) - force, -torque)),
            np.hstack((position, turn[:, [1, 2, 3, 0]])),
            np.hstack((linear, angular)),
            *columns[7:],
        )

    def _control(self) -> None:
        data = self.data
        mujoco.mj_jacSite(self.model, data, self._jacobian[:3], self._jacobian[3:], self._tool)
        jacobian = self._jacobian[:, :7]
        rates = data.qvel[:7]
        error = np.empty(6)
        error[:3] = self.target - data.site_xpos[self._tool]
        error[3:] = self._turn_error()
        effort = _STIFFNESS * error - _DAMPING * (jacobian @ rates)
        stiffness, damping = _POSTURE
        posture = stiffness * (np.array(HOME) - data.qpos[:7]) - damping * rates
        # Keeping the posture must not move the tool: remove the part that would.
        gram = jacobian @ jacobian.T + 1e-4 * np.eye(6)
        effort -= np.linalg.solve(gram, jacobian @ posture)
        data.ctrl[:7] = jacobian.T @ effort + posture + data.qfrc_bias[:7]
        step = _GRIP_SPEED * CONTROL_STEPS / STEP_RATE
        self._width += float(np.clip(self.width - self._width, -step, step))
        speed = data.qvel[[7, 8]].sum()
        wanted = _GRIP_STIFFNESS * (self._width - self.opening) - _GRIP_DAMPING * speed
        data.ctrl[7] = np.clip(wanted, -self.grip, self.grip)

    def _turn_error(self) -> Array:
        """Return the small rotation from the tool's orientation to the wanted one, (3,), rad."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        wanted = np.array([[c, s, 0.0], [s, -c, 0.0], [0.0, 0.0, -1.0]])
        found = self.data.site_xmat[self._tool].reshape(3, 3)
        turn = wanted @ found.T
        skew = turn - turn.T
        return 0.5 * np.array([skew[2, 1], skew[0, 2], skew[1, 0]])

    def _contacts(self) -> Array:
        """Return normal force and slip of each kind of contact, (8,)."""
        data, kinds = self.data, len(CONTACTS)
        contact = data.contact
        kind = self._kinds[contact.geom[:, 0], contact.geom[:, 1]]
        known = (kind >= 0) & (contact.efc_address >= 0)
        kind, first = kind[known], contact.efc_address[known]
        force = data.efc_force[first]
        slip = np.hypot(data.efc_vel[first + 1], data.efc_vel[first + 2])
        total = np.bincount(kind, force, kinds)
        slip = np.bincount(kind, force * slip, kinds) / np.maximum(total, 1e-9)
        return np.concatenate((total, slip))


def _upwards(quaternions: Array) -> Array:
    """Return the world's z axis in frames of these orientations (n, 4), w first."""
    w, x, y, z = quaternions.T
    up = (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y))
    return np.stack(up, axis=1)


def _contact_kinds(model: Any) -> NDArray[np.int64]:  # noqa: ANN401
    """Return the kind of contact of each pair of geoms, an index into CONTACTS, -1 for others."""
    names = [model.geom(k).name for k in range(model.ngeom)]
    parts = tuple(part.name for part in PARTS)

    def among(*starts: str) -> NDArray[np.bool_]:
        return np.array([name.startswith(starts) for name in names])

    part, kinds = among(*parts), np.full((model.ngeom, model.ngeom), -1)
    others = (among('finger'), among('board'), among('tray', 'table'), among('latch'))
    for k, other in enumerate(others):
        kinds[np.ix_(part, other)] = k
        kinds[np.ix_(other, part)] = k
    return kinds
