# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments without the events that those of their class and outcome have."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.labels.catalogue import MISSING
from m2r2_ros.checks.labels.events import VERBS, SensedEvents
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.labels.reference import Attempt, LabelReference, attempts_of
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck, frame_of
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.text import excerpt

_OUTCOME: Final = {True: 'successful ', False: 'failed ', None: ''}


def missing_results(
    labels: LabelsUnderCheck,
    reference: LabelReference,
    events: SensedEvents | None,
    options: LabelOptions,
) -> Iterator[Result]:
    """Yield segments that lack events, and those whose events are of the other outcome."""
    if events is None or not events.times:
        yield NotRun(MISSING, 'no gripper, motion or force is known: it takes one of these sensors')
        return
    judge = _Judge(labels, reference, events, options)
    if not any(map(judge.knows, labels.known)):
        yield NotRun(
            MISSING,
            f'expected {options.least_events} segments of a class and outcome in other labelled '
            'recordings with the same sensors, or a taxonomy that says what to expect',
        )
        return
    frame = frame_of(labels, options)
    first, last = labels.span[0] + frame, labels.span[1] - frame
    attempts = attempts_of(labels.known, events, options.reach)
    for segment, attempt in zip(labels.known, attempts, strict=True):
        if segment.start > first and segment.end < last and (why := judge.complaint(attempt)):
            yield _finding(segment, why)


class _Judge:
    """Knows what to expect of a segment."""

    def __init__(
        self,
        labels: LabelsUnderCheck,
        reference: LabelReference,
        events: SensedEvents,
        options: LabelOptions,
    ) -> None:
        self._labels, self._reference, self._options = labels, reference, options
        self._kinds = events.kinds

    def knows(self, segment: Segment) -> bool:
        """Return whether anything is known of what to expect of a segment."""
        taxonomy = self._labels.taxonomy
        found = taxonomy.find(segment.label) if taxonomy else None
        like = self._like(segment.label, segment.success)
        told = any(self._enough(own, kind) for _, own in like for kind in self._kinds)
        return told or (found is not None and bool(found.expects))

    def complaint(self, attempt: Attempt) -> str:
        """Return what is wrong with the events of a segment, '' for nothing."""
        return (
            self._by_reference(attempt)
            or self._by_other_outcome(attempt)
            or self._by_taxonomy(attempt)
        )

    def _by_reference(self, attempt: Attempt) -> str:
        for called, like in self._like(attempt.label, attempt.success):
            lacking = [k for k in self._kinds if k not in attempt.kinds and self._usual(like, k)]
            if lacking:
                said = ', '.join(f"'{kind}'" for kind in lacking)
                which = f"{len(like)} {_OUTCOME[attempt.success]}segments of '{excerpt(called)}'"
                return f'nothing like {said} was sensed in it, as in nearly all {which}'
        return ''

    def _by_other_outcome(self, attempt: Attempt) -> str:
        """Return what was sensed that only attempts of the other outcome have."""
        if attempt.success is None:
            return ''
        own = self._like(attempt.label, attempt.success)
        for called, other in self._like(attempt.label, not attempt.success):
            for kind in sorted(attempt.kinds):
                rare = any(
                    self._enough(like, kind) and _share(like, kind) <= self._options.unexpected
                    for _, like in own
                )
                if rare and self._usual(other, kind):
                    return (
                        f"it is said to be {_OUTCOME[attempt.success].strip()}, but '{kind}' was "
                        f'sensed in it, as in {_OUTCOME[not attempt.success]}segments of '
                        f"'{excerpt(called)}' alone"
                    )
        return ''

    def _by_taxonomy(self, attempt: Attempt) -> str:
        found = self._labels.taxonomy.find(attempt.label) if self._labels.taxonomy else None
        if found is None or attempt.success is False:
            return ''
        for event in found.expects:
            kinds = [kind for kind in self._kinds if kind.endswith(VERBS[event])]
            if kinds and not attempt.kinds.intersection(kinds):
                return f'no {event} was sensed in it, which the taxonomy expects'
        return ''

    def _usual(self, attempts: Sequence[Attempt], kind: str) -> bool:
        return self._enough(attempts, kind) and _share(attempts, kind) >= self._options.expected

    def _enough(self, attempts: Sequence[Attempt], kind: str) -> bool:
        return sum(kind in a.told for a in attempts) >= self._options.least_events

    def _like(self, label: str, success: bool | None) -> list[tuple[str, list[Attempt]]]:
        """Return segments of the same outcome and class, and of its family, if there are enough."""
        parent = self._labels.parents.get(label, '')
        groups = ((label, [label]), (parent, self._reference.family(parent)))
        found = [(called, _of(self._reference, names, success)) for called, names in groups]
        return [(called, like) for called, like in found if len(like) >= self._options.least_events]


def _of(reference: LabelReference, names: Collection[str], success: bool | None) -> list[Attempt]:
    found = [a for name in names for a in reference.attempts.get(name, ())]
    return found if success is None else [a for a in found if a.success is success]


def _share(attempts: Sequence[Attempt], kind: str) -> float:
    """Return the share of segments that have a kind of event, by Laplace's rule of succession.

    Those of recordings that cannot tell do not count.
    """
    told = [a for a in attempts if kind in a.told]
    return (sum(kind in a.kinds for a in told) + 1) / (len(told) + 2)


def _finding(segment: Segment, why: str) -> Finding:
    return Finding(
        MISSING,
        Severity.WARNING,
        why,
        topic=segment.label,
        start=segment.start,
        end=segment.end,
    )
