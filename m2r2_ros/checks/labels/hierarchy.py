# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fine labels, coarse labels and phases that do not change together."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.labels.catalogue import HIERARCHY
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck, frame_of
from m2r2_ros.core.labels import Segment, label_at
from m2r2_ros.core.text import excerpt
from m2r2_ros.core.time import SECOND

Times = NDArray[np.int64]


def hierarchy_results(labels: LabelsUnderCheck, options: LabelOptions) -> Iterator[Result]:
    """Yield where labels, their parents and phases change at different times."""
    if labels.coarse is None and labels.phases is None:
        yield NotRun(HIERARCHY, 'neither coarse labels nor phases lie beside the labels')
        return
    frame = frame_of(labels, options)
    if labels.coarse is not None and any(labels.parents.values()):
        parents = [labels.parents.get(s.label, '') for s in labels.known]
        own = edges_of(labels.known, parents)
        theirs = edges_of(labels.coarse, [s.label for s in labels.coarse])
        yield from _apart(own, theirs, 'of parents', 'coarse label', frame)
        yield from _apart(theirs, own, 'of coarse labels', "label's parent", frame)
        yield from _names(labels, labels.coarse, parents)
    if labels.phases is not None:
        own = edges_of(labels.known, [s.label for s in labels.known])
        theirs = edges_of(labels.phases, [s.label for s in labels.phases])
        yield from _apart(own, theirs, 'of labels', 'phase', frame)


def edges_of(segments: Sequence[Segment], names: Sequence[str]) -> Times:
    """Return where runs of one name begin and end, int64 (n,), sorted, nanoseconds."""
    edges = {segments[0].start, segments[-1].end} if segments else set()
    for (a, first), (b, second) in pairwise(zip(segments, names, strict=True)):
        if first != second or a.end != b.start:
            edges |= {a.end, b.start}
    return np.array(sorted(edges), np.int64)


def _apart(own: Times, theirs: Times, of: str, what: str, frame: int) -> Iterator[Result]:
    """Yield one finding of all edges that are more than a frame from the nearest of another."""
    if not len(own) or not len(theirs):
        return
    after = np.clip(np.searchsorted(theirs, own), 0, len(theirs) - 1)
    before = np.maximum(after - 1, 0)
    distance = np.minimum(np.abs(theirs[after] - own), np.abs(theirs[before] - own))
    wrong = distance > frame
    if not wrong.any():
        return
    worst = int(np.argmax(distance))
    yield Finding(
        HIERARCHY,
        Severity.WARNING,
        f'{int(wrong.sum())} of {len(own)} edges {of} are more than a frame from where a {what} '
        f'begins or ends, {distance[worst] / SECOND:.3f} s at most',
        start=int(own[wrong][0]),
        end=int(own[wrong][-1]),
        measured=float(distance[worst]) / SECOND,
        threshold=frame / SECOND,
        unit='s',
    )


def _names(
    labels: LabelsUnderCheck, coarse: Sequence[Segment], parents: Sequence[str]
) -> Iterator[Result]:
    """Yield segments in whose middle the coarse label is not their parent."""
    middles = np.array([(s.start + s.end) // 2 for s in labels.known], np.int64)
    for s, parent, found in zip(labels.known, parents, label_at(coarse, middles), strict=True):
        if parent and found != parent:
            yield Finding(
                HIERARCHY,
                Severity.ERROR,
                f"'{excerpt(s.label)}' has the parent '{excerpt(parent)}', but "
                + (f"the coarse label is '{excerpt(found)}'" if found else 'no coarse label'),
                topic=s.label,
                start=s.start,
                end=s.end,
            )
