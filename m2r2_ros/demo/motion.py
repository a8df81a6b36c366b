# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the demo robot is at any time: minimum-jerk motion through the phases of a script."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.demo.script import Phase

Array = NDArray[np.float64]

#: The fingers need at most this long to change their width, seconds.
GRIP_TIME = 0.35
#: Step of the differences that velocities are made of, seconds; the motion is smooth beside it.
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class State:
    """The robot at n times.

    Attributes:
        phase: int64 (n,), index of the phase.
        progress: float64 (n,), 0..1 from start to end of the phase.
        position: float64 (n, 3), of the fingertips in the base frame, m.
        yaw: float64 (n,), about the vertical, rad.
        tilt: float64 (n,), how far the tool leans off the vertical about its x axis, rad.
        width: float64 (n,), between the fingers, m.
    """

    phase: NDArray[np.int64]
    progress: Array
    position: Array
    yaw: Array
    tilt: Array
    width: Array


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast a `State` changes: m/s (n, 3), rad/s (n, 3) in the base frame, m/s (n,)."""

    linear: Array
    angular: Array
    width: Array


class Motion:
    """Evaluates a script at any times."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        self.phases = phases
        self._start = np.array([phase.start for phase in phases])
        self._length = np.array([phase.end - phase.start for phase in phases])
        self._origin = np.array([phase.origin for phase in phases])
        self._target = np.array([phase.target for phase in phases])
        self._yaw = np.array([phase.yaw for phase in phases])
        self._width = np.array([phase.width for phase in phases])
        self._searching = np.array([phase.kind == 'align' for phase in phases])

    def at(self, times: Array) -> State:
        """Return the state at `times`, float64 (n,), seconds; held before 0 and after the end."""
        k = np.clip(np.searchsorted(self._start, times, side='right') - 1, 0, None)
        elapsed = times - self._start[k]
        u = np.clip(elapsed / self._length[k], 0.0, 1.0)
        gripped = np.clip(elapsed / np.minimum(self._length[k], GRIP_TIME), 0.0, 1.0)
        way = _minimum_jerk(u)
        position = self._origin[k] + (self._target - self._origin)[k] * way[:, None]
        position[:, :2] += self._searching[k, None] * _spiral(u)
        return State(
            k,
            u,
            position,
            self._yaw[k, 0] + (self._yaw[k, 1] - self._yaw[k, 0]) * way,
            # An arm is never quite vertical; its sway makes w of the quaternion cross 0.
            0.006 * np.sin(0.9 * times) + 0.004 * np.sin(2.3 * times + 1.0),
            self._width[k, 0] + (self._width[k, 1] - self._width[k, 0]) * _minimum_jerk(gripped),
        )

    def rates(self, times: Array) -> Rates:
        """Return the velocities at `times`, float64 (n,), seconds."""
        before, after = self.at(times - _STEP), self.at(times + _STEP)
        span = 2 * _STEP
        yaw = (after.yaw + before.yaw) / 2
        turn, sway = (after.yaw - before.yaw) / span, (after.tilt - before.tilt) / span
        return Rates(
            (after.position - before.position) / span,
            np.stack((sway * np.cos(yaw), sway * np.sin(yaw), turn), axis=1),
            (after.width - before.width) / span,
        )


def quaternions(state: State) -> Array:
    """Return the tool's orientation, float64 (n, 4), x y z w, with w >= 0.

    Pointing down is half a turn about x, so that w is near 0, and drivers that keep w positive
    flip the sign of all four numbers whenever it crosses.
    """
    half_turn, half_lean = state.yaw / 2, (np.pi + state.tilt) / 2
    c, s = np.cos(half_turn), np.sin(half_turn)
    cx, sx = np.cos(half_lean), np.sin(half_lean)
    q = np.stack((c * sx, s * sx, s * cx, c * cx), axis=1)
    positive: Array = np.where(q[:, 3:] < 0, -q, q)
    return positive


def _minimum_jerk(u: Array) -> Array:
    blend: Array = u**3 * (10 - 15 * u + 6 * u**2)
    return blend


def _spiral(u: Array) -> Array:
    """A search for the hole, (n, 2), m; it starts and ends in the middle, at rest."""
    radius, angle = 0.0015 * np.sin(np.pi * u) ** 2, 6 * np.pi * u
    offset: Array = radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return offset
