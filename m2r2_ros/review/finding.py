# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of some folders is reviewed: recordings, each with the label bags that belong to it."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.labels.sources import LABELS, MERGED, labelled_recording
from m2r2_ros.bags.labels.topics import LABEL_SET_TOPIC, LABEL_TOPIC, SEGMENT_TOPIC
from m2r2_ros.bags.recording import recording_name

_LABEL_TOPICS = frozenset(
    topic.rpartition('/')[2] for topic in (LABEL_TOPIC, SEGMENT_TOPIC, LABEL_SET_TOPIC)
)


@dataclass(slots=True)
class Reviewed:
    """A recording that is to be reviewed.

    Attributes:
        path: The recording.
        name: What it is called in the list, which no other one is.
        labels: Label bags of it.
    """

    path: Path
    name: str
    labels: list[Path] = field(default_factory=list)


def find_reviewed(
    folders: Sequence[Path], labels: Sequence[Path], passed_over: Callable[[str], None]
) -> list[Reviewed]:
    """Return the recordings in some folders, by name; none is opened.

    Label bags of a recording that is there are no recordings, nor are copies of it with labels.

    Args:
        folders: Recordings, and folders of them.
        labels: Label bags, and folders of them.
        passed_over: Called with what is in the way in a folder.

    Raises:
        BagError: A path holds none, or does not exist.
    """
    found = find_recordings(folders, passed_over)
    own = {path: labelled_recording(path) for path in found if _has_suffix(recording_name(path))}
    names = {recording_name(path) for path in found if path not in own}
    derived = {path for path, name in own.items() if name in names}
    reviewed = _named([path for path in found if path not in derived])
    beside = [p for p in derived if not recording_name(p).endswith(MERGED)]
    given = find_recordings(labels, passed_over) if labels else []
    bags: dict[str, list[Path]] = {}
    known = {os.path.realpath(one.path) for one in reviewed}
    for bag in [*given, *sorted(beside)]:
        if (real := os.path.realpath(bag)) not in known:
            known.add(real)
            bags.setdefault(labelled_recording(bag, names), []).append(bag)
    for one in reviewed:
        one.labels = _one_of_each_folder(bags.get(recording_name(one.path), []))
    return reviewed


def holds_labels_alone(topics: Iterable[str]) -> bool:
    """Return whether a bag is one of labels or ground truth, and no recording."""
    names = {topic.rpartition('/')[2] for topic in topics}
    return bool(names) and names <= _LABEL_TOPICS


def _has_suffix(name: str) -> bool:
    return any(name.endswith(suffix) and name != suffix for suffix in LABELS)


def _one_of_each_folder(bags: Sequence[Path]) -> list[Path]:
    """Leave out the merged copy of a recording that has a label bag beside it."""
    chosen: dict[Path, Path] = {}
    for bag in sorted(bags, key=lambda bag: (len(bag.name), bag)):
        chosen.setdefault(bag.parent, bag)
    return list(chosen.values())


def _named(paths: Sequence[Path]) -> list[Reviewed]:
    """Name recordings; those of one name after the folders that they lie in, too."""
    names = [recording_name(path) for path in paths]
    often = Counter(names)
    shown = [
        name if often[name] == 1 else f'{path.absolute().parent.name}/{name}'
        for path, name in zip(paths, names, strict=True)
    ]
    again = Counter(shown)
    return [
        Reviewed(path, name if again[name] == 1 else str(path))
        for path, name in zip(paths, shown, strict=True)
    ]
