# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segments of two layers, matched by label and place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Spans:
    """Segments that do not overlap, in order of time.

    Attributes:
        starts: int64 (n,), nanoseconds.
        ends: int64 (n,), nanoseconds.
        ids: int64 (n,), label ids.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True)
class SpanMatches:
    """How the segments of two layers match.

    Attributes:
        f1: F1, 0..1, for each tolerance, of segments that have the same label and both edges within
            it; None without segments.
        only_first: Segments of the first that none of the same label in the second overlaps.
        only_second: Segments of the second that none of the same label in the first overlaps.
    """

    f1: list[float | None]
    only_first: int
    only_second: int


def match_spans(first: Spans, second: Spans, tolerances: Sequence[int]) -> SpanMatches:
    """Match segments one to one; there are as many pairs as can be.

    Of segments that do not overlap, the earliest ones that reach each other can always be paired.

    Args:
        first: Segments.
        second: Others.
        tolerances: Nanoseconds.
    """
    total, common = len(first) + len(second), list(_by_label(first, second))
    pairs = [sum(_matches(a, b, t) for a, b in common) for t in tolerances]
    return SpanMatches(
        [2 * count / total if total else None for count in pairs],
        len(first) - sum(_touched(a, b) for a, b in common),
        len(second) - sum(_touched(b, a) for a, b in common),
    )


def _touched(first: Spans, second: Spans) -> int:
    """Return how many segments overlap one of the others."""
    begins = np.searchsorted(second.ends, first.starts, 'right')
    return int((begins < np.searchsorted(second.starts, first.ends)).sum())


def _matches(first: Spans, second: Spans, tolerance: int) -> int:
    """Return how many pairs of segments of one label there are at most."""
    low = np.maximum(
        np.searchsorted(second.starts, first.starts - tolerance, 'left'),
        np.searchsorted(second.ends, first.ends - tolerance, 'left'),
    )
    high = np.minimum(
        np.searchsorted(second.starts, first.starts + tolerance, 'right'),
        np.searchsorted(second.ends, first.ends + tolerance, 'right'),
    )
    free = pairs = 0
    near = low < high
    for least, most in zip(low[near].tolist(), high[near].tolist(), strict=True):
        place = max(free, least)
        if place < most:
            pairs, free = pairs + 1, place + 1
    return pairs


def _by_label(first: Spans, second: Spans) -> Iterator[tuple[Spans, Spans]]:
    """Yield the segments of each label that both have."""
    parts = [_parts(spans) for spans in (first, second)]
    for label in sorted(parts[0].keys() & parts[1].keys()):
        yield parts[0][label], parts[1][label]


def _parts(spans: Spans) -> dict[int, Spans]:
    order = np.argsort(spans.ids, kind='stable')  # which keeps the order of time
    ids, places = np.unique(spans.ids[order], return_index=True)
    return {
        int(label): Spans(spans.starts[own], spans.ends[own], spans.ids[own])
        for label, own in zip(ids, np.split(order, places[1:]), strict=bool(len(ids)))
    }
