# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detection rate of action boundaries (DR), as published and one-to-one."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.matching import maximum_matches
from m2r2_ros.evaluation.runs import change_points

#: Half width of the window around a true boundary, frames: +-1 s at 10 Hz (M2R2, section IV-B).
T_E = 10


def published_counts(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], t_e: int = T_E
) -> Counts:
    """Count boundaries as the evaluation behind the published DR does.

    Around each true boundary g lies the window g - t_e..g + t_e. The prediction nearest to g is a
    true positive unless it already was one for an earlier window; every other prediction inside
    is a false positive, even where it is the true match of a neighbouring boundary, and once for
    each window that it lies in. Predictions outside every window are false positives, boundaries
    with an empty window false negatives. True segments shorter than 2 t_e therefore keep even a
    perfect prediction below 100: see `one_to_one_counts`.

    Args:
        truth: int64 (n,), true label id of each frame; background included.
        predicted: int64 (n,), predicted label id of each frame.
        t_e: Half width of the window, frames.
    """
    true, found = change_points(truth), change_points(predicted)
    first = np.searchsorted(found, true - t_e, side='left')
    last = np.searchsorted(found, true + t_e, side='right')
    hit = last > first
    outside = len(found) - _covered(first[hit], last[hit], len(found))
    crowd = int((last - first - 1)[hit].sum())
    tp = len(np.unique(_nearest(found, true[hit])))
    return Counts(tp, crowd + outside, int((~hit).sum()))


def one_to_one_counts(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], t_e: int = T_E
) -> Counts:
    """Count boundaries with each true one matched to at most one prediction, and vice versa.

    The matching is a maximum one, so the counts do not depend on an order in which boundaries
    are looked at, and a perfect prediction always scores 100.

    Args:
        truth: int64 (n,), true label id of each frame; background included.
        predicted: int64 (n,), predicted label id of each frame.
        t_e: Largest distance of a pair, frames.
    """
    true, found = change_points(truth), change_points(predicted)
    tp = maximum_matches(true, found, t_e)
    return Counts(tp, len(found) - tp, len(true) - tp)


def _covered(first: NDArray[np.intp], last: NDArray[np.intp], size: int) -> int:
    """Return how many of `size` places lie in at least one range first..last-1."""
    steps = np.zeros(size + 1, np.int64)
    np.add.at(steps, first, 1)
    np.add.at(steps, last, -1)
    return int((np.cumsum(steps[:-1]) > 0).sum())


def _nearest(found: NDArray[np.int64], true: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index of the prediction nearest to each boundary, the earlier one of two."""
    if not len(true):
        return np.zeros(0, np.int64)
    after = np.clip(np.searchsorted(found, true), 1, max(len(found) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(found) - 1)
    nearer: NDArray[np.int64] = np.where(
        np.abs(found[after] - true) < np.abs(found[before] - true), after, before
    )
    return nearer
