# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far the edges of two layers of labels lie apart."""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.time import SECOND

#: How far two edges may lie apart to be the same one, nanoseconds.
REACH: Final = 2 * SECOND
#: Times that pairs are looked for all at once, which settles most.
_ROUNDS: Final = 32


@dataclass(frozen=True, slots=True)
class EdgeDistance:
    """How far the edges of two layers lie apart.

    Edges are where a label begins or ends. The two that are closest to each other are a pair, then
    the two of the others that are, and so on up to REACH.

    Attributes:
        matched: Pairs.
        median: Median distance, seconds; None without pairs.
        mean: Mean distance, seconds.
        p95: 95th percentile of the distances, seconds.
        shift: Median of how much later those of the second layer are, seconds.
        only_first: Edges of the first layer without one in the second.
        only_second: Edges of the second layer without one in the first.
    """

    matched: int
    median: float | None
    mean: float | None
    p95: float | None
    shift: float | None
    only_first: int
    only_second: int


def edge_distance(first: NDArray[np.int64], second: NDArray[np.int64]) -> EdgeDistance:
    """Pair the edges of two layers.

    Args:
        first: int64 (m,), ascending, nanoseconds.
        second: int64 (n,), ascending, nanoseconds.
    """
    apart = closest_pairs(first, second, REACH) / SECOND
    pairs, size = len(apart), np.abs(apart)
    return EdgeDistance(
        matched=pairs,
        median=float(np.median(size)) if pairs else None,
        mean=float(size.mean()) if pairs else None,
        p95=float(np.percentile(size, 95)) if pairs else None,
        shift=float(np.median(apart)) if pairs else None,
        only_first=len(first) - pairs,
        only_second=len(second) - pairs,
    )


def closest_pairs(
    first: NDArray[np.int64], second: NDArray[np.int64], reach: int
) -> NDArray[np.int64]:
    """Return how much later the second is in each pair of points, int64 (k,).

    Of all points that are left, the closest two of different kind are always neighbours; of
    several, the earliest are taken.

    Args:
        first: int64 (m,), different, in any order.
        second: int64 (n,), likewise.
        reach: Largest distance of a pair.
    """
    times = np.concatenate([first, second])
    order = np.argsort(times, kind='stable')
    at, kind = times[order], order >= len(first)
    found = [np.zeros(0, np.int64)]
    for _ in range(_ROUNDS):
        if not len(at):
            break
        nearest, apart = _nearest(at, kind)
        own = np.arange(len(at))
        # Nothing that is left is closer to either of two that are nearest to each other.
        mutual = (nearest > own) & (nearest[nearest] == own) & (apart <= reach)
        taken = np.flatnonzero(mutual)
        if not len(taken):
            return np.concatenate(found)
        found.append(np.where(kind[taken], -apart[taken], apart[taken]))
        left = np.ones(len(at), np.bool_)
        left[taken] = left[nearest[taken]] = False
        at, kind = at[left], kind[left]
    found.append(_one_by_one(at.tolist(), kind.tolist(), reach))
    return np.concatenate(found)


def _nearest(
    at: NDArray[np.int64], kind: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the nearest point of the other kind, the earlier of two, and how far it is.

    Where there is none, it is the point itself, farther than any reach.
    """
    own = np.arange(len(at))
    turn = np.concatenate([[True], kind[1:] != kind[:-1], [True]])
    starts = np.flatnonzero(turn[:-1])  # of runs of one kind
    run = np.cumsum(turn[:-1]) - 1
    before, after = starts[run] - 1, np.append(starts[1:], len(at))[run]
    far = np.iinfo(np.int64).max
    back = np.where(before >= 0, at - at[np.maximum(before, 0)], far)
    ahead = np.where(after < len(at), at[np.minimum(after, len(at) - 1)] - at, far)
    apart = np.minimum(back, ahead)
    nearest = np.where(back <= ahead, before, after)
    return np.where(apart < far, nearest, own), apart


def _one_by_one(at: list[int], kind: list[bool], reach: int) -> NDArray[np.int64]:
    """Do the same for points of which few are settled at a time, such as those of two grids."""
    before, after = list(range(-1, len(at) - 1)), list(range(1, len(at) + 1))
    taken = [False] * len(at)
    heap = [
        (at[k + 1] - at[k], k, k + 1)
        for k in range(len(at) - 1)
        if kind[k] != kind[k + 1] and at[k + 1] - at[k] <= reach
    ]
    heapify(heap)
    found = []
    while heap:
        gap, a, b = heappop(heap)
        if taken[a] or taken[b]:
            continue
        taken[a] = taken[b] = True
        found.append(gap if kind[b] else -gap)
        left, right = before[a], after[b]
        if left >= 0:
            after[left] = right
        if right < len(at):
            before[right] = left
            if left >= 0 and kind[left] != kind[right] and at[right] - at[left] <= reach:
                heappush(heap, (at[right] - at[left], left, right))
    return np.array(found, np.int64)
