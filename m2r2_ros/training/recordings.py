# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings with their ground truth, and the one label set that they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.labels.reader import Truth
from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import LabelError, M2R2Error
from m2r2_ros.core.labels import LabelSet


@dataclass(frozen=True, slots=True)
class LabelledRecordings:
    """Recordings that are opened, and their ground truth.

    Attributes:
        pairs: Each recording and its ground truth.
        labels: All their labels.
    """

    pairs: tuple[tuple[Recording, Truth], ...]
    labels: LabelSet

    @property
    def labels_seen(self) -> tuple[str, ...]:
        """Labels of all segments, in order of their first appearance."""
        return tuple(dict.fromkeys(s.label for _, truth in self.pairs for s in truth.segments))


def open_labelled(
    bags: Sequence[Path], truths: Mapping[Path, TruthSource] | None = None
) -> LabelledRecordings:
    """Open recordings and read their ground truth.

    Args:
        bags: Recordings.
        truths: Where the ground truth of recordings is that do not hold it, by their paths.

    Raises:
        M2R2Error: A recording cannot be read, has no ground truth, or contradicts another one.
    """
    sources = truths or {}
    pairs: list[tuple[Recording, Truth]] = []
    failed: list[M2R2Error] = []
    for bag in bags:
        try:
            recording = open_recording(bag)
            pairs.append((recording, sources.get(bag, TruthSource(bag)).read()))
        except M2R2Error as error:
            failed.append(error)
    if len(failed) == 1:
        raise failed[0]
    if failed:
        count = f'{len(failed)} of {len(bags)} recordings cannot be used: leave them out'
        raise LabelError('\n  '.join([count, *map(str, failed)]))
    return LabelledRecordings(tuple(pairs), common_labels({r.path: truth for r, truth in pairs}))


def common_labels(truths: Mapping[Path, Truth]) -> LabelSet:
    """Return one label set for all: the recordings' own sets, then labels in none of these.

    Args:
        truths: By recording.

    Raises:
        LabelError: There are no labels, or a label has different parents.
    """
    parents: dict[str, str] = {}
    seen: dict[str, Path] = {}
    for path, truth in truths.items():
        own = truth.label_set or LabelSet((), ())
        for name, parent in zip(own.names, own.parents, strict=True):
            if parents.setdefault(name, parent) != parent:
                msg = (
                    f'label {name} is a {parents[name]!r} in {seen[name]} and a {parent!r} in '
                    f'{path}: its parent has to be the same in all recordings'
                )
                raise LabelError(msg)
            seen.setdefault(name, path)
    for truth in truths.values():
        for segment in truth.segments:
            parents.setdefault(segment.label, '')
    if not parents:
        msg = f'there is no segment in the ground truth of {", ".join(map(str, truths))}'
        raise LabelError(msg)
    return LabelSet(tuple(parents), tuple(parents.values()))
