# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.laps.controller import ControllerOptions
from m2r2_ros.discovery.laps.detector import EnergyDetector
from m2r2_ros.discovery.laps.hops import Hops
from test.discovery.laps.scenes import arm, on_and_off

OPTIONS = ControllerOptions(theta_on=0.5, hysteresis=0.9, alpha=1.0)


class MeanWrench:
    """The mean force of a window; a frame without a wrench has no data."""

    def __init__(self, window: int, stride: int) -> None:
        self.window, self.stride = window, stride
        self._hops: Hops[float] = Hops(window, stride)

    def reset(self) -> None:
        self._hops.reset()

    def extend(self, windows: FrameWindows) -> list[float | None]:
        there = windows.has('wrench')
        forces = np.abs(windows.sensors['wrench']).max(axis=(1, 2))
        found: list[float | None] = []
        for force, present in zip(forces, there, strict=True):
            if self._hops.push(float(force) if present else None):
                rows = self._hops.window
                found.append(None if rows is None else float(np.mean(rows)))
        return found


def pushes(lengths: list[int]) -> FrameWindows:
    windows = arm(on_and_off(lengths))
    windows.sensors['wrench'][:] = on_and_off(lengths)[:, None, None]
    return windows


def run(detector: EnergyDetector, windows: FrameWindows, cuts: list[int]) -> np.ndarray:
    edges = [0, *cuts, len(windows)]
    parts = [detector.extend(windows[a:b]) for a, b in pairwise(edges)]
    return np.concatenate([*parts, detector.finish()])


@pytest.mark.parametrize(('window', 'stride'), [(2, 1), (8, 2), (16, 4)])
def test_changes_are_placed_where_they_happen(window: int, stride: int) -> None:
    scores = run(EnergyDetector(MeanWrench(window, stride), OPTIONS, 10), pushes([40, 30, 30]), [])
    found = np.flatnonzero(scores)
    assert scores.dtype == np.float32 and len(scores) == 100
    assert len(found) == 2 and np.abs(found - [40, 70]).max() <= stride
    assert ((scores[found] > 0.4) & (scores[found] <= 1)).all()


def test_streaming_gives_the_scores_of_the_whole() -> None:
    windows = pushes([30, 20, 15, 25, 40])
    windows.present[55:58, 0] = False
    windows.restarts[70] = True
    detector = EnergyDetector(MeanWrench(8, 2), OPTIONS, 10)
    whole = run(detector, windows, [])
    assert len(whole) == len(windows) and (whole > 0).sum() >= 3
    assert np.array_equal(run(detector, windows, list(range(1, len(windows)))), whole)
    assert np.array_equal(run(detector, windows, [7, 7, 69, 71, 100]), whole)


def test_a_score_waits_for_as_many_frames_as_the_lag() -> None:
    windows = pushes([30, 30])
    detector = EnergyDetector(MeanWrench(8, 2), replace(OPTIONS, up=3), 10)
    assert detector.lag == 4 + 2 * 2
    counts = [len(detector.extend(windows[k : k + 1])) for k in range(len(windows))]
    assert counts == [0] * detector.lag + [1] * (len(windows) - detector.lag)
    assert len(detector.finish()) == detector.lag
    assert len(detector.finish()) == 0


def test_frames_without_data_neither_begin_nor_end_anything() -> None:
    windows = pushes([30, 50])
    windows.present[50:70, 0] = False
    windows.sensors['wrench'][50:70] = 0
    scores = run(EnergyDetector(MeanWrench(8, 2), OPTIONS, 10), windows, [])
    assert len(np.flatnonzero(scores)) == 1


def test_a_jump_of_the_clock_begins_anew() -> None:
    windows = pushes([30, 10])
    windows.restarts[35] = True
    detector = EnergyDetector(MeanWrench(8, 2), OPTIONS, 10)
    assert np.array_equal(
        run(detector, windows, []),
        np.concatenate([run(detector, windows[:35], []), run(detector, windows[35:], [])]),
    )
    assert len(detector.extend(windows[:0])) == 0
