# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import itertools
from math import prod

import numpy as np
import pytest

from m2r2_ros.discovery.laps.fsq import LevelGrid


@pytest.mark.parametrize('levels', [(8, 8, 6, 5), (2, 3), (7,), (2,)])
def test_each_code_stands_for_one_point(levels: tuple[int, ...]) -> None:
    grid = LevelGrid(levels)
    every = itertools.product(*(range(n) for n in levels))
    points = np.array(sorted(every, key=lambda p: p[::-1]), np.float32) - grid.middle
    assert grid.codes(points).tolist() == list(range(prod(levels)))
    scaled = grid.points(points)
    assert len(np.unique(scaled, axis=0)) == prod(levels)
    assert scaled.min() >= -1 and scaled.max() <= 1


@pytest.mark.parametrize('levels', [(8, 8, 6, 5), (2, 3)])
def test_inputs_reach_every_level_and_no_other(levels: tuple[int, ...]) -> None:
    grid = LevelGrid(levels)
    line = np.linspace(-30, 30, 6001, dtype=np.float32)[:, None].repeat(len(levels), axis=1)
    found = grid.levels(line)
    assert found.dtype == np.float32
    assert [len(np.unique(found[:, k])) for k in range(len(levels))] == list(levels)
    codes = grid.codes(found)
    assert codes.min() == 0 and codes.max() == prod(levels) - 1


def test_noise_about_zero_flips_no_level() -> None:
    near = np.array(list(itertools.product((-0.05, 0.05), repeat=4)), np.float32)
    assert not LevelGrid((8, 8, 6, 5)).levels(near).any()
