# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A median filter over probabilities (DiffAct, ICCV 2023)."""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

#: Numbers that are sorted at a time: 16 MiB.
AT_A_TIME: Final = 2**22


def median_filtered(probabilities: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the median of each label's probability over `width` frames, rows adding up to 1.

    Frames are mirrored beyond the ends. Where all medians are 0, a frame is left as it is.

    Args:
        probabilities: float32 (N, C).
        width: Frames; 1 changes nothing.
    """
    if width == 1:
        return probabilities
    before = width // 2
    mirrored = np.pad(probabilities, ((before, width - 1 - before), (0, 0)), mode='symmetric')
    windows = sliding_window_view(mirrored, width, axis=0)
    found = probabilities.copy()
    rows = max(AT_A_TIME // (windows.shape[1] * width), 1)
    for lo in range(0, len(found), rows):
        own = slice(lo, lo + rows)
        medians = np.partition(windows[own], before, axis=2)[:, :, before]
        whole = medians.sum(axis=1, keepdims=True)
        np.divide(medians, whole, out=found[own], where=whole > 0)
    return found
