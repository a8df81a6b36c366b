# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time without a label, with two, and labels from outside the recording."""

from collections.abc import Iterator, Sequence
from typing import Final

from m2r2_ros.checks.finding import Finding, Result, Severity
from m2r2_ros.checks.labels.catalogue import COVERAGE
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck, frame_of
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment
from m2r2_ros.core.text import excerpt
from m2r2_ros.core.time import SECOND

#: Stretches without a label that are listed, the longest ones.
_MOST_GAPS: Final = 20

Spans = list[tuple[int, int]]


def coverage_results(labels: LabelsUnderCheck, options: LabelOptions) -> Iterator[Result]:
    """Yield what is wrong with where labels are; results are of COVERAGE."""
    frame = frame_of(labels, options)
    yield from _unlabelled(labels, options, frame)
    yield from _overlaps(labels.segments)
    yield from _outside(labels, frame)


def _unlabelled(labels: LabelsUnderCheck, options: LabelOptions, frame: int) -> Iterator[Result]:
    first, last = labels.span
    gaps = _gaps(labels.known, first, last)
    missing = sum(end - start for start, end in gaps)
    share = missing / max(last - first, 1)
    if share <= options.unlabelled or not gaps:
        return
    gaps = [gap for gap in gaps if gap[1] - gap[0] > frame] or gaps
    unknown = [s for s in labels.segments if s.label in ('', UNKNOWN_LABEL)]
    for start, end in sorted(sorted(gaps, key=lambda gap: gap[0] - gap[1])[:_MOST_GAPS]):
        withheld = any(s.start < end and s.end > start for s in unknown)
        called = ' and is called unknown' if withheld else ''
        many = f'one of {len(gaps)} such stretches, ' if len(gaps) > 1 else ''
        yield Finding(
            COVERAGE,
            Severity.WARNING,
            f'{(end - start) / SECOND:.2f} s has no label{called}: {many}'
            f'{missing / SECOND:.2f} s of {(last - first) / SECOND:.2f} s in all',
            start=start,
            end=end,
            measured=100 * share,
            threshold=100 * options.unlabelled,
            unit='%',
        )


def _gaps(segments: Sequence[Segment], first: int, last: int) -> Spans:
    """Return where no segment is from `first` to `last`."""
    gaps, until = [], first
    for s in segments:
        if s.start > until:
            gaps.append((until, min(s.start, last)))
        until = max(until, s.end)
        if until >= last:
            break
    if until < last:
        gaps.append((until, last))
    return [(start, end) for start, end in gaps if end > start]


def _overlaps(segments: Sequence[Segment]) -> Iterator[Result]:
    longest: Segment | None = None
    for s in segments:
        if longest and s.start < longest.end and s.end > s.start:
            end = min(s.end, longest.end)
            yield Finding(
                COVERAGE,
                Severity.ERROR,
                f"'{excerpt(s.label)}' begins {(longest.end - s.start) / SECOND:.3f} s before "
                f"'{excerpt(longest.label)}' ends",
                topic=s.label,
                start=s.start,
                end=end,
                measured=(end - s.start) / SECOND,
                threshold=0.0,
                unit='s',
            )
        if longest is None or s.end > longest.end:
            longest = s


def _outside(labels: LabelsUnderCheck, frame: int) -> Iterator[Result]:
    first, last = labels.span
    for s in labels.segments:
        away = max(first - s.start, s.end - last)
        if away > frame:
            whole = s.end <= first or s.start >= last
            yield Finding(
                COVERAGE,
                Severity.ERROR if whole else Severity.WARNING,
                f"'{excerpt(s.label)}' lies {'' if whole else 'partly '}outside the recording, by "
                f'up to {away / SECOND:.2f} s',
                topic=s.label,
                start=s.start,
                end=s.end,
                measured=away / SECOND,
                threshold=frame / SECOND,
                unit='s',
            )
