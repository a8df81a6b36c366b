# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from m2r2_ros.demo.motion import Motion
from m2r2_ros.demo.script import OBJECTS, write_script
from m2r2_ros.demo.touch import GRAVITY, SNAP_IN, wrench_of

MOTION = Motion(write_script(100.0, np.random.default_rng(0)).phases)


def wrench(start: float, end: float) -> np.ndarray:
    return wrench_of(MOTION, np.arange(start, end, 0.002), np.random.default_rng(0))


def test_what_is_held_weighs() -> None:
    for phase in MOTION.phases:
        down = wrench(phase.start, phase.end)[:, 2].mean()
        if phase.kind == 'move' and phase.held:
            assert abs(down - OBJECTS[phase.item].mass * GRAVITY) < 0.25
        elif phase.kind == 'rest':
            assert abs(down) < 0.25


def test_insertion_pushes_back_until_it_snaps() -> None:
    pushes = [phase for phase in MOTION.phases if phase.kind == 'push']
    assert pushes
    for phase in pushes:
        down = wrench(phase.start, phase.end)[:, 2]
        snap = int(len(down) * SNAP_IN)
        assert down[:snap].min() < -18
        assert down[snap + 2 :].min() > -11


def test_removal_resists_until_it_comes_loose() -> None:
    pulls = [phase for phase in MOTION.phases if phase.kind == 'pull']
    assert pulls
    assert all(wrench(phase.start, phase.end)[:, 2].max() > 18 for phase in pulls)
