# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latent action energy E(t), and thresholds that need no labels (sections 3.1.1 and 3.1.2)."""

import numpy as np
from numpy.typing import NDArray

#: Cells of the histogram that Otsu's threshold is found in.
BINS = 256
#: Thresholds that a sweep tries.
SWEEP = 200


def latent_energy(z_q: NDArray[np.float32]) -> float:
    """Return the mean of E(t) = ||z_q,t - z_q,t-1|| over a window.

    Args:
        z_q: float32 (T, d), T of 2 or more.
    """
    return float(np.linalg.norm(np.diff(z_q, axis=0), axis=1).mean())


def velocity_energy(velocities: NDArray[np.float32], axes: int) -> float:
    """Return how much velocities change over a window: the proxy signal.

    The paper takes "the temporal difference of velocity keypoints". A robot's arm that moves at one
    speed for seconds counts as still for that, as it does for the latent energy; its speed alone
    would disagree with the latent energy there.

    Args:
        velocities: float32 (T, P), in units that all points share; T of 2 or more.
        axes: Numbers of a point.
    """
    changes = np.diff(velocities, axis=0).reshape(len(velocities) - 1, -1, axes)
    return float(np.linalg.norm(changes, axis=2).mean())


class MovingAverage:
    """The exponential moving average y_t = alpha E(t) + (1 - alpha) y_t-1; y_0 is E(0)."""

    def __init__(self, alpha: float) -> None:
        """Make one that starts anew.

        Args:
            alpha: Weight of the newest value, 0..1.
        """
        self._alpha = alpha
        self.reset()

    def reset(self) -> None:
        """Forget all values."""
        self._value: float | None = None

    def step(self, energy: float) -> float:
        """Take a value and return the average."""
        last = energy if self._value is None else self._value
        self._value = self._alpha * energy + (1 - self._alpha) * last
        return self._value


def otsu(values: NDArray[np.float64]) -> float:
    """Return Otsu's threshold: the two groups that it makes vary least within.

    Args:
        values: float64 (n,), n of 1 or more; where all are the same, that value.
    """
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return low
    counts, edges = np.histogram(values, BINS, (low, high))
    centres = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts)[:-1], len(values) - np.cumsum(counts)[:-1]
    sums = np.cumsum(counts * centres)
    means_below = sums[:-1] / np.maximum(below, 1)
    means_above = (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    between = below * above * (means_above - means_below) ** 2
    # Between two groups that are far apart every edge is as good: take the middle one.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float(edges[1 + best[len(best) // 2]])


def best_threshold(energies: NDArray[np.float64], moving: NDArray[np.bool_]) -> float:
    """Return the threshold above which energies agree best with pseudo-labels, by F1.

    Args:
        energies: float64 (n,), E(t).
        moving: bool (n,), the pseudo-labels.
    """
    shares = np.linspace(0, 1, SWEEP + 1)
    # Halfway between two energies that were seen, so that none lies on the threshold.
    candidates = np.unique(np.quantile(energies, shares, method='nearest'))
    candidates = (candidates[:-1] + candidates[1:]) / 2 if len(candidates) > 1 else candidates
    above = energies[None, :] > candidates[:, None]
    hits = (above & moving).sum(axis=1)
    f1 = 2 * hits / np.maximum(above.sum(axis=1) + moving.sum(), 1)
    return float(candidates[int(np.argmax(f1))])
