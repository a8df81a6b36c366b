# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the demo robot's wrist feels: weight, contact, friction, snaps."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.demo.motion import Motion, State
from m2r2_ros.demo.script import OBJECTS, Phase

Array = NDArray[np.float64]

GRAVITY = 9.81
#: Progress of a push at which the part snaps in, and of a pull at which it comes loose.
SNAP_IN, SNAP_OUT = 0.85, 0.35
#: From the wrist sensor to the fingertips along the tool axis, m.
TOOL_LENGTH = 0.12
_NOISE = np.array([0.12, 0.12, 0.15, 0.004, 0.004, 0.002])


def wrench_of(motion: Motion, times: Array, rng: np.random.Generator) -> Array:
    """Return force and torque on the tool, in the tool frame whose z points down.

    Args:
        motion: The robot's motion.
        times: float64 (n,), seconds.
        rng: For sensor noise; drawn from once for each call.

    Returns:
        float64 (n, 6), Fx Fy Fz (N), Mx My Mz (N m).
    """
    state = motion.at(times)
    force = np.zeros((len(times), 3))
    for k in np.unique(state.phase):
        at = state.phase == k
        force[at] = _contact(motion.phases[k], state, at, times[at])
    force += 0.15 * np.sin(0.05 * times[:, None] + np.arange(3))  # bias drifts with temperature
    lever = np.array([0.004, 0.002, TOOL_LENGTH])
    wrench = np.hstack((force, np.cross(lever, force)))
    wrench += rng.normal(size=wrench.shape) * _NOISE
    return wrench


def _contact(phase: Phase, state: State, at: NDArray[np.bool_], times: Array) -> Array:
    """Force of one phase, (n, 3); the table pushes up, which is -z of the tool."""
    u, since = state.progress[at], times - phase.start
    force = np.zeros((len(u), 3))
    if phase.held:
        weight = OBJECTS[phase.item].mass * GRAVITY
        lifted = phase.kind not in {'lift', 'pull'}
        force[:, 2] += weight if lifted else weight * np.clip(since / 0.15, 0, 1)
    if phase.kind == 'descend' and phase.held:
        force[:, 2] -= 5 * np.clip((u - 0.9) / 0.1, 0, 1)
    elif phase.kind == 'align':
        force[:, 2] -= 5 + 2 * np.sin(np.pi * u)
        force[:, 0] += 3 * np.sin(np.pi * u) * np.cos(6 * np.pi * u)
        force[:, 1] += 3 * np.sin(np.pi * u) * np.sin(6 * np.pi * u)
    elif phase.kind == 'push':
        force[:, 2] -= np.where(u < SNAP_IN, 5 + 20 * (u / SNAP_IN) ** 2, 9)
        force[:, 0] += 1.5 * np.sin(40 * since) * (u < SNAP_IN)
    elif phase.kind == 'pull':
        loose = 4 * np.clip((1 - u) / (1 - SNAP_OUT), 0, 1)
        force[:, 2] += np.where(u < SNAP_OUT, 22 * u / SNAP_OUT, loose)
    elif phase.kind == 'release':
        force[:, 2] -= 5 * np.exp(-since / 0.05)
    elif phase.kind == 'grasp':
        force[:, 1] += 1.2 * np.exp(-(((u - 0.9) / 0.05) ** 2))
    return force
