# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings and the labels that are exported with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.labels.sources import find_truths, own_truth
from m2r2_ros.bags.recording import expect_distinct_names, recording_name
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import UNKNOWN_LABEL, LabelSet, Segment
from m2r2_ros.core.text import listed


@dataclass(frozen=True, slots=True)
class Labelled:
    """A recording and its labels.

    Attributes:
        recording: Where it is.
        name: What it is called.
        segments: In order of start; without those that are unknown.
        label_set: Of which set they are; it holds every label that is used.
        source: Where the labels were read.
    """

    recording: Path
    name: str
    segments: tuple[Segment, ...]
    label_set: LabelSet
    source: Path


def labelled_recordings(recordings: Sequence[Path], labels: Sequence[Path] = ()) -> list[Labelled]:
    """Return recordings and their labels.

    Args:
        recordings: Recordings of different names.
        labels: Label bags, annotation layers, tables, or folders of them, matched by name; where
            there are none for a recording, its newest annotation layer counts, or its own truth.

    Raises:
        NoTruthError: A recording has no labels.
        M2R2Error: They cannot be read, or two recordings share a name.
    """
    expect_distinct_names(recordings)
    names = [recording_name(path) for path in recordings]
    found = find_truths(labels, names) if labels else {}
    if labels and found.keys().isdisjoint(names):
        msg = (
            f'{listed([str(path) for path in labels])}: no labels of {listed(names)} there, but of '
            f'{listed(sorted(found)) or "none"}; label first (m2r2 label)'
        )
        raise LabelError(msg)
    given = []
    for path, name in zip(recordings, names, strict=True):
        source = found.get(name) or own_truth(path)
        truth = source.read()
        segments = tuple(s for s in truth.segments if s.label not in ('', UNKNOWN_LABEL))
        known = truth.label_set
        given.append(Labelled(path, name, segments, _covering(known, segments), source.path))
    return given


def _covering(label_set: LabelSet | None, segments: Sequence[Segment]) -> LabelSet:
    """Return a label set with every label that is used; those it lacks come last, by alphabet."""
    names = label_set.names if label_set else ()
    parents = label_set.parents if label_set else ()
    extra = tuple(sorted({s.label for s in segments} - {*names}))
    return LabelSet((*names, *extra), (*parents, *('' for _ in extra)))
