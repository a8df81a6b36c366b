# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Layers of labels side by side on one clock, and the intervals in which nothing changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment
from m2r2_ros.core.time import SECOND
from m2r2_ros.evaluation.agreement_segments import Spans

_NO_LABEL: Final = ('', UNKNOWN_LABEL)
#: Between two recordings, more than any tolerance, nanoseconds.
_APART: Final = 3600 * SECOND
_MOST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Lanes:
    """Layers side by side.

    Attributes:
        names: Of the layers.
        labels: Names of the label ids.
        segments: Of each layer, without overlaps, from the start of the span, nanoseconds.
        edges: int64, of each layer: where a label begins or ends inside of the span, ascending.
        length: Of the span, nanoseconds.
    """

    names: list[str]
    labels: list[str]
    segments: list[Spans]
    edges: list[NDArray[np.int64]]
    length: int

    def intervals(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return what each layer says between any two edges.

        Returns:
            int64 (layers, n), label ids, -1 without a label; and int64 (n,), nanoseconds.
        """
        times = [t for s in self.segments for t in (s.starts, s.ends)]
        edges = np.unique(np.concatenate([np.array([0, self.length], np.int64), *times]))
        begins, lengths = edges[:-1], np.diff(edges)
        values = np.full((len(self.segments), len(begins)), -1, np.int64)
        for own, spans in zip(values, self.segments, strict=True):
            if len(spans):
                place = np.searchsorted(spans.starts, begins, 'right') - 1
                inside = (place >= 0) & (begins < spans.ends[place])
                own[inside] = spans.ids[place[inside]]
        return values, lengths


def lanes_of(
    layers: Mapping[str, Sequence[Segment]], span: tuple[int, int], names: Sequence[str]
) -> Lanes:
    """Put the layers of a recording side by side.

    Args:
        layers: Segments by name; where two overlap, the later start wins, as in `label_at`.
        span: What time counts, nanoseconds.
        names: Which layers, in order; one that is not there has no segments.
    """
    start, end = span
    length = max(end - start, 0)
    ids: dict[str, int] = {}
    segments, edges = [], []
    for name in names:
        spans = _flat(layers.get(name, ()), start, length, ids)
        found = np.unique(np.concatenate([spans.starts, spans.ends]))
        segments.append(spans)
        edges.append(found[(found > 0) & (found < length)])
    return Lanes(list(names), list(ids), segments, edges, length)


def join_lanes(recordings: Sequence[Lanes], names: Sequence[str]) -> Lanes:
    """Put recordings after each other, an hour without labels between them.

    Raises:
        LabelError: They last too long together.
    """
    labels = {
        name: k for k, name in enumerate(dict.fromkeys(n for r in recordings for n in r.labels))
    }
    offset = 0
    spans: list[list[Spans]] = [[] for _ in names]
    edges: list[list[NDArray[np.int64]]] = [[] for _ in names]
    for r in recordings:
        ids = np.array([labels[name] for name in r.labels], np.int64)
        for k, s in enumerate(r.segments):
            spans[k].append(Spans(s.starts + offset, s.ends + offset, ids[s.ids]))
            edges[k].append(r.edges[k] + offset)
        offset += r.length + _APART
        if offset > _MOST:
            msg = f'labels of {offset // SECOND} s together are compared: are their clocks right?'
            raise LabelError(msg)
    return Lanes(
        list(names),
        list(labels),
        [
            Spans(*(_joined([getattr(s, f) for s in own]) for f in ('starts', 'ends', 'ids')))
            for own in spans
        ],
        [_joined(own) for own in edges],
        offset,
    )


def _flat(segments: Sequence[Segment], start: int, length: int, ids: dict[str, int]) -> Spans:
    """Return segments without overlaps, clipped; `ids` gets the labels that it lacks."""
    ordered = sorted(segments, key=lambda s: s.start)
    starts = np.array([s.start for s in ordered], np.int64) - start
    ends = np.array([s.end for s in ordered], np.int64) - start
    if len(starts) > 1:
        np.minimum(ends[:-1], starts[1:], out=ends[:-1])
    starts, ends = np.maximum(starts, 0), np.minimum(ends, length)
    names = [-1 if s.label in _NO_LABEL else ids.setdefault(s.label, len(ids)) for s in ordered]
    found = np.array(names, np.int64)
    keep = (ends > starts) & (found >= 0)
    return Spans(starts[keep], ends[keep], found[keep])


def _joined(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *parts])
