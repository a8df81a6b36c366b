# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels without flicker, as suggestions to a person: each short segment costs an edit otherwise.

The hold rule of a live robot delays boundaries. Where the whole recording is there, a segment that
is too short goes to the neighbour that its frames find likelier.
"""

import heapq
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.reader import LabelTrack
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment
from m2r2_ros.evaluation.runs import runs_of

#: Suggestions are at least half as long as all but so many percent of people's segments.
_FEW: Final = 5


def shortest(segments: Sequence[Segment]) -> float:
    """Return how short a suggestion may be where people make such segments, s; 0 without any."""
    lengths = [(s.end - s.start) * 1e-9 for s in segments]
    return float(np.percentile(lengths, _FEW)) / 2 if lengths else 0.0


def tidied(track: LabelTrack, least: float) -> LabelTrack:
    """Return labels of which no run is shorter than `least`, where that can be helped.

    The shortest run is given away first; frames without a label count as a label of their own.

    Args:
        track: Labels frame by frame, with a label set and probabilities; without them they stay as
            they are.
        least: Seconds.
    """
    ids, width = track.label_ids, track.probabilities.shape[1]
    names = track.label_set.names if track.label_set else ()
    if not least or len(ids) < 2 or not width or len(names) != width or ids.max() >= width:
        return track
    merged = _Runs(ids, track.stamps, track.probabilities).merged(round(least * 1e9))
    changed = merged != ids
    own = track.probabilities[np.arange(len(ids)), np.maximum(merged, 0)]
    return replace(
        track,
        label_ids=merged,
        labels=[names[k] if k >= 0 else UNKNOWN_LABEL for k in merged.tolist()],
        confidences=np.where(changed, np.where(merged >= 0, own, 0), track.confidences),
        reasons=['' if k >= 0 else r for k, r in zip(merged.tolist(), track.reasons, strict=True)]
        if track.reasons
        else [],
    )


class _Runs:
    """Runs of equal labels, in a list whose items know their neighbours."""

    def __init__(
        self,
        ids: NDArray[np.int64],
        stamps: NDArray[np.int64],
        probabilities: NDArray[np.float32],
    ) -> None:
        starts = runs_of(ids).starts
        self._ids: list[int] = ids[starts].tolist()
        self._first: list[int] = starts.tolist()
        self._end = [*self._first[1:], len(ids)]
        count = len(self._ids)
        self._before = list(range(-1, count - 1))
        self._after = [*range(1, count), -1]
        step = int(np.median(np.diff(stamps)))
        self._times: list[int] = [*stamps.tolist(), int(stamps[-1]) + step]
        # What frames lack of 1 is the probability that they have no label.
        missing = np.clip(1 - probabilities.sum(axis=1, keepdims=True), 0, 1)
        columns = np.concatenate([probabilities, missing], axis=1, dtype=np.float64)
        self._sums = np.concatenate([np.zeros((1, columns.shape[1])), np.cumsum(columns, axis=0)])

    def merged(self, least: int) -> NDArray[np.int64]:
        """Give away runs that last less than `least` nanoseconds; return the ids of all frames."""
        queue = [(self._length(k), k) for k in range(len(self._ids))]
        heapq.heapify(queue)
        gone: set[int] = set()
        while queue:
            length, k = heapq.heappop(queue)
            if k in gone or length != self._length(k):
                continue
            neighbours = [j for j in (self._before[k], self._after[k]) if j >= 0]
            if length >= least or not neighbours:
                break
            chosen = max(neighbours, key=lambda j: self._likelihood(k, self._ids[j]))
            self._ids[k] = self._ids[chosen]
            for j in neighbours:
                if self._ids[j] == self._ids[k]:
                    self._join(k, j)
                    gone.add(j)
            heapq.heappush(queue, (self._length(k), k))
        found = np.empty(len(self._times) - 1, np.int64)
        for k, label in enumerate(self._ids):
            if k not in gone:
                found[self._first[k] : self._end[k]] = label
        return found

    def _length(self, k: int) -> int:
        start, end = self._first[k], self._end[k]
        length: int = self._times[end] - self._times[start]
        return length

    def _likelihood(self, k: int, label: int) -> float:
        """Return the probability that the frames of a run give a label in all; -1 is of none."""
        total = self._sums[self._end[k], label] - self._sums[self._first[k], label]
        return float(total)

    def _join(self, k: int, other: int) -> None:
        """Make a neighbour a part of a run."""
        self._first[k] = min(self._first[k], self._first[other])
        self._end[k] = max(self._end[k], self._end[other])
        if other == self._before[k]:
            self._before[k] = self._before[other]
            if self._before[k] >= 0:
                self._after[self._before[k]] = k
        else:
            self._after[k] = self._after[other]
            if self._after[k] >= 0:
                self._before[self._after[k]] = k
