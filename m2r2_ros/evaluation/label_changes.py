# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What differs between the segments of two layers: moved, renamed, split, joined, or missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Final

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment

#: What two segments of different labels share at least of the time that they cover, 0..1, to be
#: one that was renamed.
_RENAMED: Final = 0.5
#: Pairs of segments that overlap, of two layers.
MOST_OVERLAPS: Final = 2_000_000


class ChangeKind(str, Enum):
    """How a segment of the first layer differs in the second."""

    MOVED = 'moved'
    RENAMED = 'renamed'
    SPLIT = 'split'  # the second layer has more than one of its label there
    JOINED = 'joined'  # the first layer has more than one of its label there
    ONLY_FIRST = 'only first'
    ONLY_SECOND = 'only second'


@dataclass(frozen=True, slots=True)
class LabelChange:
    """A difference.

    Attributes:
        kind: Of it.
        first: Segment of the first layer; None where it has none.
        second: Segment of the second layer; None where it has none.
    """

    kind: ChangeKind
    first: Segment | None
    second: Segment | None

    @property
    def start(self) -> int:
        """Where it begins, nanoseconds."""
        return min(s.start for s in (self.first, self.second) if s is not None)

    @property
    def moved(self) -> tuple[int, int] | None:
        """How much later start and end are in the second layer, nanoseconds; None of one alone."""
        if self.first is None or self.second is None:
            return None
        return self.second.start - self.first.start, self.second.end - self.first.end


def label_changes(
    first: Sequence[Segment], second: Sequence[Segment], tolerance: int = 0
) -> list[LabelChange]:
    """Return what differs between two layers, in order of time.

    Segments that overlap are matched one to one: those of the same label first, and of these the
    ones that share most of the time that they cover.

    Args:
        first: Segments of a layer.
        second: Segments of another.
        tolerance: How far an edge may be off without having moved, nanoseconds.

    Raises:
        LabelError: So many segments overlap that comparing them would not end.
    """
    ours, theirs = _known(first), _known(second)
    found_pairs = list(islice(_overlaps(ours, theirs), MOST_OVERLAPS + 1))
    if len(found_pairs) > MOST_OVERLAPS:
        msg = f'more than {MOST_OVERLAPS} pairs of segments overlap: give layers without overlaps'
        raise LabelError(msg)
    pairs = sorted(found_pairs, key=lambda pair: pair[:2], reverse=True)
    mine, other = dict[int, int](), dict[int, int]()
    touched: tuple[set[int], set[int]] = set(), set()
    for same, share, i, j in pairs:
        if same:
            touched[0].add(i)
            touched[1].add(j)
        if i not in mine and j not in other and (same or share >= _RENAMED):
            mine[i], other[j] = j, i
    found = [c for i, j in mine.items() if (c := _change(ours[i], theirs[j], tolerance))]
    for i, segment in enumerate(ours):
        if i not in mine:
            kind = ChangeKind.JOINED if i in touched[0] else ChangeKind.ONLY_FIRST
            found.append(LabelChange(kind, segment, None))
    for j, segment in enumerate(theirs):
        if j not in other:
            kind = ChangeKind.SPLIT if j in touched[1] else ChangeKind.ONLY_SECOND
            found.append(LabelChange(kind, None, segment))
    return sorted(found, key=lambda change: change.start)


def _known(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments with a label, in order of start and end."""
    known = [s for s in segments if s.label not in ('', UNKNOWN_LABEL) and s.end > s.start]
    return sorted(known, key=lambda s: (s.start, s.end))


def _overlaps(
    first: Sequence[Segment], second: Sequence[Segment]
) -> Iterator[tuple[bool, float, int, int]]:
    """Yield segments that overlap: same label, share of the time they cover, and their places."""
    begin = 0
    latest = 0
    ends = []  # of all segments so far, the latest, so that those before can be passed over
    for s in second:
        latest = max(latest, s.end)
        ends.append(latest)
    for i, a in enumerate(first):
        while begin < len(second) and ends[begin] <= a.start:
            begin += 1
        for j in range(begin, len(second)):
            b = second[j]
            if b.start >= a.end:
                break
            shared = min(a.end, b.end) - max(a.start, b.start)
            if shared > 0:
                cover = max(a.end, b.end) - min(a.start, b.start)
                yield a.label == b.label, shared / cover, i, j


def _change(first: Segment, second: Segment, tolerance: int) -> LabelChange | None:
    if first.label != second.label:
        return LabelChange(ChangeKind.RENAMED, first, second)
    apart = max(abs(first.start - second.start), abs(first.end - second.end))
    return LabelChange(ChangeKind.MOVED, first, second) if apart > tolerance else None
