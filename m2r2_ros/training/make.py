# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose, then make: one extractor, an online and an offline head on its features."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from m2r2_ros.model.familiarity import Familiarity
from m2r2_ros.model.head_config import HeadConfig
from m2r2_ros.network.attach import attach_head
from m2r2_ros.network.bundle import Bundle
from m2r2_ros.network.heads.base import Head
from m2r2_ros.training.choices import (
    ExtractorChoice,
    HeadChoice,
    Wishes,
    extractor_choices,
    offline_choice,
    online_choices,
    with_lags,
    with_relative_pose,
)
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.data import TrainingData
from m2r2_ros.training.folds import Fold
from m2r2_ros.training.judge import Judged, better_of, judge
from m2r2_ros.training.know import measure
from m2r2_ros.training.learn_decoding import Comparison
from m2r2_ros.training.search import (
    OFFLINE,
    ONLINE,
    ChosenHead,
    TrainedFold,
    Trial,
    choose_extractor,
    choose_head,
    train_fold,
)
from m2r2_ros.training.stages import Begin, Stages

#: Held-out recordings without which extractors are not compared: one or two say little.
FEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class Made:
    """A model, and how it came to be.

    Attributes:
        extractor: How its extractor was trained.
        whole: The extractor, what it was trained on and what it makes of that.
        heads: The online head, then the offline one, with their shapes.
        trials: All that was tried.
        rules: How labels are decided, and what was compared.
        familiarity: What the model knows of its training set.
    """

    extractor: ExtractorChoice
    whole: TrainedFold
    heads: list[tuple[HeadConfig, Head]]
    trials: list[Trial]
    rules: Comparison
    familiarity: Familiarity

    def bundle(self, begin: Begin, preset: str) -> Bundle:
        """Return the model as a bundle.

        Args:
            begin: What its training began with.
            preset: Name of the preset that its shapes came from.
        """
        model = with_relative_pose(begin.model, self.extractor)
        bundle = self.whole.data.bundle(
            self.whole.network, {}, preset=preset, model=model, windows=begin.windows
        )
        for config, head in self.heads:
            bundle = attach_head(bundle, config, head)
        return replace(bundle, decoding=self.rules.decoding.to_dict(), familiarity=self.familiarity)


def make_model(
    stages: Stages,
    data: TrainingData,
    own: Sequence[int],
    folds: Sequence[Fold],
    config: TrainConfig,
    wishes: Wishes,
) -> Made:
    """Choose by the folds, then train on all recordings that are not for validation alone.

    Args:
        stages: Trains.
        data: All recordings.
        own: Numbers of those to train the model on.
        folds: What to hold out; none where there is nothing to choose by.
        config: Options of the extractor's training that are not chosen.
        wishes: What the user decides.
    """
    given = stages.begin.extractor
    recordings = [data.recordings[k] for k in own]
    fixed = given.model.relative_pose if given else None
    choices = extractor_choices(config, wishes, recordings, fixed=fixed)
    online = online_choices(stages.begin.model.head, wishes, len(own))
    offline = offline_choice(wishes, len(own))
    trained, extractor, trials = _train_folds(stages, choices, online[0], data, folds)
    whole = next((fold for fold in trained if fold.fold.train == tuple(own)), None)
    final = whole or train_fold(stages, 'model', extractor, data, Fold(tuple(own), ()))
    whole_head = choose_head(stages, OFFLINE, [offline], trained, data)
    live, tried = _choose_online(stages, online, whole_head, trained, data)
    heads = []
    for kind, found in ((ONLINE, live.head), (OFFLINE, whole_head)):
        head = found.heads[0].head if whole else _train_head(stages, kind, found, final)
        heads.append((found.choice.head, head))
    trials += [*tried, *whole_head.trials]
    rate = stages.begin.windows.frame_rate
    known = measure(final, trained, live, data, extractor.config, rate)
    return Made(extractor, final, heads, trials, live.rules, known)


def _train_folds(
    stages: Stages,
    choices: Sequence[ExtractorChoice],
    probe: HeadChoice,
    data: TrainingData,
    folds: Sequence[Fold],
) -> tuple[list[TrainedFold], ExtractorChoice, list[Trial]]:
    """Choose the extractor on the first fold, and train it on the others.

    The default one bears an arm that stands elsewhere, which recordings that are held out do not
    ask for: it stays unless several of them speak for another one.
    """
    if not folds:
        return [], choices[0], []
    if len(folds[0].held_out) < FEWEST:
        choices = choices[:1]
    first, extractor, trials = choose_extractor(stages, choices, probe, data, folds[0])
    more = enumerate(folds[1:], 2)
    others = [train_fold(stages, f'fold {k}', extractor, data, fold) for k, fold in more]
    return [first, *others], extractor, trials


def _choose_online(
    stages: Stages,
    choices: Sequence[HeadChoice],
    offline: ChosenHead,
    folds: Sequence[TrainedFold],
    data: TrainingData,
) -> tuple[Judged, list[Trial]]:
    """Choose the online head; the best is also tried with outputs for labels of older frames."""
    rate = stages.begin.windows.frame_rate
    head = choose_head(stages, ONLINE, choices, folds, data)
    plain = judge(folds, head, offline, data.labels, rate)
    if not folds:
        return plain, head.trials
    older = choose_head(stages, 'older labels too', [with_lags(head.choice)], folds, data)
    best = better_of(plain, judge(folds, older, offline, data.labels, rate))
    tried = [replace(trial, chosen=best.head is older) for trial in older.trials]
    return best, [*head.trials, *tried]


def _train_head(stages: Stages, kind: str, chosen: ChosenHead, final: TrainedFold) -> Head:
    """Train the chosen head on all recordings."""
    return stages.head(f'model, {kind}', chosen.choice, final.train, stop=chosen.epochs).head
