# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from m2r2_ros.demo.motion import Motion
from m2r2_ros.demo.scene import SIZE, Camera
from m2r2_ros.demo.script import write_script

MOTION = Motion(write_script(60.0, np.random.default_rng(0)).phases)


def look(time: float) -> np.ndarray:
    return Camera(MOTION).look(time, np.random.default_rng(0)).astype(int)


def test_pictures_show_what_the_robot_does() -> None:
    image = look(0.0)
    assert image.shape == (SIZE, SIZE, 3)
    rest = MOTION.phases[0]
    assert np.abs(image - look(rest.end / 2)).mean() < 3
    descent = next(p for p in MOTION.phases if p.kind == 'descend')
    assert np.abs(image - look(descent.end)).mean() > 5


def test_a_placed_object_is_seen_elsewhere() -> None:
    grasps = [p for p in MOTION.phases if p.kind == 'grasp']
    releases = [p for p in MOTION.phases if p.kind == 'release']
    moved = next(r for r in releases if r.origin[1] * grasps[releases.index(r)].origin[1] < 0)
    before, after = look(0.0), look(MOTION.phases[MOTION.phases.index(moved) + 1].end)
    lower = slice(SIZE // 2, None)
    changed = np.abs(before - after)[lower].max(2) > 60
    assert changed[:, : SIZE // 2].sum() > 20
    assert changed[:, SIZE // 2 :].sum() > 20
