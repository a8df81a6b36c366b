# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmental edit score: whether the order of actions is right."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.evaluation.runs import runs_of


def levenshtein(a: NDArray[np.int64], b: NDArray[np.int64]) -> int:
    """Return the smallest number of insertions, deletions and substitutions from a to b.

    Args:
        a: int64 (m,).
        b: int64 (n,).
    """
    if len(a) > len(b):
        a, b = b, a
    # One row of the table at a time. The rest of the recurrence, inside a row, row[j] <=
    # row[j-1] + 1, becomes a running minimum once the slope of 1 is taken out.
    slope = np.arange(len(b) + 1)
    row = slope.copy()
    for i, symbol in enumerate(a, start=1):
        best = np.empty_like(row)
        best[0] = i
        best[1:] = np.minimum(row[1:] + 1, row[:-1] + (b != symbol))
        row = np.minimum.accumulate(best - slope) + slope
    return int(row[-1])


def edit_score(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], background: Collection[int] = ()
) -> float:
    """Return the edit score of one recording, 0..100.

    (1 - D / max(m, n)) * 100 with D the Levenshtein distance between the m true and the n
    predicted segment labels; 100 where both are empty.

    Args:
        truth: int64 (n,), true label id of each frame.
        predicted: int64 (n,), predicted label id of each frame.
        background: Label ids whose segments are left out.
    """
    a, b = runs_of(truth, background).ids, runs_of(predicted, background).ids
    longest = max(len(a), len(b))
    return 100.0 * (1.0 - levenshtein(a, b) / longest) if longest else 100.0
