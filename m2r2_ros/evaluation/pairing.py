# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which label bag belongs to which ground truth: they share the name of the recording."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m2r2_ros.bags.labels.topics import GROUND_TRUTH, LABEL_TOPIC, SEGMENT_TOPIC
from m2r2_ros.bags.recording import find_recordings, open_recording
from m2r2_ros.core.errors import BagError, LabelError

MERGED: Final = '_labelled'
#: What may follow a recording's name in the name of its label bag, merged copy or truth file.
SUFFIXES: Final = ('_labels', '.labels', MERGED, '_truth')


@dataclass(frozen=True, slots=True)
class Pair:
    """The labels and the ground truth of one recording.

    Attributes:
        name: Name of the recording.
        labels: Bag with an ActionLabel topic.
        truth: Bag with ground truth, or CSV file.
    """

    name: str
    labels: Path
    truth: Path


def pair_recordings(
    labels: Sequence[Path], truths: Sequence[Path]
) -> tuple[list[Pair], tuple[str, ...]]:
    """Match label bags to ground truth by the name of the recording.

    Args:
        labels: Label bags, or folders that hold them; other bags in a folder are skipped.
        truths: Bags with ground truth, CSV files, or folders that hold them.

    Returns:
        The pairs in order of name, and the recordings that have a truth but no labels.

    Raises:
        BagError: A path neither is a recording nor holds one.
        LabelError: A label bag has no ground truth, or a recording has two of one kind.
    """
    label_bags = _by_name(_holding(labels, LABEL_TOPIC), 'labels')
    truth_files = _by_name(_truth_files(truths), 'truth')
    lost = sorted(set(label_bags) - set(truth_files))
    if lost or not label_bags:
        msg = (
            f'no ground truth for {", ".join(f"{n} ({label_bags[n]})" for n in lost)}'
            if lost
            else f'no label bags in {", ".join(map(str, labels))}: label first (m2r2 label)'
        )
        msg += f'; ground truth was found for {", ".join(sorted(truth_files)) or "nothing"}'
        msg += f'. Labels and truth match by name: R, R{", R".join(SUFFIXES)} belong to recording R'
        raise LabelError(msg)
    pairs = [Pair(name, label_bags[name], truth_files[name]) for name in sorted(label_bags)]
    return pairs, tuple(sorted(set(truth_files) - set(label_bags)))


def labelled_recording(path: Path) -> str:
    """Return the name of the recording that a bag, label bag, merged copy or CSV file is of."""
    name = path.stem if path.is_file() else path.name
    for suffix in SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix)
    return name


def _holding(paths: Sequence[Path], topic: str) -> list[Path]:
    """Return the recordings with a topic, and those given by path, so that an error names them."""
    named = {os.path.realpath(path) for path in paths}
    return [
        path
        for path in find_recordings(paths)
        if os.path.realpath(path) in named or topic in _topics(path, topic)
    ]


def _topics(path: Path, topic: str) -> Collection[str]:
    """Return the topics of a recording; `topic`, where only reading it can say what is wrong.

    So that one broken recording does not prevent the others from being scored.
    """
    try:
        return open_recording(path).topics
    except BagError:
        return (topic,)


def _truth_files(paths: Sequence[Path]) -> list[Path]:
    """Return the CSV files and bags with ground truth that `paths` are or hold."""
    found: list[Path] = []
    for path in paths:
        tables = sorted(path.glob('*.csv')) if path.is_dir() else [path]
        tables = [table for table in tables if table.suffix == '.csv']
        found += tables
        # A folder may hold tables, bags or both; one that holds neither is an error that names it.
        if not tables or any(file.suffix in {'.mcap', '.db3'} for file in path.rglob('*')):
            found += _holding([path], GROUND_TRUTH + SEGMENT_TOPIC)
    return found


def _by_name(paths: Sequence[Path], what: str) -> dict[str, Path]:
    """Index paths by recording; of neighbours in one folder the shortest name counts.

    A label bag lies beside the merged copy with the same labels, a recording with ground truth
    beside its merged copy.
    """
    found: dict[str, Path] = {}
    for path in sorted(paths, key=lambda p: (len(p.name), str(p))):
        name = labelled_recording(path)
        other = found.setdefault(name, path)
        if what == 'truth' and path.name.endswith(MERGED) and not other.name.endswith(MERGED):
            continue  # the truth in a merged copy is that of the recording
        if _folder(other) != _folder(path):
            msg = f'two {what} of recording {name}: {other} and {path}; give one of them'
            raise LabelError(msg)
    return found


def _folder(path: Path) -> Path:
    """Return where a path leads to; for a link that leads nowhere, to where that would be."""
    return Path(os.path.realpath(path)).parent
