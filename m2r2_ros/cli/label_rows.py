# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels and ground truth of one recording, as pictures and viewers show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.labels.reader import Truth, read_given_labels, read_label_track
from m2r2_ros.bags.labels.sources import TruthOptions, label_bags, names_of_bags
from m2r2_ros.bags.labels.topics import LABEL_TOPIC
from m2r2_ros.bags.recording import open_recording, recording_name
from m2r2_ros.cli.truths import say_notes, truth_sources
from m2r2_ros.core.errors import LabelError, NoTruthError
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.text import listed
from m2r2_ros.views.rows import Labels


@dataclass(frozen=True, slots=True)
class LabelRows:
    """What is known of a recording.

    Attributes:
        truth: True segments in order of start; empty without ground truth.
        rows: Labels by what their row is called.
        label_set: That of the first row or of the truth that has one, which sets the colours.
    """

    truth: list[Segment]
    rows: dict[str, Labels]
    label_set: LabelSet | None


def read_rows(
    recording: Path, labels: Sequence[Path], truth: Sequence[Path], options: TruthOptions
) -> LabelRows:
    """Read labels and ground truth: what is given, or what is in the recording itself.

    Args:
        recording: Of which.
        labels: Label bags, or folders of them.
        truth: Where ground truth is; with others that are passed over.
        options: How it is read.

    Raises:
        M2R2Error: What is given cannot be read, or is not of this recording.
    """
    bags = _label_bags(recording, labels)
    found: list[tuple[Labels, LabelSet | None, str]] = []
    for bag in bags:
        if LABEL_TOPIC in open_recording(bag).topics:
            track = read_label_track(bag)
            found.append((track, track.label_set, track.model_id))
        else:
            given = read_given_labels(bag)
            found.append((given.segments, given.label_set, ''))
    true = _truth(recording, truth, options)
    say_notes({recording_name(recording): true.note})
    sets = [*(label_set for _, label_set, _ in found), true.label_set]
    names = names_of_bags(bags, [model for _, _, model in found])
    rows = {name: row for name, (row, _, _) in zip(names, found, strict=True)}
    return LabelRows(true.segments, rows, next(filter(None, sets), None))


def _label_bags(recording: Path, given: Sequence[Path]) -> list[Path]:
    """Return the label bags of a recording; itself where it has labels and none are given."""
    own = recording_name(recording)
    if not given:
        return [recording] if LABEL_TOPIC in open_recording(recording).topics else []
    bags = label_bags(given, [own])
    if own not in bags:
        others = listed(sorted(bags)) or 'none'
        msg = (
            f'{", ".join(map(str, given))}: no labels of {own} there, but of {others}; label it '
            'first (m2r2 label)'
        )
        raise LabelError(msg)
    return bags[own]


def _truth(recording: Path, given: Sequence[Path], options: TruthOptions) -> Truth:
    try:
        return truth_sources(given, [recording], options)[recording].read()
    except NoTruthError:
        if given or options.stated or options.annotator:
            raise
        return Truth([], None)
