# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far the review of one recording is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m2r2_ros.bags.labels.layers import Layer, annotations_of, layers_of
from m2r2_ros.bags.labels.reader import read_label_set, read_segments, read_truth
from m2r2_ros.bags.labels.topics import SEGMENT_TOPIC
from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.labels import UNKNOWN_LABEL, LabelSet, Segment
from m2r2_ros.pages.tidy import shortest

#: A segment whose mean confidence is lower is doubtful, as is one without a label.
DOUBTFUL: Final = 0.6

DONE, STARTED, DOUBT, TODO, UNREADABLE = STATES = (
    'done', 'started', 'doubtful', 'todo', 'unreadable',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What has been said of a recording by models or people.

    Attributes:
        segments: How many.
        doubtful: How many of them are doubtful.
        label_set: Of the source.
        shortest: How short suggestions may be beside it, s; 0 without segments.
    """

    segments: int = 0
    doubtful: int = 0
    label_set: LabelSet | None = None
    shortest: float = 0.0


@dataclass(frozen=True, slots=True)
class Layers:
    """The annotation layers of a recording.

    Attributes:
        changed: When a layer was added last, as the folder says; 0 without one.
        count: How many.
        newest: The newest; None without one.
        said: What it says.
    """

    changed: int = 0
    count: int = 0
    newest: Layer | None = None
    said: Said = Said()


def read_layers(recording: Path, before: Layers | None = None) -> Layers:
    """Return the layers of a recording; what was read before, where none came since."""
    try:
        changed = annotations_of(recording).stat().st_mtime_ns
    except OSError:
        changed = 0
    if before is not None and changed == before.changed:
        return before
    layers = layers_of(recording) if changed else []
    if not layers:
        return Layers(changed)
    try:
        truth = read_truth(layers[-1].path)
    except M2R2Error:
        return Layers(changed, len(layers), layers[-1])
    said = _said(truth.segments, truth.label_set)
    return Layers(changed, len(layers), layers[-1], said)


def read_labels(bags: Sequence[Path]) -> Said:
    """Return what the first of some label bags says that can be read."""
    for bag in bags:
        try:
            return _said(read_segments(bag, SEGMENT_TOPIC), read_label_set(bag))
        except M2R2Error:
            continue
    return Said()


def state_of(layers: Layers, labels: Said) -> str:
    """Return how far a recording is that can be read."""
    if layers.newest is not None:
        return DONE if layers.newest.provenance.done else STARTED
    return DOUBT if labels.doubtful else TODO


def _said(segments: Sequence[Segment], label_set: LabelSet | None) -> Said:
    doubtful = sum(s.label in {'', UNKNOWN_LABEL} or s.confidence < DOUBTFUL for s in segments)
    return Said(len(segments), doubtful, label_set, shortest(segments))
