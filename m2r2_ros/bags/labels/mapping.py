# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mappings from labels to others: renamed, merged, split by rule, dropped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND

#: What becomes of labels that a mapping does not name.
KEPT, DROPPED, REFUSED = UNMAPPED = ('kept', 'dropped', 'refused')
#: Outcomes of an attempt by Segment.success.
OUTCOMES: Final = {True: 'success', False: 'failed', None: 'unknown'}
#: Places of a segment in the order of its recording.
FIRST, LAST = POSITIONS = ('first', 'last')


@dataclass(frozen=True, slots=True)
class Condition:
    """What a segment has to be like, all of it; what is None or empty does not matter.

    Attributes:
        outcome: One of OUTCOMES.
        shorter_than: Seconds that it lasts less than.
        longer_than: Seconds that it lasts more than.
        after: Labels, one of which the segment before it has.
        before: Labels, one of which the segment after it has.
        parent: Coarse labels, one of which its label has.
        position: FIRST or LAST of the recording.
        starts_before: Seconds from the start of the recording before which it begins.
        starts_after: Seconds from the start of the recording at or after which it begins.
    """

    outcome: str = ''
    shorter_than: float | None = None
    longer_than: float | None = None
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    parent: tuple[str, ...] = ()
    position: str = ''
    starts_before: float | None = None
    starts_after: float | None = None

    def holds(self, one: 'Placed') -> bool:
        """Return whether a segment is like this."""
        lasts, begins = one.segment.end - one.segment.start, one.begins
        return (
            self.outcome in ('', OUTCOMES[one.segment.success])
            and (self.shorter_than is None or lasts < self.shorter_than * SECOND)
            and (self.longer_than is None or lasts > self.longer_than * SECOND)
            and (not self.after or one.before in self.after)
            and (not self.before or one.after in self.before)
            and (not self.parent or one.parent in self.parent)
            and (self.position != FIRST or one.first)
            and (self.position != LAST or one.last)
            and (self.starts_before is None or begins < self.starts_before * SECOND)
            and (self.starts_after is None or begins >= self.starts_after * SECOND)
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """A segment among the others of its recording.

    Attributes:
        segment: It.
        begins: From the start of the recording, nanoseconds.
        before: Label of the segment before it, '' for none.
        after: Label of the segment after it, '' for none.
        parent: Its coarse label, '' without one.
        first: Whether it is the first.
        last: Whether it is the last.
    """

    segment: Segment
    begins: int
    before: str
    after: str
    parent: str
    first: bool
    last: bool


@dataclass(frozen=True, slots=True)
class MappingRule:
    """What becomes of segments that are like something.

    Attributes:
        to: Their label; '' drops them.
        when: What they are like.
        place: Where the file has it, for reports.
    """

    to: str
    when: Condition = Condition()
    place: str = ''


@dataclass(frozen=True, slots=True)
class LabelMapping:
    """A mapping.

    Attributes:
        name: Of it.
        rules: By label; the first one that holds counts.
        others: Rules for labels that are not among those.
        unmapped: What becomes of a segment without a rule that holds: KEPT, DROPPED or REFUSED.
        join: Whether segments that follow on each other become one where their labels differed and
            have become the same.
    """

    name: str
    rules: Mapping[str, Sequence[MappingRule]]
    others: Sequence[MappingRule] = ()
    unmapped: str = REFUSED
    join: bool = True

    @property
    def every_rule(self) -> Iterator[MappingRule]:
        """Yield all rules, in the order of the file."""
        for rules in self.rules.values():
            yield from rules
        yield from self.others

    @property
    def targets(self) -> tuple[str, ...]:
        """Labels that it gives, in the order of the file."""
        return tuple(dict.fromkeys(rule.to for rule in self.every_rule if rule.to))


@dataclass(slots=True)
class MappingReport:
    """What a mapping has done.

    Attributes:
        mapped: Segments by old and new label, by rule.
        dropped: Segments that a rule dropped, by label.
        unmapped: Segments without a rule that holds, by label.
        joined: Segments that became part of the one before them.
    """

    mapped: dict[tuple[str, str, str], int] = field(default_factory=dict)
    dropped: dict[tuple[str, str], int] = field(default_factory=dict)
    unmapped: dict[str, int] = field(default_factory=dict)
    joined: int = 0

    def add(self, other: 'MappingReport') -> None:
        """Add what was done to another recording."""
        _add(self.mapped, other.mapped)
        _add(self.dropped, other.dropped)
        _add(self.unmapped, other.unmapped)
        self.joined += other.joined

    def unused(self, mapping: LabelMapping) -> list[str]:
        """Return the places of rules that no segment matched."""
        used = {place for _, _, place in self.mapped} | {place for _, place in self.dropped}
        return [rule.place for rule in mapping.every_rule if rule.place not in used]


def apply_mapping(
    mapping: LabelMapping,
    segments: Sequence[Segment],
    parents: Mapping[str, str],
    start: int,
) -> tuple[list[Segment], MappingReport]:
    """Give segments other labels.

    Args:
        mapping: The mapping.
        segments: In order of start.
        parents: Coarse label of each label that has one.
        start: Of the recording, nanoseconds.

    Returns:
        Segments in order of start, and what was done.

    Raises:
        LabelError: A label has no rule that holds, and the mapping refuses those.
    """
    report = MappingReport()
    found: list[tuple[str, Segment]] = []
    for one in _placed(segments, parents, start):
        old = one.segment.label
        rules = mapping.rules.get(old, mapping.others)
        rule = next((rule for rule in rules if rule.when.holds(one)), None)
        if rule is None:
            report.unmapped[old] = report.unmapped.get(old, 0) + 1
            if mapping.unmapped == KEPT:
                found.append((old, one.segment))
        elif not rule.to:
            _add(report.dropped, {(old, rule.place): 1})
        else:
            _add(report.mapped, {(old, rule.to, rule.place): 1})
            found.append((old, replace(one.segment, label=rule.to)))
    if report.unmapped and mapping.unmapped == REFUSED:
        named = [f'{label} ({count})' for label, count in sorted(report.unmapped.items())]
        msg = (
            f'no rule of {mapping.name} holds for segments of {listed(named, 12)}: name their '
            f'labels there, or say `unmapped: {KEPT}` or `{DROPPED}`'
        )
        raise LabelError(msg)
    return (_joined(found, report) if mapping.join else [s for _, s in found]), report


def _placed(
    segments: Sequence[Segment], parents: Mapping[str, str], start: int
) -> Iterator[Placed]:
    labels = ['', *(s.label for s in segments), '']
    for k, segment in enumerate(segments):
        yield Placed(
            segment,
            segment.start - start,
            labels[k],
            labels[k + 2],
            parents.get(segment.label, ''),
            first=k == 0,
            last=k == len(segments) - 1,
        )


def _joined(found: Sequence[tuple[str, Segment]], report: MappingReport) -> list[Segment]:
    """Join neighbours whose labels have become the same; attempts of one label stay apart."""
    segments: list[Segment] = []
    before = ''
    for old, segment in found:
        last = segments[-1] if segments else None
        meets = last is not None and last.end == segment.start and last.label == segment.label
        if last is not None and meets and old != before:
            segments[-1] = _together(last, segment)
            report.joined += 1
        else:
            segments.append(segment)
        before = old
    return segments


def _together(one: Segment, other: Segment) -> Segment:
    """Return two segments as one: it failed where one did, and succeeded where both did."""
    lengths = (one.end - one.start, other.end - other.start)
    mean = one.confidence * lengths[0] + other.confidence * lengths[1]
    outcomes = {one.success, other.success}
    success = False if False in outcomes else True if outcomes == {True} else None
    return replace(one, end=other.end, confidence=mean / max(sum(lengths), 1), success=success)


def _add(counts: dict, more: Mapping) -> None:  # type: ignore[type-arg]
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count
