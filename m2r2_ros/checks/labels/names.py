# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels, ids and parents that the label set does not have so."""

from collections import Counter
from collections.abc import Iterator

from m2r2_ros.bags.labels.reader import LabelTrack
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.labels.catalogue import TAXONOMY
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck
from m2r2_ros.core.labels import UNKNOWN, LabelSet
from m2r2_ros.core.text import excerpt


def taxonomy_results(labels: LabelsUnderCheck) -> Iterator[Result]:
    """Yield which labels are not as the taxonomy or the label set has them; of TAXONOMY."""
    known = labels.taxonomy.label_set if labels.taxonomy else labels.label_set
    if known is None:
        yield NotRun(TAXONOMY, 'the labels come without a label set: give a taxonomy')
        return
    yield from _names(labels, known)
    yield from _parents(labels, known)
    if labels.track is not None:
        yield from _ids(labels.track)


def _names(labels: LabelsUnderCheck, known: LabelSet) -> Iterator[Result]:
    counts = Counter(s.label for s in labels.known)
    first = {s.label: s.start for s in reversed(labels.known)}
    last = {s.label: s.end for s in labels.known}
    for label in sorted(counts.keys() - {*known.names}):
        yield Finding(
            TAXONOMY,
            Severity.ERROR,
            f"'{excerpt(label)}' is no label of the set, and there {_counted(counts[label])} of it",
            topic=label,
            start=first[label],
            end=last[label],
            measured=float(counts[label]),
            threshold=0.0,
        )


def _counted(count: int) -> str:
    return 'is 1 segment' if count == 1 else f'are {count} segments'


def _parents(labels: LabelsUnderCheck, known: LabelSet) -> Iterator[Result]:
    """Yield labels whose parent is another one, and coarse labels that are no parents."""
    own, parents = labels.label_set, dict(zip(known.names, known.parents, strict=True))
    if own is not None and any(own.parents):
        for label, parent in zip(own.names, own.parents, strict=True):
            if parent != parents.get(label, parent):
                yield _wrong(
                    label,
                    f"'{excerpt(label)}' has the parent '{excerpt(parent)}', and in the taxonomy "
                    f"'{excerpt(parents[label])}'",
                )
    if labels.coarse is not None and any(known.parents):
        for coarse in sorted({s.label for s in labels.coarse} - {*known.parents}):
            yield _wrong(coarse, f"'{excerpt(coarse)}' is a coarse label, but no label's parent")


def _ids(track: LabelTrack) -> Iterator[Result]:
    """Yield labels of frames whose id is another label's."""
    if track.label_set is None:
        return
    names = track.label_set.names
    pairs = Counter(zip(track.label_ids.tolist(), track.labels, strict=True))
    for (number, label), count in sorted(pairs.items()):
        if number == UNKNOWN or (0 <= number < len(names) and names[number] == label):
            continue
        theirs = f"that of '{excerpt(names[number])}'" if 0 <= number < len(names) else "no label's"
        yield _wrong(label, f"'{excerpt(label)}' has the id {number}, {theirs}, in {count} frames")


def _wrong(label: str, message: str) -> Finding:
    return Finding(TAXONOMY, Severity.ERROR, message, topic=label)
