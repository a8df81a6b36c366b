# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Extremes, means and quantiles of features, taken in as frames come."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Quantiles of a feature, by what a data set calls them.
QUANTILES: Final = {'q01': 0.01, 'q10': 0.10, 'q50': 0.50, 'q90': 0.90, 'q99': 0.99}
#: Rows that quantiles are of, at least; of fewer frames they are exact.
_ROWS: Final = 4096
#: Pixels of the longer side of an image that are looked at, at most.
_SIDE: Final = 100


class NumberStats:
    """What is known of the numbers of a feature.

    Of many rows every second, fourth, ... stays for the quantiles, so that memory is bounded.
    """

    def __init__(self, dims: int) -> None:
        """Begin without rows."""
        self.count, self.dims = 0, dims
        self._low = self._high = np.empty(0)
        self._mean, self._squares = np.zeros(dims), np.zeros(dims)
        self._kept, self._weights = np.empty((0, dims)), np.empty(0)

    def add(self, rows: NDArray[Any]) -> None:
        """Take rows, (n, D)."""
        if len(rows):
            numbers = rows.astype(np.float64)
            mean = numbers.mean(axis=0)
            squares = ((numbers - mean) ** 2).sum(axis=0)
            self._join(len(rows), rows.min(axis=0), rows.max(axis=0), mean, squares)
            self._keep(numbers, np.ones(len(rows)))

    def merge(self, other: 'NumberStats') -> None:
        """Take the rows that another one has taken."""
        if other.count:
            self._join(other.count, other._low, other._high, other._mean, other._squares)
            self._keep(other._kept, other._weights)

    def to_dict(self) -> dict[str, list[Any]]:
        """Return them as a data set has them."""
        std = np.sqrt(self._squares / max(self.count, 1))
        order = np.argsort(self._kept, axis=0, kind='stable')
        found = {
            'min': self._low.tolist(),
            'max': self._high.tolist(),
            'mean': self._mean.tolist(),
            'std': std.tolist(),
            'count': [self.count],
        }
        for name, share in QUANTILES.items():
            found[name] = [
                _quantile(self._kept[rows, k], self._weights[rows], share)
                for k, rows in enumerate(order.T)
            ]
        return found

    def _join(
        self,
        count: int,
        low: NDArray[Any],
        high: NDArray[Any],
        mean: NDArray[np.float64],
        squares: NDArray[np.float64],
    ) -> None:
        """Add up means and squares of two groups of rows."""
        self._low = np.minimum(self._low, low) if self.count else low
        self._high = np.maximum(self._high, high) if self.count else high
        total = self.count + count
        change = mean - self._mean
        self._squares = self._squares + squares + change**2 * (self.count * count / total)
        self._mean = self._mean + change * (count / total)
        self.count = total

    def _keep(self, rows: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        self._kept = np.concatenate([self._kept, rows])
        self._weights = np.concatenate([self._weights, weights])
        while len(self._kept) > 2 * _ROWS:
            total = self._weights.sum()
            self._kept, self._weights = self._kept[::2], self._weights[::2]
            self._weights = self._weights * (total / self._weights.sum())


class ImageStats:
    """What is known of the colours of a camera's images: how often each value of each is there."""

    def __init__(self) -> None:
        """Begin without images."""
        self.count = 0
        self._values = np.zeros((3, 256), np.int64)

    def add(self, image: NDArray[np.uint8]) -> None:
        """Take an image, uint8 (height, width, 3)."""
        step = -(-max(image.shape[:2]) // _SIDE)
        small = image[::step, ::step]
        for k, row in enumerate(self._values):
            row += np.bincount(small[:, :, k].reshape(-1), minlength=256)
        self.count += 1

    def merge(self, other: 'ImageStats') -> None:
        """Take the images that another one has taken."""
        self._values += other._values
        self.count += other.count

    def to_dict(self) -> dict[str, list[Any]]:
        """Return them as a data set has them: colours from 0 to 1, (3, 1, 1)."""
        levels = np.arange(256) / 255
        shares = self._values / np.maximum(self._values.sum(axis=1, keepdims=True), 1)
        mean = shares @ levels
        there = self._values > 0
        numbers = {
            'min': levels[there.argmax(axis=1)],
            'max': levels[255 - there[:, ::-1].argmax(axis=1)],
            'mean': mean,
            'std': np.sqrt((shares * (levels[None] - mean[:, None]) ** 2).sum(axis=1)),
        }
        sums = np.cumsum(shares, axis=1)
        for name, share in QUANTILES.items():
            numbers[name] = levels[np.minimum((sums < share).sum(axis=1), 255)]
        found: dict[str, list[Any]] = {n: v.reshape(3, 1, 1).tolist() for n, v in numbers.items()}
        return {**found, 'count': [self.count]}


def _quantile(values: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    """Return the quantile of values in order, between the two that it lies between."""
    places = np.cumsum(weights) - weights / 2
    return float(np.interp(share * weights.sum(), places, values))
