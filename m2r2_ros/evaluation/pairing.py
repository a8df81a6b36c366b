# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which label bag belongs to which ground truth: they share the name of the recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.labels.sources import (
    SUFFIXES,
    Rank,
    TruthOptions,
    TruthSource,
    find_truths,
    folder_of,
    labelled_recording,
    topics_in,
)
from m2r2_ros.bags.labels.topics import LABEL_TOPIC
from m2r2_ros.bags.remote.places import real_name
from m2r2_ros.core.errors import LabelError


@dataclass(frozen=True, slots=True)
class Pair:
    """The labels and the ground truth of one recording.

    Attributes:
        name: Name of the recording.
        labels: Bag with an ActionLabel topic.
        truth: Where its ground truth is.
    """

    name: str
    labels: Path
    truth: TruthSource


@dataclass(frozen=True, slots=True)
class Pairing:
    """What belongs together, and what is alone.

    Attributes:
        pairs: In order of name.
        without_truth: Recordings that have labels alone.
        not_labelled: Recordings that have ground truth alone.
    """

    pairs: list[Pair]
    without_truth: tuple[str, ...]
    not_labelled: tuple[str, ...]


def pair_recordings(
    labels: Sequence[Path], truths: Sequence[Path], options: TruthOptions | None = None
) -> Pairing:
    """Match label bags to ground truth by the name of the recording.

    Args:
        labels: Label bags, or folders that hold them; other bags in a folder are skipped.
        truths: Recordings with ground truth, label bags, tables, or folders that hold them.
        options: How ground truth is read.

    Raises:
        BagError: A path neither is a recording nor holds one.
        LabelError: No label bag has ground truth, or a recording has two of one kind.
    """
    label_bags = _by_name(_holding(labels, LABEL_TOPIC))
    found = find_truths(truths, label_bags, options, list(label_bags.values()))
    lost = sorted(set(label_bags) - set(found))
    if len(lost) == len(label_bags):
        msg = (
            f'no ground truth for {", ".join(f"{n} ({label_bags[n]})" for n in lost)}'
            if lost
            else f'no label bags in {", ".join(map(str, labels))}: label first (m2r2 label)'
        )
        msg += f'; ground truth was found for {", ".join(sorted(found)) or "nothing"}'
        msg += f'. Labels and truth match by name: R, R{", R".join(SUFFIXES)} belong to recording R'
        raise LabelError(msg)
    pairs = [Pair(n, label_bags[n], found[n]) for n in sorted(label_bags) if n in found]
    alone = [n for n, source in found.items() if source.rank < Rank.SEGMENTS]
    return Pairing(pairs, tuple(lost), tuple(sorted(set(alone) - set(label_bags))))


def _holding(paths: Sequence[Path], topic: str) -> list[Path]:
    """Return the recordings with a topic, and those given by path, so that an error names them."""
    named = {real_name(path) for path in paths}
    return [
        path
        for path in find_recordings(paths)
        if real_name(path) in named or topic in topics_in(path, topic)
    ]


def _by_name(paths: Sequence[Path]) -> dict[str, Path]:
    """Index label bags by recording; of neighbours in one folder the shortest name counts.

    A label bag lies beside the merged copy with the same labels.
    """
    found: dict[str, Path] = {}
    for path in sorted(paths, key=lambda p: (len(p.name), str(p))):
        name = labelled_recording(path)
        other = found.setdefault(name, path)
        if folder_of(other) != folder_of(path):
            msg = f'two labels of recording {name}: {other} and {path}; give one of them'
            raise LabelError(msg)
    return found
