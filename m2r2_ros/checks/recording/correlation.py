# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far one signal lies behind another."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Steps around a peak that are part of it.
_WIDE: Final = 5


@dataclass(frozen=True, slots=True)
class Peak:
    """Where two signals fit best.

    Attributes:
        lag: Steps by which the second lies behind the first.
        height: Correlation there.
        second: Correlation at the next best peak; 0 without another.
        steps: Steps that were compared.
    """

    lag: float
    height: float
    second: float
    steps: int


def best_lag(first: NDArray[np.float64], second: NDArray[np.float64], most: int) -> Peak | None:
    """Hold two signals against each other.

    Args:
        first: (pieces, steps), NaN where it is unknown.
        second: (pieces, steps).
        most: Steps that one is moved by, at most.

    Returns:
        None where there is nothing to compare.
    """
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() <= 4 * most or first.shape[1] <= 2 * most + 1:
        return None
    a, b = _standard(first), _standard(second)
    if a is None or b is None:
        return None
    values = _correlations(a, b, most)
    k = int(np.argmax(values))
    peaks = np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] >= values[2:])) + 1
    others = values[peaks[np.abs(peaks - k) > _WIDE]]
    second_best = max(float(others.max()), 0.0) if len(others) else 0.0
    return Peak(k - most + _vertex(values, k), float(values[k]), second_best, int(known.sum()))


def _correlations(a: NDArray[np.float64], b: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return the correlation for each lag from -most to most (2 most + 1,)."""
    lags = np.arange(-most, most + 1)
    size = 1 << int(a.shape[1] + most - 1).bit_length()  # so far apart that nothing meets itself
    spectrum = (np.fft.rfft(a, size).conj() * np.fft.rfft(b, size)).sum(0)
    products = np.fft.irfft(spectrum, size)[lags]
    # What lies beyond the other signal at a lag does not count.
    left, right = (np.cumsum(np.square(signal).sum(0)) for signal in (a, b))
    steps = a.shape[1]
    ahead, behind = np.maximum(lags, 0), np.maximum(-lags, 0)
    first = _between(left, behind, steps - ahead)
    second = _between(right, ahead, steps - behind)
    scale = np.sqrt(first * second)
    return np.divide(products, scale, out=np.zeros(len(lags)), where=scale > 0)


def _between(
    sums: NDArray[np.float64], begin: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return sums over [begin, end), given running sums."""
    before = np.where(begin > 0, sums[np.maximum(begin, 1) - 1], 0.0)
    return np.asarray(np.maximum(sums[end - 1] - before, 0.0), np.float64)


def _standard(signal: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return a signal of mean 0, with zeros where it is unknown; None where it never changes."""
    known = np.isfinite(signal)
    some = signal[known]
    if not len(some) or not np.ptp(some):
        return None
    return np.where(known, signal - some.mean(), 0.0)


def _vertex(values: NDArray[np.float64], k: int) -> float:
    """Return where a parabola through a peak has its vertex, in steps from it."""
    if not 0 < k < len(values) - 1:
        return 0.0
    left, middle, right = values[k - 1 : k + 2]
    bend = left - 2 * middle + right
    return float(0.5 * (left - right) / bend) if bend < 0 else 0.0
