# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments of labels that are told sample by sample, or whenever they change."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median_low
from typing import Final

from m2r2_ros.core.labels import Segment

#: Labels that stand for none.
NONE: Final = frozenset({'', 'none'})


def join_samples(stamps: Sequence[int], labels: Sequence[str], end: int) -> list[Segment]:
    """Return segments of samples, each of which holds until the next one.

    Args:
        stamps: Nanoseconds, not falling.
        labels: One for each; those in NONE are no label.
        end: Until when the last one holds, nanoseconds.
    """
    segments: list[Segment] = []
    for (start, until), label in zip(pairwise([*stamps, end]), labels, strict=True):
        if label.strip().lower() in NONE or until <= start:
            continue
        last = segments[-1] if segments else None
        if last is not None and (last.label, last.end) == (label, start):
            segments[-1] = Segment(last.start, until, label)
        else:
            segments.append(Segment(start, until, label))
    return segments


def sample_end(stamps: Sequence[int]) -> int:
    """Return where the last of some samples ends: one step of the others after its stamp."""
    if not stamps:
        return 0
    steps = [b - a for a, b in pairwise(stamps)]
    return stamps[-1] + (median_low(steps) if steps else 0)
