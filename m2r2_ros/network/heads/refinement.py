# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels voted for between boundaries (ASRF, WACV 2021, section 3.3)."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot


def pieces_between(boundaries: Tensor, threshold: float) -> Tensor:
    """Return which piece each frame lies in; a piece begins at each peak of the boundaries.

    A peak is a local maximum of at least `threshold`, for a flat one its first frame. Neither
    the first nor the last frame is a peak: they have only one neighbour.

    Args:
        boundaries: Boundary probabilities, float32 (N,).
        threshold: 0..1.

    Returns:
        int64 (N,), 0, 1, ... in order.
    """
    levels, lengths = torch.unique_consecutive(boundaries, return_counts=True)
    peaks = torch.zeros_like(levels, dtype=torch.bool)
    inner = levels[1:-1]
    peaks[1:-1] = (inner > levels[:-2]) & (inner > levels[2:]) & (inner >= threshold)
    begins = torch.zeros_like(boundaries, dtype=torch.long)
    begins[(lengths.cumsum(0) - lengths)[peaks]] = 1
    return begins.cumsum(0)


def vote(probabilities: Tensor, pieces: Tensor) -> Tensor:
    """Return for each frame the share of votes of its piece; every frame votes for its label.

    The sum of the piece's probabilities breaks ties: it counts less than one vote.

    Args:
        probabilities: float32 (N, C).
        pieces: int64 (N,), the piece each frame lies in.

    Returns:
        float32 (N, C), the arg max of which is the refined label.
    """
    votes = one_hot(probabilities.argmax(dim=1), probabilities.shape[1]).double()
    ballots = torch.cat([votes, probabilities.double()], dim=1)
    totals = ballots.new_zeros(int(pieces[-1]) + 1, ballots.shape[1])
    votes, sums = totals.index_add_(0, pieces, ballots).chunk(2, dim=1)
    length = pieces.bincount().unsqueeze(1)
    shares = (votes + 0.5 * sums / length) / (length + 0.5)
    return shares[pieces].float()
