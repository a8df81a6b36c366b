# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled recordings that show what is usual."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.checks.labels.events import SensedEvents
from m2r2_ros.checks.labels.offsets import Offsets, offsets_of
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment
from m2r2_ros.core.time import SECOND

#: Recordings that a reference is made of at most, evenly chosen among more.
MOST_EXAMPLES: Final = 200
#: Labels that follow each other within this time meet, nanoseconds.
MEET: Final = SECOND // 2


@dataclass(frozen=True, slots=True)
class Attempt:
    """A segment, and what was sensed in it.

    Attributes:
        label: Of the segment.
        seconds: How long it lasts.
        success: Whether it succeeded; None where that is not known.
        kinds: Kinds of events in it.
        told: Kinds of events that could be told in its recording.
    """

    label: str
    seconds: float
    success: bool | None
    kinds: frozenset[str]
    told: frozenset[str]


@dataclass(frozen=True, slots=True)
class LabelExample:
    """What one recording shows.

    Attributes:
        key: Which recording it is.
        attempts: Its segments.
        transitions: How often which label follows which, but after failed attempts.
        recoveries: How often which label follows which after failed attempts.
        offsets: Where its events lie about the edges of its labels.
        parents: Coarse label of each name.
    """

    key: str
    attempts: tuple[Attempt, ...]
    transitions: Mapping[tuple[str, str], int]
    recoveries: Mapping[tuple[str, str], int]
    offsets: Offsets
    parents: Mapping[str, str]


def example_of(labels: LabelsUnderCheck, events: SensedEvents | None, reach: float) -> LabelExample:
    """Return what a labelled recording shows.

    Args:
        labels: Its labels.
        events: What happened in it; None where that was not looked at.
        reach: An event so many seconds before or after a segment is still one of it.
    """
    seen = events or SensedEvents({})
    met = list(meetings(labels.segments))
    return LabelExample(
        labels.key,
        tuple(attempts_of(labels.known, seen, reach)),
        Counter((a.label, b.label) for a, b in met if a.success is not False),
        Counter((a.label, b.label) for a, b in met if a.success is False),
        offsets_of(labels.known, seen, labels.span),
        labels.parents,
    )


def attempts_of(
    segments: Sequence[Segment], events: SensedEvents, reach: float
) -> Iterable[Attempt]:
    """Yield segments with the kinds of events in them; see `example_of`."""
    wide = round(reach * SECOND)
    starts = np.array([s.start for s in segments], np.int64) - wide
    ends = np.array([s.end for s in segments], np.int64) + wide
    there = {
        kind: np.searchsorted(times, ends) > np.searchsorted(times, starts)
        for kind, times in events.times.items()
    }
    told = frozenset(events.times)
    for k, s in enumerate(segments):
        kinds = frozenset(kind for kind, found in there.items() if found[k])
        yield Attempt(s.label, (s.end - s.start) / SECOND, s.success, kinds, told)


def meetings(segments: Sequence[Segment]) -> Iterable[tuple[Segment, Segment]]:
    """Yield segments with a label and the ones with a label that follow at once."""
    for a, b in pairwise(segments):
        known = {a.label, b.label}.isdisjoint({'', UNKNOWN_LABEL})
        if known and abs(b.start - a.end) <= MEET:
            yield a, b


class LabelReference:
    """What is usual, by labelled recordings.

    Attributes:
        examples: What each of them shows.
    """

    def __init__(self, examples: Sequence[LabelExample]) -> None:
        """Take what recordings show; of very many, some."""
        step = max(1, -(-len(examples) // MOST_EXAMPLES))
        self.examples = tuple(examples[::step])

    def without(self, key: str) -> 'LabelReference':
        """Return what the recordings but one show, so that no fault justifies itself."""
        return LabelReference([example for example in self.examples if example.key != key])

    @cached_property
    def parents(self) -> dict[str, str]:
        """Coarse label of each name."""
        found: dict[str, str] = {}
        for example in self.examples:
            found |= example.parents
        return found

    @cached_property
    def attempts(self) -> dict[str, list[Attempt]]:
        """Segments by label."""
        found: dict[str, list[Attempt]] = {}
        for example in self.examples:
            for attempt in example.attempts:
                found.setdefault(attempt.label, []).append(attempt)
        return found

    def transitions(self, *, recoveries: bool) -> Counter[tuple[str, str]]:
        """Return how often which label follows which, after failed attempts too or without."""
        found: Counter[tuple[str, str]] = Counter()
        for example in self.examples:
            found.update(example.transitions)
            found.update(example.recoveries if recoveries else {})
        return found

    def attempts_like(
        self, label: str, parent: str, least: int
    ) -> tuple[str, list[Attempt]] | None:
        """Return segments of a class, or of its parent where there are too few, and which of both.

        Args:
            label: The class.
            parent: Its parent, '' without one.
            least: Segments that it takes.

        Returns:
            None where there are too few of both.
        """
        own = self.attempts.get(label, [])
        if len(own) >= least:
            return label, own
        family = [a for name in self.family(parent) for a in self.attempts.get(name, [])]
        return (parent, family) if len(family) >= least else None

    def family(self, parent: str) -> list[str]:
        """Return the labels of a parent, none of no parent."""
        return [name for name, own in self.parents.items() if own == parent] if parent else []


def learn_reference(
    labelled: Iterable[tuple[LabelsUnderCheck, SensedEvents | None]], reach: float = 0.3
) -> LabelReference:
    """Return what labelled recordings show to be usual.

    Args:
        labelled: Labels of recordings, with their events where they were looked at.
        reach: An event so many seconds before or after a segment is still one of it.
    """
    return LabelReference([example_of(labels, events, reach) for labels, events in labelled])


def durations(attempts: Sequence[Attempt]) -> NDArray[np.float64]:
    """Return how long segments last, (n,), s."""
    return np.array([attempt.seconds for attempt in attempts])
