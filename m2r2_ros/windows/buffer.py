# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Columns of numbers that grow at the end and are forgotten at the front."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class ColumnBuffer:
    """Parallel arrays that are appended to and trimmed in amortised constant time.

    Memory is bounded by twice what is between two trims, however long the stream is.
    """

    def __init__(self, **columns: tuple[DTypeLike, tuple[int, ...]]) -> None:
        """Make empty columns.

        Args:
            columns: Name to dtype and shape of one row.
        """
        self._arrays: dict[str, NDArray[Any]] = {
            name: np.empty((64, *shape), dtype) for name, (dtype, shape) in columns.items()
        }
        self._lo = self._hi = 0

    def __len__(self) -> int:
        return self._hi - self._lo

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return the rows of a column, a view that is good until the next append."""
        return self._arrays[name][self._lo : self._hi]

    def append(self, **columns: NDArray[Any]) -> None:
        """Add rows to every column; all must be of one length."""
        n = len(next(iter(columns.values())))
        self._make_room(n)
        for name, rows in columns.items():
            self._arrays[name][self._hi : self._hi + n] = rows
        self._hi += n

    def trim(self, rows: int) -> None:
        """Forget the first `rows` rows."""
        self._lo += rows

    def clear(self) -> None:
        """Forget all rows."""
        self._lo = self._hi = 0

    def _make_room(self, n: int) -> None:
        used = len(self)
        for name, old in self._arrays.items():
            if self._hi + n <= len(old):
                return
            new = np.empty((max(len(old), 2 * (used + n)), *old.shape[1:]), old.dtype)
            new[:used] = old[self._lo : self._hi]
            self._arrays[name] = new
        self._lo, self._hi = 0, used
