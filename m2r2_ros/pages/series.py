# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers over time as a page keeps them: extremes of buckets, and samples where it matters."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.pages.container import Container

#: Buckets of a topic at most.
MOST_BUCKETS: Final = 60_000
#: Shortest bucket, s.
_SHORTEST: Final = 0.01
#: Topics of no more samples are kept whole; of others so many rows at most.
WHOLE: Final = 60_000
MOST_ROWS: Final = 200_000
#: Seconds on each side of a boundary of which samples are kept.
AROUND: Final = 0.25
#: What a missing value is, and the highest that is one.
MISSING: Final = 65535
_TOP: Final = MISSING - 1
#: Without a sample for so many buckets, or seconds if that is longer, a line is interrupted.
_GAP, _GAP_S = 3, 0.3


class Series:
    """The samples of one topic, taken in while it is read.

    Memory depends on the number of buckets and stretches, not on the number of samples.
    """

    def __init__(
        self, channels: int, duration: float, rate: float, around: Sequence[float] | None = None
    ) -> None:
        """Begin without samples.

        Args:
            channels: Numbers of a sample.
            duration: Of the recording, s.
            rate: Samples per second, about.
            around: Times about which samples are kept, s; of a topic with few, all are. None
                keeps none.
        """
        self.width = max(duration / MOST_BUCKETS, 2 / max(rate, 1e-3), _SHORTEST)
        count = max(1, int(np.ceil(duration / self.width)))
        self.lows = np.full((channels, count), np.nan, np.float32)
        self.highs = np.full((channels, count), np.nan, np.float32)
        edges = np.array(_stretches(duration, rate, around)).reshape(-1, 2)
        self._starts, self._ends = edges.T
        self._kept: list[list[tuple[NDArray[np.float64], NDArray[np.float32]]]] = [
            [] for _ in edges
        ]

    def add(self, times: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        """Take samples in.

        Args:
            times: float64 (n,), s from the start; those outside of the recording are left out.
            values: float64 (n, channels); what is not finite is missing.
        """
        numbers: NDArray[np.float32] = np.where(np.isfinite(values), values, np.nan).astype('f4')
        place = np.floor(times / self.width).astype(np.int64)
        inside = (place >= 0) & (place < self.lows.shape[1])
        if not inside.all():
            times, numbers, place = times[inside], numbers[inside], place[inside]
        if not len(place):
            return
        if (np.diff(place) < 0).any():
            order = np.argsort(times, kind='stable')
            times, numbers, place = times[order], numbers[order], place[order]
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        found = place[starts]
        for extremes, ufunc in ((self.lows, np.fmin), (self.highs, np.fmax)):
            extremes[:, found] = ufunc(extremes[:, found], ufunc.reduceat(numbers, starts).T)
        first = int(np.searchsorted(self._ends, times[0]))
        last = int(np.searchsorted(self._starts, times[-1], side='right'))
        for k in range(first, last):
            low, high = np.searchsorted(times, (self._starts[k], self._ends[k]))
            if low < high:
                # Copies, since a view would keep all that was read with it.
                self._kept[k].append((times[low:high].copy(), numbers[low:high].copy()))

    def pack(self, columns: Sequence[int], names: Sequence[str], out: Container) -> dict[str, Any]:
        """Return some channels as a page has them.

        Args:
            columns: Which.
            names: What they are called.
            out: Takes the arrays.
        """
        lows, highs = _held(self.lows[list(columns)], self.highs[list(columns)], self.width)
        ranges = [_range(low, high) for low, high in zip(lows, highs, strict=True)]
        channels = [
            {
                'name': name,
                'low': low,
                'high': high,
                'lows': out.array(_quantised(own, low, high)),
                'highs': out.array(_quantised(tops, low, high)),
            }
            for name, own, tops, (low, high) in zip(names, lows, highs, ranges, strict=True)
        ]
        stretches = []
        for kept in self._kept:
            if kept:
                times = np.concatenate([t for t, _ in kept])
                order = np.argsort(times, kind='stable')
                values = np.concatenate([v for _, v in kept])[order][:, list(columns)]
                stretches.append(_stretch(times[order], values, ranges, out))
        return {
            'bucket': self.width, 'origin': 0.0, 'channels': channels, 'stretches': stretches,
        }  # fmt: skip


def pack_samples(
    times: NDArray[np.float64], values: NDArray[np.float64], out: Container
) -> dict[str, Any]:
    """Return all samples of a short time as one stretch, with the range of each channel.

    Args:
        times: float64 (n,), s, sorted.
        values: float64 (n, channels).
        out: Takes the arrays.
    """
    numbers = np.where(np.isfinite(values), values, np.nan).astype(np.float32)
    ranges = [_range(column, column) for column in numbers.T]
    return {
        'channels': [{'low': low, 'high': high} for low, high in ranges],
        'stretches': [_stretch(times, numbers, ranges, out)] if len(times) else [],
    }


def _stretches(
    duration: float, rate: float, around: Sequence[float] | None
) -> list[tuple[float, float]]:
    """Return the ranges of which samples are kept, s, apart from each other."""
    if around is None:
        return []
    if duration * rate <= WHOLE:
        return [(-np.inf, np.inf)]
    half = min(AROUND, MOST_ROWS / max(rate * 2 * len(around), 1e-9)) if around else 0.0
    found: list[tuple[float, float]] = []
    for time in sorted(around):
        start, end = time - half, time + half
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _held(
    lows: NDArray[np.float32], highs: NDArray[np.float32], width: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fill short gaps with the value before, so that jitter does not interrupt lines."""
    there: NDArray[np.bool_] = np.asarray(np.isfinite(lows).any(axis=0))
    index = np.arange(len(there))
    last = np.maximum.accumulate(np.where(there, index, -1))
    near = (last >= 0) & (index - last <= max(_GAP, _GAP_S / width))
    following = np.minimum.accumulate(np.where(there, index, len(there))[::-1])[::-1]
    fill = near & ~there & (following < len(there))
    fill &= following - last <= max(_GAP, _GAP_S / width)
    source = np.where(fill, last, index)
    return lows[:, source], highs[:, source]


def _range(lows: NDArray[np.float32], highs: NDArray[np.float32]) -> tuple[float, float]:
    if not np.isfinite(lows).any():
        return 0.0, 0.0
    return float(np.nanmin(lows)), float(np.nanmax(highs))


def _quantised(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint16]:
    """Return values in 65535 steps of their range, MISSING where there is none."""
    scale = _TOP / (high - low) if high > low else 0.0
    steps = np.round((np.nan_to_num(values, nan=low).astype(np.float64) - low) * scale)
    quantised = np.clip(steps, 0, _TOP).astype(np.uint16)
    quantised[~np.isfinite(values)] = MISSING
    return quantised


def _stretch(
    times: NDArray[np.float64],
    values: NDArray[np.float32],
    ranges: Sequence[tuple[float, float]],
    out: Container,
) -> dict[str, Any]:
    offsets = np.round((times - times[0]) * 1e6).astype(np.uint32)
    columns = [
        out.array(_quantised(column, low, high))
        for column, (low, high) in zip(values.T, ranges, strict=True)
    ]
    return {'start': float(times[0]), 'offsets': out.array(offsets), 'values': columns}
