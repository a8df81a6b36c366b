# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fewest waypoints that a path can be interpolated from (AWE, Shi et al. 2023).

A segment (i, j) is feasible where every sample k between is within the tolerance of the straight
line from i to j. That (i, j) is feasible says nothing of (i, j - 1): a robot that comes back along
its own way makes it so. The longest segment is hence not always the best, and what is searched is
the graph of all feasible segments, breadth first.

Two things keep this fast. A segment that passes a sample at distance r > tolerance keeps its
direction in a cone of half angle asin(tolerance / r) around it; from where two such cones have
nothing in common, no later end is feasible. And of each sample only the ends count that nothing
reached before; from the latest sample on, these are few.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Pairs of a sample and an end that are looked at together: they stay in the processor's cache.
_PAIRS: Final = 32_768
#: Every so many samples are looked at, then more: most ends that fail do so at many samples.
_STEPS: Final = (32, 8, 1)
#: Cones need to be this much further apart, rad, so that rounding never cuts a feasible end.
_SLACK: Final = 1e-6
#: What rounding may take: of a squared distance, and of the cosine of half an angle.
_ROUNDING: Final = 1e-12


def waypoints(
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64] | None,
    forced: Iterable[int],
    tolerance: float,
) -> NDArray[np.int64]:
    """Return the fewest waypoints, among them all forced ones and the last sample.

    The error of a sample is its distance, m, from the straight line between the waypoints around it
    and, where there are rotations, the angle, rad, to the one that is interpolated (slerp) at its
    time is added.

    Args:
        positions: (T, 3), m.
        rotations: (T, 3, 3), or None: positions alone count.
        forced: Indices that have to be waypoints.
        tolerance: Largest error of any sample, m (and rad); above 0.

    Returns:
        int64, indices, ascending. The first sample, where the path begins, is none unless it is
        the only one.
    """
    last = len(positions) - 1
    if last < 1:
        return np.arange(len(positions))
    route = Route(positions, None if rotations is None else quaternions(rotations), tolerance)
    stops = sorted({0, last, *(i for i in forced if 0 < i < last)})
    found = [i for first, end in pairwise(stops) for i in _fewest(route, first, end)]
    return np.array(found, np.int64)


