# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments that are too short or too long."""

from collections.abc import Iterator

import numpy as np

from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.labels.catalogue import DURATION
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.labels.reference import LabelReference, durations
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck, frame_of
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.text import excerpt
from m2r2_ros.core.time import SECOND


def duration_results(
    labels: LabelsUnderCheck, reference: LabelReference, options: LabelOptions
) -> Iterator[Result]:
    """Yield segments of unusual length; what the recording may have cut is not too short."""
    frame = frame_of(labels, options)
    first, last = labels.span[0] + frame, labels.span[1] - frame
    ranges = {
        label: _usual(labels, label, reference, options)
        for label in {s.label for s in labels.known}
    }
    for s in labels.known:
        seconds = (s.end - s.start) / SECOND
        whole = s.start > first and s.end < last
        usual = ranges[s.label]
        if seconds < options.shortest and whole:
            yield _finding(s, f'lasts {seconds:.3g} s', options.shortest)
        elif usual and seconds < usual[0] / options.duration_slack and whole:
            yield _finding(s, f'lasts {seconds:.3g} s, {usual[2]}', usual[0])
        elif usual and seconds > usual[1] * options.duration_slack:
            yield _finding(s, f'lasts {seconds:.3g} s, {usual[2]}', usual[1])
    few = sorted(label for label, usual in ranges.items() if usual is None)
    for label in few if len(few) < len(ranges) else ['']:
        yield NotRun(
            DURATION,
            f'whether segments are usual for their class: expected {options.least_durations} of '
            'it, or of its parent, in other labelled recordings',
            label,
        )


def _usual(
    labels: LabelsUnderCheck, label: str, reference: LabelReference, options: LabelOptions
) -> tuple[float, float, str] | None:
    """Return the range of durations of a class, s, and how it is told; None of too few."""
    found = reference.attempts_like(label, labels.parents.get(label, ''), options.least_durations)
    if found is None:
        return None
    tail = options.duration_tail
    low, high = np.quantile(durations(found[1]), (tail, 1 - tail)).tolist()
    share = f'{100 * (1 - 2 * tail):g} %'
    text = f"{share} of {len(found[1])} of '{excerpt(found[0])}' last {low:.3g} to {high:.3g} s"
    return low, high, text


def _finding(s: Segment, message: str, threshold: float) -> Finding:
    return Finding(
        DURATION,
        Severity.WARNING,
        message,
        topic=s.label,
        start=s.start,
        end=s.end,
        measured=(s.end - s.start) / SECOND,
        threshold=threshold,
        unit='s',
    )
