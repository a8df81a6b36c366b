# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The signals of frame windows as methods want them: a row for each frame."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import VECTOR, Modalities, of_kind
from m2r2_ros.core.windows import FrameWindows


def like(modalities: Modalities, kind: str) -> tuple[str, ...]:
    """Return the names of the vectors that keep the conventions of a built-in modality."""
    return tuple(n for n in of_kind(modalities, VECTOR) if modalities[n].like == kind)


def frame_means(windows: FrameWindows, name: str) -> NDArray[np.float64]:
    """Return the mean of a vector over each window, (n, D), NaN where it is masked."""
    values: NDArray[np.float64] = windows.sensors[name].mean(axis=1, dtype=np.float64)
    values[~windows.has(name)] = np.nan
    return values


def held(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows without NaN, (n, D): each that has one is the last whole one, or the first.

    All zero where no row is whole.
    """
    whole = np.isfinite(values).all(axis=1)
    if not whole.any():
        return np.zeros_like(values)
    last = np.maximum.accumulate(np.where(whole, np.arange(len(values)), -1))
    found: NDArray[np.float64] = values[np.where(last < 0, int(np.argmax(whole)), last)]
    return found
