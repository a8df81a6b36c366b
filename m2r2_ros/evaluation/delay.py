# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long after an action begins its label is known."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import Segment
from m2r2_ros.evaluation.matching import nearest_matches


def boundary_delays(
    boundaries: Sequence[Segment],
    starts: NDArray[np.int64],
    labels: Sequence[str],
    known: NDArray[np.int64],
    tolerance_s: float,
) -> NDArray[np.float64]:
    """Return the time from each true boundary to the moment when its new label was known.

    A boundary into label y is paired with the nearest change of the prediction into y, one to
    one, by their stamps; the delay counts to when that change was known, which is later by the
    revision lag. It is negative where the change came early.

    Args:
        boundaries: True segments whose start is a boundary, in order of time.
        starts: int64 (n,), stamp of the first frame of each predicted segment, nanoseconds.
        labels: n labels of the predicted segments.
        known: int64 (n,), when each first frame's label was known: its stamp plus the revision
            lag, nanoseconds.
        tolerance_s: Largest distance between a boundary and the stamp of its change, seconds.

    Returns:
        float64 (m,), seconds, NaN for a boundary that was missed.
    """
    delays = np.full(len(boundaries), np.nan)
    for label in {segment.label for segment in boundaries}:
        mine = np.array([k for k, s in enumerate(boundaries) if s.label == label])
        theirs = np.array([k for k, name in enumerate(labels) if name == label], np.intp)
        truth = np.array([boundaries[k].start for k in mine], np.int64)
        found = nearest_matches(truth, starts[theirs], round(tolerance_s * 1e9))
        hit = found >= 0
        delays[mine[hit]] = (known[theirs[found[hit]]] - truth[hit]) / 1e9
    return delays
