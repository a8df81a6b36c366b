# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Linear resampling of a sensor onto the grids of many windows (paper section III-B)."""

import numpy as np
from numpy.typing import NDArray


def grid(starts: NDArray[np.int64], stamps: NDArray[np.int64], points: int) -> NDArray[np.int64]:
    """Return T points spread evenly over each half-open window, int64 (N, T), nanoseconds.

    They are spread over the window's actual length, so that a jittering camera does not change
    shapes: the temporal embedding E_t has T columns.
    """
    lengths = (stamps - starts)[:, None]
    return starts[:, None] + lengths * np.arange(points) // points


def resample(
    stamps: NDArray[np.int64],
    values: NDArray[np.float64],
    counts: NDArray[np.int64],
    times: NDArray[np.int64],
    max_age: int,
) -> NDArray[np.float32]:
    """Interpolate linearly between samples; hold the newest one, and the first one before it.

    Samples further apart than max_age are not joined by a line: between them the later one holds.

    Args:
        stamps: int64 (n,), increasing, nanoseconds.
        values: float64 (n, D).
        counts: int64 (N,), how many of the samples each window may see; at least 1.
        times: int64 (N, T), the grid of each window.
        max_age: Nanoseconds.

    Returns:
        float32 (N, T, D).
    """
    newest = counts[:, None] - 1
    after = stamps.searchsorted(times, side='right')
    # Before the first sample, both are that one.
    right = np.minimum(after, newest)
    left = np.minimum(np.maximum(after - 1, 0), newest)
    span = stamps.take(right) - stamps.take(left)
    left = np.where(span > max_age, right, left)
    # From 0 to 1, or anything where both are the same sample.
    share = (times - stamps.take(left)) / np.maximum(span, 1)
    start = values.take(left, axis=0)
    result: NDArray[np.float64] = share[..., None] * (values.take(right, axis=0) - start)
    result += start
    return result.astype(np.float32)
