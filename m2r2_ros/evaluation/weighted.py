# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sums and means over recordings, each of which is there as often as its weight says."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.evaluation.counts import Counts

#: int64 (R,), how often each recording is there.
Weights = NDArray[np.int64]


def total(weights: Weights, values: Sequence[int]) -> int:
    """Return the sum of counts, one for each recording."""
    return int(weights @ np.array(values, np.int64)) if values else 0


def ratio(weights: Weights, parts: Sequence[float], wholes: Sequence[int]) -> float | None:
    """Return a pooled fraction; None where the whole is 0."""
    whole = total(weights, wholes)
    return float(weights @ np.array(parts, np.float64)) / whole if whole else None


def mean(weights: Weights, values: Sequence[float | None]) -> float | None:
    """Return the mean of recordings in which a value is defined."""
    known = [value is not None for value in values]
    return ratio(weights, [value or 0.0 for value in values], [int(is_known) for is_known in known])


def pooled_f1(weights: Weights, counts: Sequence[Counts]) -> float | None:
    """Return the F1 of added counts."""
    tp, fp, fn = (total(weights, [getattr(c, k) for c in counts]) for k in ('tp', 'fp', 'fn'))
    return Counts(tp, fp, fn).f1


def percentile(values: NDArray[np.float64], percent: float) -> float | None:
    """Return a percentile; None where there is no value."""
    return float(np.percentile(values, percent)) if len(values) else None
