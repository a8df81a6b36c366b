# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What labels of some recordings hold: how often, how long, and in which order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from m2r2_ros.core.labels import Segment
from m2r2_ros.core.time import SECOND


@dataclass(frozen=True, slots=True)
class ClassStatistics:
    """What is known of the segments of a label.

    Attributes:
        segments: How many.
        recordings: How many recordings have one.
        total_s: How long they last together, seconds.
        median_s: Median duration, seconds.
        min_s: Shortest, seconds.
        max_s: Longest, seconds.
        succeeded: How many succeeded.
        failed: How many failed; of others it is not known.
    """

    segments: int
    recordings: int
    total_s: float
    median_s: float
    min_s: float
    max_s: float
    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class LabelStatistics:
    """What labels hold.

    Attributes:
        classes: By label: those of the set in its order, without those that do not occur, then
            others by alphabet.
        missing: Labels of the set that do not occur.
        transitions: How often a label follows on another in a recording, by both.
        recordings: How many recordings there are.
    """

    classes: dict[str, ClassStatistics]
    missing: tuple[str, ...]
    transitions: dict[tuple[str, str], int]
    recordings: int


def label_statistics(
    recordings: Mapping[str, Sequence[Segment]], names: Sequence[str] = ()
) -> LabelStatistics:
    """Count and measure labels.

    Args:
        recordings: Segments in order of start, by name of recording.
        names: Labels of the set, in order.
    """
    found: dict[str, list[tuple[str, Segment]]] = {}
    transitions: Counter[tuple[str, str]] = Counter()
    for recording, segments in recordings.items():
        transitions.update((a.label, b.label) for a, b in pairwise(segments))
        for segment in segments:
            found.setdefault(segment.label, []).append((recording, segment))
    order = [*(n for n in names if n in found), *sorted(found.keys() - {*names})]
    return LabelStatistics(
        {name: _of_class(found[name]) for name in order},
        tuple(name for name in names if name not in found),
        dict(transitions.most_common()),
        len(recordings),
    )


def _of_class(found: Sequence[tuple[str, Segment]]) -> ClassStatistics:
    lengths = [(s.end - s.start) / SECOND for _, s in found]
    return ClassStatistics(
        segments=len(found),
        recordings=len({recording for recording, _ in found}),
        total_s=sum(lengths),
        median_s=median(lengths),
        min_s=min(lengths),
        max_s=max(lengths),
        succeeded=sum(s.success is True for _, s in found),
        failed=sum(s.success is False for _, s in found),
    )
