# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a row of labels is drawn from: the labels of all frames, or segments."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from m2r2_ros.bags.labels.reader import LabelTrack
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.evaluation.sequence import segments_of

#: Segments are in order of start.
Labels: TypeAlias = LabelTrack | Sequence[Segment]


def segments_in(labels: Labels) -> list[Segment]:
    """Return the segments of a row, in order of start."""
    if isinstance(labels, LabelTrack):
        return segments_of(labels.stamps, labels.labels)
    return list(labels)


def first_label_set(rows: Iterable[Labels]) -> LabelSet | None:
    """Return the first label set that a row has; None without any."""
    sets = (row.label_set for row in rows if isinstance(row, LabelTrack))
    return next(filter(None, sets), None)
