# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Score label bags against ground truth."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.bags.labels.sources import TruthOptions
from m2r2_ros.core.errors import M2R2Error, NoTruthError
from m2r2_ros.evaluation.bootstrap import Interval, bootstrap
from m2r2_ros.evaluation.calibration import Reliability
from m2r2_ros.evaluation.classes import ClassScores, score_classes
from m2r2_ros.evaluation.detection import T_E
from m2r2_ros.evaluation.label_names import LabelNames
from m2r2_ros.evaluation.pairing import Pair, Pairing, pair_recordings
from m2r2_ros.evaluation.recording_counts import BACKGROUND, RecordingCounts, Rules, count_recording
from m2r2_ros.evaluation.score import Pool, Scores
from m2r2_ros.evaluation.tracks import parents_of, to_sequence

Level = Literal['fine', 'coarse']
#: Shares of the frames that the curve of the accuracy of those kept is told at.
SHARES: Final = np.arange(1, 101) / 100


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good the labels of a set of recordings are.

    Attributes:
        scores: Over all recordings.
        recordings: Scores of each recording, by name.
        classes: Precision, recall and confusion of the classes, over all recordings.
        labels: Which labels model and truth have in common.
        reliability: Labelled frames by the confidence of their label.
        accuracy_kept: float64, accuracy of the most confident share of the frames, for each of
            SHARES; NaN where no recording has confidences.
        intervals: 95 % bootstrap interval of each score; empty unless asked for.
        resamples: Resamples of the recordings that they are from.
        level: Level of the taxonomy that was scored.
        background: Labels that edit and F1 skipped.
        model_ids: Ids of the bundles that made the labels.
        not_labelled: Recordings that have ground truth but no labels; they are not in the scores.
        unreadable: Why others are not in the scores: their labels or truth cannot be read, or do
            not fit each other.
        without_truth: Recordings that have labels but no ground truth, or an empty one.
        notes: How the times of tables were understood, by recording.
    """

    scores: Scores
    recordings: dict[str, Scores]
    classes: ClassScores
    labels: LabelNames
    reliability: Reliability
    accuracy_kept: NDArray[np.float64]
    intervals: dict[str, Interval]
    resamples: int
    level: Level
    background: tuple[str, ...]
    model_ids: tuple[str, ...]
    not_labelled: tuple[str, ...]
    unreadable: tuple[str, ...] = ()
    without_truth: tuple[str, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)


def evaluate(
    labels: Sequence[Path],
    truths: Sequence[Path],
    *,
    background: Collection[str] = BACKGROUND,
    t_e: int = T_E,
    level: Level = 'fine',
    resamples: int = 0,
    options: TruthOptions | None = None,
) -> Evaluation:
    """Score label bags against ground truth.

    Args:
        labels: Label bags, or folders that hold them.
        truths: Recordings with ground truth, tables, or folders that hold them; matched to the
            label bags by recording name, see `pairing.pair_recordings`.
        background: Labels that edit and F1 skip, names of the level scored.
        t_e: Half width of the window of the detection rates, frames.
        level: 'fine' scores the labels as they are, 'coarse' their parents in the label set.
        resamples: Of the recordings, for the bootstrap intervals of the scores; 0 for none.
        options: How ground truth is read.

    Raises:
        BagError: No bag can be read.
        LabelError: Labels and truth do not fit each other.
        ConfigError: There are too few recordings for intervals.
    """
    pairing = pair_recordings(labels, truths, options)
    return evaluate_pairs(pairing, background=background, t_e=t_e, level=level, resamples=resamples)


def evaluate_pairs(
    pairing: Pairing,
    *,
    background: Collection[str] = BACKGROUND,
    t_e: int = T_E,
    level: Level = 'fine',
    resamples: int = 0,
) -> Evaluation:
    """Score label bags whose ground truth is known, see `evaluate`."""
    pairs = pairing.pairs
    rules = Rules(tuple(background), t_e)
    found = _Found(rules, parents_of(pairs) if level == 'coarse' else {})
    for pair in pairs:
        found.read(pair)
    if not found.counted:
        raise (found.unreadable or found.without_truth)[0]
    order = list(found.order)
    pool = Pool(list(found.counted.values()), rules)
    return Evaluation(
        scores=pool.scores(),
        recordings={name: Pool([own], rules).scores() for name, own in found.counted.items()},
        classes=score_classes([own.confusion for own in found.counted.values()], order),
        labels=LabelNames.of(found.said, found.true, order),
        reliability=pool.reliability(),
        accuracy_kept=pool.accuracy_kept(SHARES),
        intervals=bootstrap(pool, resamples) if resamples else {},
        resamples=resamples,
        level=level,
        background=tuple(background),
        model_ids=tuple(sorted(found.model_ids)),
        not_labelled=pairing.not_labelled,
        unreadable=tuple(map(str, found.unreadable)),
        without_truth=(*pairing.without_truth, *found.names_without_truth),
        notes=found.notes,
    )


class _Found:
    """What was found in the recordings, which are read one after another and not kept."""

    def __init__(self, rules: Rules, parents: Mapping[str, str]) -> None:
        self._rules, self._parents = rules, parents
        self.counted: dict[str, RecordingCounts] = {}
        self.unreadable: list[M2R2Error] = []
        self.without_truth: list[NoTruthError] = []
        self.names_without_truth: list[str] = []
        self.notes: dict[str, str] = {}
        self.model_ids: set[str] = set()
        self.order: dict[str, None] = {}  # labels as the label sets have them
        self.said: set[str] = set()  # by the model
        self.true: set[str] = set()

    def read(self, pair: Pair) -> None:
        """Read and score a recording."""
        try:
            track, truth = read_label_track(pair.labels), pair.truth.read(pair.labels)
            sequence = to_sequence(pair, track, truth, self._parents)
        except NoTruthError as error:
            self.without_truth.append(error)
            self.names_without_truth.append(pair.name)
            return
        except M2R2Error as error:
            self.unreadable.append(error)
            return
        if truth.note:
            self.notes[pair.name] = truth.note
        self.counted[pair.name] = count_recording(sequence, self._rules)
        self.model_ids.add(track.model_id)
        sayable, listed = (
            [self._parents.get(name, name) for name in labels.names] if labels else []
            for labels in (track.label_set, truth.label_set)
        )
        self.order.update(dict.fromkeys([*sayable, *listed]))
        self.said.update(sayable, sequence.predicted)
        self.true.update(segment.label for segment in sequence.truth_segments)
