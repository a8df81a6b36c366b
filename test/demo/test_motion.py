# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from m2r2_ros.demo.motion import Motion, quaternions
from m2r2_ros.demo.script import write_script

MOTION = Motion(write_script(60.0, np.random.default_rng(0)).phases)
TIMES = np.arange(0.0, 60.0, 0.002)


def test_velocities_are_those_of_the_positions() -> None:
    position, rates = MOTION.at(TIMES).position, MOTION.rates(TIMES)
    moved = np.cumsum(rates.linear * 0.002, axis=0)
    assert np.abs(moved + position[0] - position).max() < 2e-3
    assert 0.1 < np.abs(rates.linear).max() < 1.5


def test_angular_velocity_turns_the_quaternions() -> None:
    state, rates = MOTION.at(TIMES), MOTION.rates(TIMES)
    q = quaternions(state)
    # Two orientations a step apart differ by the angle that the angular velocity covers.
    dot = np.abs((q[1:] * q[:-1]).sum(1))
    angle = 2 * np.arccos(np.clip(dot, 0, 1))
    speed = np.linalg.norm(rates.angular, axis=1)
    fast = speed[1:] > 0.2
    assert fast.any()
    assert np.abs(angle[fast] / 0.002 - speed[1:][fast]).max() < 0.05


def test_quaternions_point_down_and_flip_their_sign() -> None:
    q = quaternions(MOTION.at(TIMES))
    assert np.allclose(np.linalg.norm(q, axis=1), 1)
    x, y, _, w = q.T
    assert np.all(1 - 2 * (x**2 + y**2) < -0.999)  # the tool's z axis points down
    assert np.all(w >= 0)
    flips = (q[1:] * q[:-1]).sum(1) < 0
    assert 3 < flips.sum() < 100


def test_motion_is_smooth() -> None:
    steps = np.abs(np.diff(MOTION.at(TIMES).position, axis=0)).max()
    jolts = np.abs(np.diff(MOTION.rates(TIMES).linear, axis=0)).max()
    assert steps < 3e-3
    assert jolts < 0.03
