# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Area under the receiver operating characteristic: how well a score separates two kinds."""

import numpy as np
from numpy.typing import NDArray


def auroc(
    scores: NDArray[np.floating],
    positive: NDArray[np.bool_],
    weights: NDArray[np.integer] | None = None,
) -> float | None:
    """Return the probability that a positive one has the greater score than a negative one.

    Ties count half, as in the statistic of Mann and Whitney: 1 separates them, 0.5 is chance and 0
    separates them with the sign turned round. The cost is that of sorting.

    Args:
        scores: Float (n,), no NaN; infinities are scores like others.
        positive: Bool (n,).
        weights: Int (n,), how often each one is there; once by default.

    Returns:
        The area, 0..1; None where one of the two kinds is missing.

    Raises:
        ValueError: Lengths differ, or a score is NaN.
    """
    count = np.ones(len(scores), np.int64) if weights is None else weights
    if not len(scores) == len(positive) == len(count):
        msg = f'{len(scores)} scores for {len(positive)} kinds and {len(count)} weights'
        raise ValueError(msg)
    if np.isnan(scores).any():
        msg = 'a score is NaN; expected numbers that can be put in order'
        raise ValueError(msg)
    if not len(scores):
        return None
    order = np.argsort(scores, kind='stable')
    ordered = scores[order]
    ties = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    yes = np.add.reduceat(np.where(positive, count, 0)[order], ties).astype(np.float64)
    no = np.add.reduceat(np.where(positive, 0, count)[order], ties).astype(np.float64)
    pairs = yes.sum() * no.sum()
    below = np.cumsum(no) - no
    return float((yes * (below + no / 2)).sum() / pairs) if pairs else None
