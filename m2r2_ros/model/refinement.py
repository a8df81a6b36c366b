# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels voted for between boundaries (ASRF, WACV 2021, section 3.3)."""

import numpy as np
from numpy.typing import NDArray


def pieces_between(boundaries: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    """Return which piece each frame lies in; a piece begins at each peak of the boundaries.

    A peak is a local maximum of at least `threshold`, for a flat one its first frame. Neither
    the first nor the last frame is a peak: they have only one neighbour.

    Args:
        boundaries: Boundary probabilities, float32 (N,).
        threshold: 0..1.

    Returns:
        int64 (N,), 0, 1, ... in order.
    """
    first = np.flatnonzero(np.concatenate([[True], boundaries[1:] != boundaries[:-1]]))
    levels = boundaries[first]
    inner = levels[1:-1]
    peaks = (inner > levels[:-2]) & (inner > levels[2:]) & (inner >= threshold)
    begins = np.zeros(len(boundaries), np.int64)
    begins[first[1:-1][peaks]] = 1
    pieces: NDArray[np.int64] = np.cumsum(begins)
    return pieces


def vote(probabilities: NDArray[np.float32], pieces: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return for each frame the share of votes of its piece; every frame votes for its label.

    The sum of the piece's probabilities breaks ties: it counts less than one vote.

    Args:
        probabilities: float32 (N, C).
        pieces: int64 (N,), the piece each frame lies in: 0, 1, ... in order, none without frames.

    Returns:
        float32 (N, C), the arg max of which is the refined label.
    """
    frames, classes = probabilities.shape
    votes = np.zeros((frames, classes))
    votes[np.arange(frames), probabilities.argmax(axis=1)] = 1
    first = np.flatnonzero(np.diff(pieces, prepend=-1))
    totals = np.add.reduceat(votes, first)
    sums = np.add.reduceat(probabilities.astype(np.float64), first)
    length = np.bincount(pieces)[:, None]
    shares = (totals + 0.5 * sums / length) / (length + 0.5)
    return shares[pieces].astype(np.float32)
