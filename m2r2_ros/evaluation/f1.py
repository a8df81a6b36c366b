# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmental F1 at an overlap threshold: F1@10, F1@25, F1@50."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.runs import Runs, runs_of


def segment_counts(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    overlap: float,
    background: Collection[int] = (),
) -> Counts:
    """Count the predicted segments of one recording that overlap a true one enough.

    In order of time each predicted segment claims the true segment of its label with the largest
    IoU. It is a true positive where that IoU is at least `overlap` and the segment is not
    claimed yet, otherwise a false positive; true segments that are never claimed are false
    negatives. Add the counts of all recordings before taking their F1.

    Args:
        truth: int64 (n,), true label id of each frame.
        predicted: int64 (n,), predicted label id of each frame.
        overlap: Least IoU, above 0 and at most 1.
        background: Label ids whose segments are left out.
    """
    true_runs = runs_of(truth, background)
    runs = runs_of(predicted, background)
    claimed = np.zeros(len(true_runs), np.bool_)
    for k, iou in zip(*_best_overlaps(true_runs, runs), strict=True):
        if iou >= overlap and not claimed[k]:
            claimed[k] = True
    tp = int(claimed.sum())
    return Counts(tp, len(runs) - tp, len(true_runs) - tp)


def _best_overlaps(truth: Runs, predicted: Runs) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each predicted segment: the true one of its label with the largest IoU, and the IoU.

    Only segments that overlap are compared, so that the cost grows with their number and not
    with its square; one that overlaps none of its label has IoU 0.
    """
    best = np.zeros(len(predicted), np.int64)
    ious = np.zeros(len(predicted))
    first = np.searchsorted(truth.ends, predicted.starts, side='right')
    last = np.searchsorted(truth.starts, predicted.ends, side='left')
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        same = a + np.flatnonzero(truth.ids[a:b] == predicted.ids[i])
        if not len(same):
            continue
        start, end = predicted.starts[i], predicted.ends[i]
        shared = np.minimum(end, truth.ends[same]) - np.maximum(start, truth.starts[same])
        hull = np.maximum(end, truth.ends[same]) - np.minimum(start, truth.starts[same])
        iou = shared / hull
        best[i], ious[i] = same[np.argmax(iou)], iou.max()
    return best, ious
