# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose, then make: one extractor, an online and an offline head on its features."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from m2r2_ros.core.labels import LabelSet
from m2r2_ros.model.attach import attach_head
from m2r2_ros.model.bundle import Bundle
from m2r2_ros.model.heads.base import Head
from m2r2_ros.model.heads.config import HeadConfig
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.training.choices import (
    ExtractorChoice,
    HeadChoice,
    Wishes,
    extractor_choices,
    offline_choices,
    online_choices,
    with_relative_pose,
)
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.data import TrainingData
from m2r2_ros.training.folds import Fold
from m2r2_ros.training.posteriors import Posterior, posteriors_of
from m2r2_ros.training.search import (
    ChosenHead,
    TrainedFold,
    Trial,
    choose_extractor,
    choose_head,
    train_fold,
)
from m2r2_ros.training.stages import Begin, Stages


@dataclass(frozen=True, slots=True)
class Made:
    """A model, and how it came to be.

    Attributes:
        extractor: How its extractor was trained.
        whole: The extractor, what it was trained on and what it makes of that.
        folds: Extractors that have not seen some recordings, and what they make of these.
        heads: The online head, then the offline one, with their shapes.
        trials: All that was tried.
        decoding: Options of the decoder.
        posteriors: What the chosen heads say of each recording in the fold that holds it out.
    """

    extractor: ExtractorChoice
    whole: TrainedFold
    folds: list[TrainedFold]
    heads: list[tuple[HeadConfig, Head]]
    trials: list[Trial]
    decoding: dict[str, Any]
    posteriors: list[Posterior]

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
        return replace(bundle, decoding=self.decoding)


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
    offline = offline_choices(wishes, len(own))
    trained, extractor, trials = _train_folds(stages, choices, online[0], data, folds)
    whole = next((fold for fold in trained if fold.fold.train == tuple(own)), None)
    final = whole or train_fold(stages, 'model', extractor, data, Fold(tuple(own), ()))
    chosen = {
        'online head': choose_head(stages, 'online head', online, trained, data),
        # Both are good; one fold tells them apart well enough.
        'offline head': choose_head(stages, 'offline head', offline, trained, data, judged=1),
    }
    heads = []
    for kind, found in chosen.items():
        head = found.heads[0].head if whole else _train_head(stages, kind, found, final)
        heads.append((found.choice.head, head))
    posteriors = _posteriors(trained, *chosen.values())
    rate = stages.begin.windows.frame_rate
    return Made(
        extractor,
        final,
        trained,
        heads,
        trials + [trial for found in chosen.values() for trial in found.trials],
        learnt_decoding(posteriors, data.labels, rate),
        posteriors,
    )


def _train_folds(
    stages: Stages,
    choices: Sequence[ExtractorChoice],
    probe: HeadChoice,
    data: TrainingData,
    folds: Sequence[Fold],
) -> tuple[list[TrainedFold], ExtractorChoice, list[Trial]]:
    """Choose the extractor on the first fold, and train it on the others."""
    if not folds:
        return [], choices[0], []
    first, extractor, trials = choose_extractor(stages, choices, probe, data, folds[0])
    more = enumerate(folds[1:], 2)
    others = [train_fold(stages, f'fold {k}', extractor, data, fold) for k, fold in more]
    return [first, *others], extractor, trials


def _posteriors(
    folds: Sequence[TrainedFold], online: ChosenHead, offline: ChosenHead
) -> list[Posterior]:
    """Return what the chosen heads of each fold say of what it holds out."""
    return [
        posterior
        for fold, live, whole in zip(folds, online.heads, offline.heads, strict=True)
        for posterior in posteriors_of(fold.held_out, live.head, whole.head)
    ]


def _train_head(stages: Stages, kind: str, chosen: ChosenHead, final: TrainedFold) -> Head:
    """Train the chosen head on all recordings."""
    return stages.head(f'model, {kind}', chosen.choice, final.train, stop=chosen.epochs).head


def learnt_decoding(
    posteriors: Sequence[Posterior], labels: LabelSet, frame_rate: float
) -> dict[str, Any]:
    """Return the options of the decoder, learnt from recordings that nothing was trained on."""
    return dict(Decoding().to_dict())
