# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What vectors of a training set look like, in few numbers, and how far others lie from them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Most directions and centres that are kept.
MOST_DIRECTIONS: Final = 128
MOST_CENTRES: Final = 256
#: Rows that centres are made of at most, and the fewest for one centre.
_MOST_ROWS: Final = 20_000
_FEWEST_ROWS: Final = 4
#: Rounds in which centres move.
_ROUNDS: Final = 10
#: Added to the variance of every direction of columns of unit variance: a direction in which the
#: training set hardly varies does not decide alone.
_RIDGE: Final = 0.1
#: Least spread of a column, so that one that never changed in training is no infinite distance.
_LEAST_SPREAD: Final = 0.05


@dataclass(frozen=True)  # without slots, for what is worked out once
class Reference:
    """Vectors of a training set as centres in scaled coordinates.

    Attributes:
        mean: float32 (K,).
        projection: float32 (K, R), to coordinates in standard deviations of the training set.
        centres: float32 (M, R).
    """

    mean: NDArray[np.float32]
    projection: NDArray[np.float32]
    centres: NDArray[np.float32]

    @cached_property
    def _lengths(self) -> NDArray[np.float32]:
        return _square_lengths(self.centres)

    def distance(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the root mean square distance to the nearest centre, float32 (N,).

        Args:
            vectors: float32 (N, K).
        """
        q = ((vectors - self.mean) @ self.projection).astype(np.float32)
        gaps = _square_gaps(q, self.centres, self._lengths).min(axis=1)
        found: NDArray[np.float32] = np.sqrt(np.maximum(gaps, 0) / q.shape[1])
        return found.astype(np.float32, copy=False)


def fit_reference(
    vectors: NDArray[np.float32], *, rotate: bool = False, seed: int = 0
) -> Reference:
    """Make a reference of a training set.

    Columns are scaled to unit variance and summarised by k-means; on demand they are rotated to
    their principal directions and whitened with a ridge before.

    Args:
        vectors: float32 (N, K), N >= 1.
        rotate: For columns that have no meaning of their own.
        seed: Of the centres' beginnings.
    """
    rng = np.random.default_rng(seed)
    x = vectors.astype(np.float64)
    mean = x.mean(axis=0)
    projection = np.diag(1 / np.maximum(x.std(axis=0), _LEAST_SPREAD))
    if rotate:
        projection = projection @ _whitening((x - mean) @ projection)
    q = (x - mean) @ projection
    if len(q) > _MOST_ROWS:
        q = q[np.sort(rng.choice(len(q), _MOST_ROWS, replace=False))]
    centres = _centres(q.astype(np.float32), rng)
    return Reference(mean.astype(np.float32), projection.astype(np.float32), centres)


def _whitening(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the leading principal directions, scaled, float64 (K, R)."""
    values, directions = np.linalg.eigh(z.T @ z / len(z))
    keep = np.argsort(values)[::-1][:MOST_DIRECTIONS]
    found: NDArray[np.float64] = directions[:, keep] / np.sqrt(np.maximum(values[keep], 0) + _RIDGE)
    return found


def _centres(q: NDArray[np.float32], rng: 'np.random.Generator') -> NDArray[np.float32]:
    """Return k-means centres, float32 (M, R)."""
    count = max(1, min(MOST_CENTRES, len(q) // _FEWEST_ROWS))
    centres = q[rng.choice(len(q), count, replace=False)].astype(np.float64)
    for _ in range(_ROUNDS):
        now = centres.astype(np.float32)
        nearest = _square_gaps(q, now, _square_lengths(now)).argmin(axis=1)
        sizes = np.bincount(nearest, minlength=count)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, q)
        moved = sizes > 0
        centres[moved] = sums[moved] / sizes[moved, None]
    return centres.astype(np.float32)


def _square_lengths(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths: NDArray[np.float32] = np.square(rows).sum(axis=1)
    return lengths


def _square_gaps(
    q: NDArray[np.float32], centres: NDArray[np.float32], lengths: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return |q_i - c_j|^2, float32 (N, M); `lengths` are the |c_j|^2."""
    sums = _square_lengths(q)[:, None] + lengths
    gaps: NDArray[np.float32] = (sums - 2 * q @ centres.T).astype(np.float32, copy=False)
    return gaps
