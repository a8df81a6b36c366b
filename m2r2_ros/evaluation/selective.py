# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How right labels are where only the more confident ones are kept."""

import numpy as np
from numpy.typing import NDArray


def accuracy_kept(
    confidences: NDArray[np.floating],
    right: NDArray[np.bool_],
    shares: NDArray[np.float64],
    weights: NDArray[np.integer] | None = None,
) -> NDArray[np.float64]:
    """Return the accuracy of the most confident frames: 1 - risk at each coverage.

    Of frames with the same confidence, which cannot be told apart, an equal part is kept right
    and wrong. The definition is that of risk and coverage by Geifman and El-Yaniv (NeurIPS 2017).

    Args:
        confidences: Float (n,), no NaN; -inf for frames without a label, which are kept last.
        right: Bool (n,), whether each frame's label is right; False without one.
        shares: float64 (m,), shares of the frames to keep, above 0 and at most 1.
        weights: Int (n,), how often each frame is there; once by default.

    Returns:
        float64 (m,), 0..1; NaN where there is no frame.
    """
    count = np.ones(len(confidences), np.int64) if weights is None else weights
    order = np.argsort(-confidences, kind='stable')
    ordered = confidences[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)])
    kept = np.append(0, np.cumsum(count[order])[last]).astype(np.float64)
    found = np.append(0, np.cumsum((count * right)[order])[last]).astype(np.float64)
    if not kept[-1]:
        return np.full(len(shares), np.nan)
    wanted = shares * kept[-1]
    # Frames that are there 0 times make steps of no width, which np.interp does not mind.
    accuracy: NDArray[np.float64] = np.interp(wanted, kept, found) / wanted
    return accuracy
