# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from m2r2_ros.demo.motion import Motion
from m2r2_ros.demo.noise import RATE, Microphone
from m2r2_ros.demo.script import write_script
from m2r2_ros.demo.touch import SNAP_IN

MOTION = Motion(write_script(60.0, np.random.default_rng(0)).phases)


def loudness(start: float, end: float) -> float:
    times = np.arange(round(start * RATE), round(end * RATE)) / RATE
    sound = Microphone(MOTION).record(times, np.random.default_rng(0))
    return float(np.sqrt(np.square(sound, dtype=np.float64).mean()))


def test_fingers_hum_and_snaps_click_above_the_quiet() -> None:
    rest = next(p for p in MOTION.phases if p.kind == 'rest')
    grasp = next(p for p in MOTION.phases if p.kind == 'grasp')
    push = next(p for p in MOTION.phases if p.kind == 'push')
    snap = push.start + (push.end - push.start) * SNAP_IN
    quiet = loudness(rest.start, rest.end)
    assert loudness(grasp.start, grasp.end) > 10 * quiet
    assert loudness(snap, snap + 0.01) > 3 * loudness(snap - 0.02, snap - 0.005)


def test_blocks_join_into_the_same_sound() -> None:
    times = np.arange(5 * RATE) / RATE
    whole = Microphone(MOTION).record(times, np.random.default_rng(0))
    rng, microphone = np.random.default_rng(0), Microphone(MOTION)
    parts = [microphone.record(part, rng) for part in np.array_split(times, 3)]
    assert np.abs(whole.astype(int) - np.concatenate(parts)).max() <= 30
