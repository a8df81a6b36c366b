# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One modality's believed samples, as far back as a window may still look."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from m2r2_ros.windows.buffer import ColumnBuffer
from m2r2_ros.windows.masks import every

#: An arrival that has not happened.
NEVER = np.iinfo(np.int64).max


class SampleStream:
    """Samples in order of stamp, and which of them a window may see.

    A sample lasts from its stamp to its end, which differ only for sound chunks.
    """

    def __init__(
        self, dtype: DTypeLike, shape: tuple[int, ...], max_age: int, *, inclusive: bool
    ) -> None:
        """Make an empty stream.

        Args:
            dtype: Type of a payload; object for chunks and images.
            shape: Shape of one payload.
            max_age: Nanoseconds after which the stream is masked.
            inclusive: A sample stamped t(i) belongs to window i: true for the image that the
                camera's frame is, false for what fills the half-open window.
        """
        self._rows = ColumnBuffer(
            stamps=(np.int64, ()),
            ends=(np.int64, ()),
            arrival=(np.int64, ()),
            payload=(dtype, shape),
        )
        self._max_age = max_age
        self._side: Any = 'right' if inclusive else 'left'

    def append(
        self,
        stamps: NDArray[np.int64],
        ends: NDArray[np.int64],
        arrival: NDArray[np.int64],
        payload: NDArray[Any],
    ) -> None:
        """Add n believed samples, newer than all before."""
        self._rows.append(stamps=stamps, ends=ends, arrival=arrival, payload=payload)

    @property
    def stamps(self) -> NDArray[np.int64]:
        """int64 (n,), nanoseconds."""
        return self._rows['stamps']

    @property
    def payload(self) -> NDArray[Any]:
        """(n, ...), what the samples carry."""
        return self._rows['payload']

    def reaches(self, tick: int) -> bool:
        """Return whether the stream has passed a tick."""
        return len(self._rows) > 0 and int(self._rows['ends'][-1]) >= tick

    def passed(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return at which arrival the stream had passed each tick, NEVER where it has not."""
        return arrival_or_never(self._rows['arrival'], self._rows['ends'].searchsorted(ticks))

    def counts(self, ticks: NDArray[np.int64], limits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many samples belong before each tick and arrived within its limit."""
        by_time = self._rows['stamps'].searchsorted(ticks, side=self._side)
        # Jittering chunks overlap: nothing after the first that reaches the tick is waited for.
        by_time = np.minimum(by_time, self._rows['ends'].searchsorted(ticks) + 1)
        return np.minimum(by_time, self._rows['arrival'].searchsorted(limits, side='right'))

    def fresh(self, ticks: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return at which ticks the newest countable sample is young enough."""
        if not len(self._rows):
            return np.zeros(len(ticks), np.bool_)
        newest = self._rows['ends'].take(np.maximum(counts - 1, 0))
        young: NDArray[np.bool_] = (counts > 0) & (ticks - newest <= self._max_age)
        return young

    def forget(self, before: int) -> None:
        """Drop samples that ended before a time, but for the newest of them."""
        self._rows.trim(max(0, int(self._rows['ends'].searchsorted(before)) - 1))

    def clear(self) -> None:
        """Drop all samples."""
        self._rows.clear()


def arrival_or_never(arrival: NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the arrival of some rows, NEVER where they are beyond the last."""
    if every(rows < len(arrival)):
        return arrival.take(rows)
    return np.append(arrival, NEVER).take(rows)


def object_array(items: Sequence[Any]) -> NDArray[np.object_]:
    """Return an object array of the items, whatever their own shapes, (n,)."""
    array = np.empty(len(items), object)
    for i, item in enumerate(items):
        array[i] = item
    return array