def quaternions(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit quaternions (w, x, y, z), (T, 4), of rotation matrices, (T, 3, 3)."""
    (a, b, c), (d, e, f), (g, h, i) = np.moveaxis(rotations, 0, -1)
    # 4 q q', of which the row with the largest diagonal is the most exact.
    products = np.array(
        [
            [1 + a + e + i, h - f, c - g, d - b],
            [h - f, 1 + a - e - i, b + d, c + g],
            [c - g, b + d, 1 - a + e - i, f + h],
            [d - b, c + g, f + h, 1 - a - e + i],
        ]
    )
    best = np.argmax(np.einsum('iit->it', products), axis=0)
    rows = products[best, :, np.arange(len(rotations))]
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


class Route:
    """Samples of a route, and which of its segments are feasible."""

    def __init__(
        self,
        positions: NDArray[np.float64],
        turns: NDArray[np.float64] | None,
        tolerance: float,
    ) -> None:
        """Take positions, (T, 3), unit quaternions, (T, 4), and the largest error."""
        self._positions, self._turns, self._tolerance = positions, turns, tolerance

    def reach(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the latest end, up to `last`, that may be feasible for first, ..., last - 1."""
        starts = np.arange(first, last)
        reach = _reach(starts, last, self._moves, self._tolerance)
        # On the sphere of quaternions, rotations are half as far apart, and cones are as in space.
        half = self._tolerance / 2
        if self._turns is not None and half < np.pi / 4:
            reach = np.minimum(reach, _reach(starts, last, self._relative, np.sin(half)))
        return reach

    def feasible(self, start: int, ends: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which segments from `start` to one of `ends`, ascending, are feasible."""
        between = np.arange(start + 1, ends[-1])
        if self._turns is None:
            # Samples around the start are near any segment from it.
            moves = self._moves(np.full_like(between, start), between)
            between = between[(moves**2).sum(axis=1) > self._tolerance**2]
        fits = np.ones(len(ends), np.bool_)
        for step in _STEPS:
            some = between[::step]
            block = max(_PAIRS // max(len(some), 1), 1)
            left = np.flatnonzero(fits)
            for k in range(0, len(left) if len(some) else 0, block):
                part = left[k : k + block]
                fits[part] = self._fit(start, some, ends[part])
        return fits

    def _fit(
        self, start: int, between: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return which ends are feasible as far as some samples show, (E,)."""
        between = between[: np.searchsorted(between, ends[-1])]
        moves = self._positions[between] - self._positions[start]
        chords = self._positions[ends] - self._positions[start]
        squares, lengths = (moves**2).sum(axis=1), (chords**2).sum(axis=1)
        along = moves @ chords.T
        share = np.clip(along / np.where(lengths > 0, lengths, 1.0), 0.0, 1.0)
        apart = squares[:, None] - share * (2 * along - share * lengths)
        rounding = _ROUNDING * (self._tolerance**2 + squares.max(initial=0.0))
        bad = apart > self._tolerance**2 + rounding
        if self._turns is not None:
            left = self._tolerance - np.sqrt(np.maximum(apart, 0.0))
            passed = (between - start)[:, None] / (ends - start)
            bad |= self._alike(start, between, ends, passed) < np.cos(left / 2) - _ROUNDING
        bad &= between[:, None] < ends
        fit: NDArray[np.bool_] = ~bad.any(axis=0)
        return fit

    def _alike(
        self,
        start: int,
        between: NDArray[np.int64],
        ends: NDArray[np.int64],
        share: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the cosine of half the angle from samples to interpolated rotations, (S, E).

        Rotations are interpolated at a share, (S, E), of the way to each end.
        """
        assert self._turns is not None
        first, last = self._turns[start], self._turns[ends]
        last = last * np.where(last @ first < 0, -1.0, 1.0)[:, None]
        angle = np.maximum(np.arccos(np.minimum(last @ first, 1.0)), 1e-9)
        there = self._turns[between]
        from_first, from_last = (there @ first)[:, None], there @ last.T
        mixed = np.sin((1 - share) * angle) * from_first + np.sin(share * angle) * from_last
        alike: NDArray[np.float64] = np.abs(mixed) / np.sin(angle)
        return alike

    def _moves(self, starts: NDArray[np.int64], to: NDArray[np.int64]) -> NDArray[np.float64]:
        return self._positions[to] - self._positions[starts]

    def _relative(self, starts: NDArray[np.int64], to: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the vector parts of relative quaternions; 0 near half a turn, which says little.

        From there on a rotation is as near by the other way around.
        """
        assert self._turns is not None
        a, b = self._turns[starts], self._turns[to]
        parts = a[:, :1] * b[:, 1:] - b[:, :1] * a[:, 1:] - np.cross(a[:, 1:], b[:, 1:])
        scalar = (a * b).sum(axis=1, keepdims=True)
        sure = np.abs(scalar) > np.sin(self._tolerance / 2) + _SLACK
        return np.where(sure, parts * np.where(scalar < 0, -1.0, 1.0), 0.0)


#: Vectors from samples to others, (n, 3).
_Vectors = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]


def _reach(
    starts: NDArray[np.int64], last: int, vectors: _Vectors, tolerance: float
) -> NDArray[np.int64]:
    """Return for each start the first sample, of some, whose cone has none of those before in it.

    Args:
        starts: int64 (n,), consecutive.
        last: Returned where there is no such sample.
        vectors: From starts to samples.
        tolerance: Length of a vector from which on it has a cone.
    """
    offsets = _offsets(len(starts))
    directions = np.zeros((len(offsets), len(starts), 3))
    angles = np.full((len(offsets), len(starts)), np.pi)
    reach = np.full(len(starts), last)
    open_ = np.arange(len(starts))
    for k, offset in enumerate(offsets):
        open_ = open_[starts[open_] + offset < last]
        here = vectors(starts[open_], starts[open_] + offset)
        length = np.maximum(np.sqrt((here**2).sum(axis=1)), tolerance)
        here /= length[:, None]
        angle = np.where(length > tolerance, np.arcsin(tolerance / length), np.pi)
        cosines = np.einsum('knd,nd->kn', directions[:k, open_], here)
        between = np.arccos(np.clip(cosines, -1.0, 1.0))
        apart = (between > angles[:k, open_] + angle + _SLACK).any(axis=0)
        reach[open_[apart]] = starts[open_[apart]] + offset
        directions[k, open_], angles[k, open_] = here, angle
        open_ = open_[~apart]
    return reach


def _offsets(count: int) -> list[int]:
    """Return 1, 2, 3 and so on, below a count, ever more sparsely."""
    offsets = [1] if count > 1 else []
    while offsets and (following := offsets[-1] + 1 + offsets[-1] // 8) < count:
        offsets.append(following)
    return offsets


def _fewest(route: Route, first: int, last: int) -> list[int]:
    """Return the fewest waypoints after `first` and up to `last`, ascending."""
    reach = route.reach(first, last)
    came = np.full(last + 1 - first, -1)
    level = np.array([first])
    while came[-1] < 0:
        found = []
        for start in level[::-1].tolist():
            fresh = came[start + 1 - first : reach[start - first] + 1 - first] < 0
            ends = start + 1 + np.flatnonzero(fresh)
            if len(ends):
                ends = ends[route.feasible(start, ends)]
                came[ends - first] = start
                found.append(ends)
            if came[-1] >= 0:
                break
        level = np.sort(np.concatenate(found))
    way = [last]
    while came[way[-1] - first] > first:
        way.append(int(came[way[-1] - first]))
    return way[::-1]
