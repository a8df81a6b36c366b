# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One-to-one matching of points in time."""

import numpy as np
from numpy.typing import NDArray


def maximum_matches(truth: NDArray[np.int64], predicted: NDArray[np.int64], tolerance: int) -> int:
    """Return how many pairs a maximum matching within `tolerance` has.

    On a line, with the same tolerance for all, pairing the two earliest that reach each
    other is optimal.

    Args:
        truth: int64 (m,), ascending.
        predicted: int64 (n,), ascending.
        tolerance: Largest distance of a pair, in the unit of both.
    """
    pairs = i = j = 0
    while i < len(truth) and j < len(predicted):
        ahead = predicted[j] - truth[i]
        if abs(ahead) <= tolerance:
            pairs += 1
        i += bool(ahead >= -tolerance)
        j += bool(ahead <= tolerance)
    return pairs


def nearest_matches(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], tolerance: int
) -> NDArray[np.int64]:
    """Pair each true point, in order of time, with the nearest free prediction in reach.

    Args:
        truth: int64 (m,), ascending.
        predicted: int64 (n,), ascending.
        tolerance: Largest distance of a pair, in the unit of both.

    Returns:
        int64 (m,), index of the prediction of each true point, -1 where it has none. Of two
        predictions equally far away the earlier one is taken.
    """
    free = np.ones(len(predicted), np.bool_)
    found = np.full(len(truth), -1, np.int64)
    first = np.searchsorted(predicted, truth - tolerance, side='left')
    last = np.searchsorted(predicted, truth + tolerance, side='right')
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        near = a + np.flatnonzero(free[a:b])
        if len(near):
            found[i] = near[np.argmin(np.abs(predicted[near] - truth[i]))]
            free[found[i]] = False
    return found
