# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choosing by recordings that were not trained on: what is tried, and what is best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from m2r2_ros.network.network import Network
from m2r2_ros.training.choices import ExtractorChoice, HeadChoice
from m2r2_ros.training.data import TrainingData
from m2r2_ros.training.feature_set import FeatureTrack
from m2r2_ros.training.folds import Fold, kinds_to_leave_out
from m2r2_ros.training.stages import Stages
from m2r2_ros.training.train_head import TrainedHead

#: What heads are called in a log.
ONLINE: Final = 'online head'
OFFLINE: Final = 'offline head'
#: Points, of the mean of accuracy and F1@50 in percent, that a choice may be behind another one on
#: kinds of recordings that it knows, and still be taken for what it does on others.
LEEWAY: Final = 0.5
#: Points of the same mean that held-out recordings must have lost since their best epoch for a head
#: to be stopped there: a boundary more or less among a few recordings costs two, and a rate that
#: has gone down to 0 is worth more than that.
OVERFIT: Final = 3.0


@dataclass(frozen=True, slots=True)
class Trial:
    """Something that was tried, scored on held-out recordings; means over folds.

    Attributes:
        stage: `extractor`, `online head` or `offline head`.
        options: What was tried.
        accuracy: Share of frames, 0..1.
        f1: F1@50, percent.
        other_kinds: The mean of accuracy and F1@50, percent, on kinds of recordings that the head
            was not trained on; None where there are none.
        chosen: Whether it is what the model is made with.
    """

    stage: str
    options: dict[str, Any]
    accuracy: float
    f1: float
    other_kinds: float | None = None
    chosen: bool = False

    @property
    def value(self) -> float:
        """The mean of accuracy and F1@50, percent."""
        return mean_score(self.accuracy, self.f1)


@dataclass(frozen=True, slots=True)
class TrainedFold:
    """An extractor that has not seen some recordings.

    Attributes:
        title: What its stages are called.
        fold: Which.
        data: What it was trained on.
        network: The extractor, with the head that taught it.
        train: Features of the recordings that it was trained on.
        held_out: Features of the others.
    """

    title: str
    fold: Fold
    data: TrainingData
    network: Network
    train: tuple[FeatureTrack, ...]
    held_out: tuple[FeatureTrack, ...]


def train_fold(
    stages: Stages, title: str, choice: ExtractorChoice, data: TrainingData, fold: Fold
) -> TrainedFold:
    """Train an extractor without the held-out recordings of a fold."""
    given = stages.begin.extractor
    own = data.part(fold.train, given.normalisation if given else None)
    network = stages.extractor(f'{title}, extractor', choice, own)
    scales = own.normalisation
    held_out = [data.recordings[k] for k in fold.held_out]
    return TrainedFold(
        title,
        fold,
        own,
        network,
        stages.features(network, own.recordings, scales),
        stages.features(network, held_out, scales),
    )


def choose_extractor(
    stages: Stages,
    choices: Sequence[ExtractorChoice],
    probe: HeadChoice,
    data: TrainingData,
    fold: Fold,
) -> tuple[TrainedFold, ExtractorChoice, list[Trial]]:
    """Train every extractor on one fold and keep the one whose features a head learns best from.

    The default stays unless another one is better by more than LEEWAY.

    Args:
        stages: Trains.
        choices: What to try, the default first.
        probe: The head.
        data: All recordings.
        fold: What to hold out.
    """
    found = []
    for choice in choices:
        trained = train_fold(stages, f'fold 1 ({choice.title})', choice, data, fold)
        if len(choices) == 1:
            return trained, choice, []
        title = f'{trained.title}, {ONLINE} 1'
        head = stages.head(title, probe, trained.train, trained.held_out)
        accuracy, f1 = _best_look(head)
        found.append((Trial('extractor', choice.to_dict(), accuracy, f1), trained, choice))
    trials = [trial for trial, _, _ in found]
    best = best_of(trials)
    best = best if trials[best].value > trials[0].value + LEEWAY else 0
    return found[best][1], found[best][2], _marked(trials, best)


