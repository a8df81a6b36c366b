# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels that follow others that they never follow elsewhere."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.labels.catalogue import GRAMMAR
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.labels.reference import LabelReference, meetings
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.text import excerpt

#: How often a label has to be there before anything is said about its neighbours, and how many
#: transitions it takes in all.
_KNOWN, _LEAST = 5, 200
#: A label that follows itself may be rarer than another one that it never met, since pauses do so.
_REPEATED: Final = 0.5

Transitions = Mapping[tuple[str, str], int]


class Neighbours:
    """How likely it is that one label follows another, by how often it did.

    Where it never did, the chance of a neighbour that was not seen so far is that of Witten and
    Bell, T / (N + T) for T different ones among N, shared out by how frequent labels are.
    """

    def __init__(self, transitions: Transitions) -> None:
        """Take how often which follows which."""
        self._seen = transitions
        self._count: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._different: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for pair, count in transitions.items():
            for side, label in enumerate(pair):
                self._count[side][label] += count
                self._different[side][label] += 1
        self._total = sum(transitions.values())
        self._labels = len({label for pair in transitions for label in pair})

    def chance(self, first: str, second: str) -> tuple[float, str, int]:
        """Return how likely `second` is after `first`, where 1 is as likely as any label.

        Returns:
            The chance by the one of both that knows its neighbours better, which one that is, and
            how many neighbours of it were seen; 1 where they did meet, or too little is known.
        """
        if self._seen.get((first, second)):
            return 1.0, '', 0
        found = [(1.0, '', 0)]
        for side, (label, other) in enumerate(((first, second), (second, first))):
            count, different = self._count[side][label], self._different[side][label]
            theirs = self._count[1 - side][other]
            if min(count, theirs) >= _KNOWN:
                share = (theirs + 1) / (self._total + 1)
                unseen = different / (count + different)
                found.append((unseen * share * self._labels, label, count))
        return min(found)


def grammar_results(
    labels: LabelsUnderCheck, reference: LabelReference, options: LabelOptions
) -> Iterator[Result]:
    """Yield transitions that the reference never has, of labels or of their parents.

    After an attempt that failed, anything may follow; where no outcome is known, that may be so of
    any attempt.
    """
    untold = all(s.success is None for s in labels.known)
    transitions = reference.transitions(recoveries=untold)
    count = transitions.total()
    if count < _LEAST:
        yield NotRun(
            GRAMMAR,
            f'labels follow each other {count} times in other labelled recordings, expected '
            f'{_LEAST}',
        )
        return
    parents = {**reference.parents, **labels.parents}
    levels: list[tuple[Mapping[str, str], Neighbours]] = [
        ({}, Neighbours(transitions)),
        (parents, Neighbours(_coarse(transitions, parents))),
    ]
    for a, b in meetings(labels.segments):
        limit = options.rare_transition * (_REPEATED if a.label == b.label else 1)
        found = (_unusual(a, b, *level, limit) for level in levels if a.success is not False)
        yield from islice((one for one in found if one), 1)


def _unusual(
    a: Segment, b: Segment, names: Mapping[str, str], neighbours: Neighbours, limit: float
) -> Finding | None:
    """Return that a segment follows another by names that never meet; None where they may."""
    first, second = (names.get(s.label) or s.label for s in (a, b))
    chance, about, count = neighbours.chance(first, second)
    if chance > limit:
        return None
    return Finding(
        GRAMMAR,
        Severity.WARNING,
        f"'{excerpt(second)}' follows '{excerpt(first)}', which it never does among {count} "
        f"neighbours of '{excerpt(about)}' in other recordings",
        topic=b.label,
        start=a.start,
        end=b.end,
        measured=chance,
        threshold=limit,
    )


def _coarse(transitions: Transitions, parents: Mapping[str, str]) -> Transitions:
    """Return how often which parent follows which; labels without one stand for themselves."""
    found: Counter[tuple[str, str]] = Counter()
    for (a, b), count in transitions.items():
        found[parents.get(a) or a, parents.get(b) or b] += count
    return found
