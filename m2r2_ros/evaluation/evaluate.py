# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Score label bags against ground truth."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.reader import LabelTrack, Truth, read_label_track, read_truth
from m2r2_ros.core.errors import LabelError, M2R2Error
from m2r2_ros.core.labels import UNKNOWN, LabelSet
from m2r2_ros.evaluation.classes import ClassScores, score_classes
from m2r2_ros.evaluation.detection import T_E
from m2r2_ros.evaluation.pairing import Pair, pair_recordings
from m2r2_ros.evaluation.score import BACKGROUND, Scores, score
from m2r2_ros.evaluation.sequence import ScoredSequence

Level = Literal['fine', 'coarse']


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good the labels of a set of recordings are.

    Attributes:
        scores: Over all recordings.
        recordings: Scores of each recording, by name.
        classes: Precision, recall and confusion of the classes, over all recordings.
        level: Level of the taxonomy that was scored.
        background: Labels that edit and F1 skipped.
        model_ids: Ids of the bundles that made the labels.
        not_labelled: Recordings that have ground truth but no labels; they are not in the scores.
        unreadable: Why others are not in the scores: their labels or truth cannot be read.
    """

    scores: Scores
    recordings: dict[str, Scores]
    classes: ClassScores
    level: Level
    background: tuple[str, ...]
    model_ids: tuple[str, ...]
    not_labelled: tuple[str, ...]
    unreadable: tuple[str, ...] = ()


def evaluate(
    labels: Sequence[Path],
    truths: Sequence[Path],
    *,
    background: Collection[str] = BACKGROUND,
    t_e: int = T_E,
    level: Level = 'fine',
) -> Evaluation:
    """Score label bags against ground truth.

    Args:
        labels: Label bags, or folders that hold them.
        truths: Bags with ground truth, CSV files, or folders that hold them; matched to the label
            bags by recording name, see `pairing.pair_recordings`.
        background: Labels that edit and F1 skip, names of the level scored.
        t_e: Half width of the window of the detection rates, frames.
        level: 'fine' scores the labels as they are, 'coarse' their parents in the label set.

    Raises:
        BagError: No bag can be read.
        LabelError: Labels and truth do not fit each other.
    """
    pairs, not_labelled = pair_recordings(labels, truths)
    read: list[tuple[Pair, LabelTrack, Truth]] = []
    unreadable: list[M2R2Error] = []
    for pair in pairs:
        try:
            read.append((pair, read_label_track(pair.labels), read_truth(pair.truth)))
        except M2R2Error as error:
            unreadable.append(error)
    if not read:
        raise unreadable[0]
    sets = [s for _, track, truth in read for s in (track.label_set, truth.label_set) if s]
    parents = _parents(sets) if level == 'coarse' else {}
    tracks = [_sequence(*entry, parents) for entry in read]
    for track, (pair, *_) in zip(tracks, read, strict=True):
        _expect_overlap(track, pair)
    order = dict.fromkeys(parents.get(name, name) for s in sets for name in s.names)
    return Evaluation(
        scores=score(tracks, background=background, t_e=t_e),
        recordings={t.name: score([t], background=background, t_e=t_e) for t in tracks},
        classes=score_classes(tracks, list(order)),
        level=level,
        background=tuple(background),
        model_ids=tuple(sorted({track.model_id for _, track, _ in read})),
        not_labelled=not_labelled,
        unreadable=tuple(map(str, unreadable)),
    )


def lag_seconds(stamps: NDArray[np.int64], revision_lags: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how much later than its stamp each frame was labelled, float64 (n,), seconds.

    Args:
        stamps: int64 (n,), frame stamps, nanoseconds.
        revision_lags: int64 (n,), frames seen after each one before it was labelled; a lag that
            reaches past the last frame ends there.
    """
    seen = np.minimum(np.arange(len(stamps)) + revision_lags, len(stamps) - 1)
    lag: NDArray[np.float64] = (stamps[seen] - stamps) / 1e9
    return lag


def _sequence(
    pair: Pair, track: LabelTrack, truth: Truth, parents: Mapping[str, str]
) -> ScoredSequence:
    names = [
        '' if k == UNKNOWN else parents.get(name, name)
        for k, name in zip(track.label_ids, track.labels, strict=True)
    ]
    segments = [replace(s, label=parents.get(s.label, s.label)) for s in truth.segments]
    lag = lag_seconds(track.stamps, track.revision_lags)
    return ScoredSequence(pair.name, track.stamps, names, segments, lag)


def _parents(label_sets: Sequence[LabelSet]) -> dict[str, str]:
    parents = {
        name: parent or name
        for labels in label_sets
        for name, parent in zip(labels.names, labels.parents, strict=True)
    }
    if all(name == parent for name, parent in parents.items()):
        msg = (
            'the coarse level needs a label set with parents, and neither the label bags nor the '
            'ground truth have one: score the fine level'
        )
        raise LabelError(msg)
    return parents


def _expect_overlap(track: ScoredSequence, pair: Pair) -> None:
    if not track.labelled.any():
        msg = (
            f'{pair.labels} and {pair.truth} have no time in common: expected labels and truth of '
            f'{pair.name} on the same clock, nanoseconds since 1970'
        )
        raise LabelError(msg)