@dataclass(frozen=True, slots=True)
class ChosenHead:
    """The head that does best on held-out recordings.

    Attributes:
        choice: The head and how it is trained.
        epochs: Epochs that it takes where it is trained on all recordings.
        trials: All that was tried.
        heads: Of each fold, the chosen one after its best epoch.
    """

    choice: HeadChoice
    epochs: int
    trials: list[Trial]
    heads: list[TrainedHead]


def choose_head(
    stages: Stages,
    kind: str,
    choices: Sequence[HeadChoice],
    folds: Sequence[TrainedFold],
    data: TrainingData,
) -> ChosenHead:
    """Train heads on the folds; keep the one that does best on what it does not know.

    Where recordings are of several kinds, heads are also trained without each kind that the others
    have all labels of, and scored on it: who has learnt order and length by heart fails there.

    Args:
        stages: Trains.
        kind: ONLINE, OFFLINE or another name for the log.
        choices: What to try, the default first.
        folds: Features.
        data: All recordings.
    """
    if not folds:
        return ChosenHead(choices[0], choices[0].recipe.epochs, [], [])
    trained: list[list[TrainedHead]] = []
    trials = []
    for number, choice in enumerate(choices):
        heads = [
            stages.head(f'{fold.title}, {kind} {number + 1}', choice, fold.train, fold.held_out)
            for fold in folds
        ]
        accuracy, f1 = np.mean([_best_look(head) for head in heads], axis=0).tolist()
        others = None
        if len(choices) > 1:
            others = _on_other_kinds(stages, f'{kind} {number + 1}', choice, folds, data)
        trained.append(heads)
        trials.append(Trial(kind, choice.to_dict(), accuracy, f1, others))
    best = best_of(trials)
    epochs = round(float(np.mean([_epochs_of(head) for head in trained[best]])))
    return ChosenHead(choices[best], epochs, _marked(trials, best), trained[best])


def _on_other_kinds(
    stages: Stages,
    title: str,
    choice: HeadChoice,
    folds: Sequence[TrainedFold],
    data: TrainingData,
) -> float | None:
    """Return the mean score on kinds of recordings that the head was not trained on."""
    targets = [r.targets for r in data.recordings]
    values = []
    for fold in folds:
        features = dict(
            zip((*fold.fold.train, *fold.fold.held_out), (*fold.train, *fold.held_out), strict=True)
        )
        for k, (rest, own) in enumerate(kinds_to_leave_out(fold.fold, targets)):
            head = stages.head(
                f'{fold.title}, {title} without kind {k + 1}',
                choice,
                [features[n] for n in rest],
                [features[n] for n in own],
            )
            values.append(mean_score(*head.looks[-1][1:]))
    return float(np.mean(values)) if values else None


def mean_score(accuracy: float, f1: float) -> float:
    """Return the mean of accuracy, 0..1, and F1@50, percent, in percent."""
    return 50 * accuracy + f1 / 2


def _epochs_of(head: TrainedHead) -> int:
    """Return the last epoch that held-out recordings did not speak against."""
    values = {epoch: mean_score(accuracy, f1) for epoch, accuracy, f1 in head.looks}
    most = max(values.values())
    return max(epoch for epoch, value in values.items() if value >= most - OVERFIT)


def _best_look(head: TrainedHead) -> tuple[float, float]:
    """Return accuracy and F1@50 after the best epoch."""
    return next((a, f) for epoch, a, f in head.looks if epoch == head.best_epoch)


def best_of(trials: Sequence[Trial]) -> int:
    """Return which trial is best: on other kinds, among those that are good on known ones."""
    most = max(trial.value for trial in trials)
    good = [k for k, trial in enumerate(trials) if trial.value >= most - LEEWAY]
    if all(trial.other_kinds is None for trial in trials):
        return max(range(len(trials)), key=lambda k: trials[k].value)
    return max(good, key=lambda k: trials[k].other_kinds or 0.0)


def _marked(trials: Sequence[Trial], best: int) -> list[Trial]:
    return [
        Trial(t.stage, t.options, t.accuracy, t.f1, t.other_kinds, k == best)
        for k, t in enumerate(trials)
    ]
