# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finite scalar quantisation: each number of a vector is rounded to one of a few levels."""

from collections.abc import Sequence
from math import atanh, prod

import numpy as np
from numpy.typing import NDArray


class LevelGrid:
    """Rounds vectors to a grid, and numbers the points of the grid.

    A level is a whole number from -(L // 2) on, scaled to about -1..1. Level 0 lies where the input
    is 0, for even L too, so that noise about it does not flip levels.

    Attributes:
        extent: float32 (K,), how far levels reach to each side.
        lift: float32 (K,), added before tanh.
        offset: float32 (K,), subtracted after it.
        middle: float32 (K,), how many levels are below level 0.
        highest: float32 (K,), the highest level.
        place: int64 (K,), what a level counts in the number of a point.
    """

    def __init__(self, levels: Sequence[int]) -> None:
        """Make a grid of so many levels for each of the K numbers of a vector, each 2 or more."""
        counts = np.array(levels)
        # Two levels reach exactly as far as tanh, whose inverse has no value there.
        halves = [max((n - 1) / 2, 0.75) for n in levels]
        offsets = [0.0 if n % 2 else 0.5 for n in levels]
        lifts = [atanh(o / h) for o, h in zip(offsets, halves, strict=True)]
        self.extent = np.array(halves, np.float32)
        self.offset = np.array(offsets, np.float32)
        self.lift = np.array(lifts, np.float32)
        self.middle = (counts // 2).astype(np.float32)
        self.highest = (counts - 1 - counts // 2).astype(np.float32)
        self.place = np.array([prod(levels[:k]) for k in range(len(levels))])

    def levels(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the levels of vectors, whole numbers.

        Args:
            z: float32 (..., K), any numbers.
        """
        bounded = np.tanh(z + self.lift) * self.extent - self.offset
        found: NDArray[np.float32] = np.clip(np.rint(bounded), -self.middle, self.highest)
        return found

    def points(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return levels scaled to -1..1, float32 (..., K)."""
        return levels / self.middle

    def codes(self, levels: NDArray[np.float32]) -> NDArray[np.int32]:
        """Return the number of each point of the grid, int32 (...), from 0 on."""
        found = ((levels + self.middle).astype(np.int64) * self.place).sum(axis=-1)
        return np.asarray(found, np.int32)
