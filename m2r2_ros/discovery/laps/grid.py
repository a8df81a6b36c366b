# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The grid of points that is laid over the first image of a window."""

import numpy as np
from numpy.typing import NDArray

#: Points along each side of the grid (LAPS: 20, 400 points).
GRID = 20


def grid_points(height: int, width: int, side: int = GRID) -> NDArray[np.float32]:
    """Return the points of a grid over an image, float32 (side * side, 2), x and y, pixels."""
    x = (np.arange(side) + 0.5) * width / side - 0.5
    y = (np.arange(side) + 0.5) * height / side - 0.5
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
