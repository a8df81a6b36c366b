# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Boundary F1 at a tolerance in seconds (the F1@2s and F1@5s of OTAS and LAPS)."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import Segment
from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.matching import nearest_matches


def boundary_segments(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments that begin with a boundary: their label is not that of the one before.

    Args:
        segments: In order of start. A gap between two segments of one label is not a boundary.
    """
    return [after for before, after in pairwise(segments) if after.label != before.label]


def boundary_counts(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], tolerance_s: float
) -> Counts:
    """Count the boundaries of one recording that were found within a tolerance.

    In order of time each true boundary takes the nearest prediction in reach that is still free.

    Args:
        truth: int64 (m,), stamps of the true boundaries, ascending, nanoseconds; the start and
            the end of the recording are not among them.
        predicted: int64 (n,), stamps of the predicted boundaries, ascending, nanoseconds.
        tolerance_s: Largest distance of a pair, seconds.
    """
    tp = int((nearest_matches(truth, predicted, round(tolerance_s * 1e9)) >= 0).sum())
    return Counts(tp, len(predicted) - tp, len(truth) - tp)
