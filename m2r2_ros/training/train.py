# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From labelled bags to a bundle in memory: survey, folds, choices, extractor, heads."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from m2r2_ros import __version__
from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.model.config import ModelConfig, restrict_modalities
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.network.bundle import Bundle
from m2r2_ros.network.graph.compare import FRAMES
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.training.choices import Wishes
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.data import TrainingData, image_encoders_of, prepare
from m2r2_ros.training.folds import Fold, choose_folds
from m2r2_ros.training.loop import Progress
from m2r2_ros.training.make import Made, make_model
from m2r2_ros.training.recordings import LabelledRecordings, open_labelled
from m2r2_ros.training.search import Trial
from m2r2_ros.training.stages import Begin, Curve, Stages
from m2r2_ros.training.survey import Survey, survey
from m2r2_ros.windows.config import WindowConfig


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training comes to.

    Attributes:
        bundle: The model.
        survey: What it was trained on.
        trials: What was tried.
        curves: How each stage went.
        examples: Windows of a recording, on which the graphs of the bundle are compared with it.
    """

    bundle: Bundle
    survey: Survey
    trials: list[Trial]
    curves: list[Curve]
    examples: Inputs


@dataclass(frozen=True, slots=True)
class Told:
    """What is called while a training goes on.

    Attributes:
        recording: With name, count and total as windows are made.
        survey: With what is in the recordings.
        folds: With the recordings that each fold holds out.
        epoch: After each epoch, with the stage.
    """

    recording: Callable[[str, int, int], None] = lambda name, k, n: None
    survey: Callable[[Survey], None] = lambda survey: None
    folds: Callable[[list[list[str]]], None] = lambda folds: None
    epoch: Callable[[str, Progress], None] = lambda stage, progress: None


def train(
    bags: Sequence[Path],
    *,
    preset: str,
    model: ModelConfig,
    windows: WindowConfig,
    config: TrainConfig,
    wishes: Wishes,
    workspace: Path,
    validate: Sequence[Path] = (),
    extractor: Bundle | None = None,
    freeze: Collection[str] = (),
    truths: Mapping[Path, TruthSource] | None = None,
    topics: Mapping[str, TopicSpec] | None = None,
    told: Told | None = None,
) -> Trained:
    """Train on recordings with ground truth.

    First an extractor, with an online head that teaches it, on augmented recordings; then an online
    and an offline head on what that extractor makes of the recordings as they are. What is left to
    choose is chosen on recordings that are held out: those to validate on, or folds.

    Args:
        bags: Recordings.
        preset: Name of the preset that `model` came from.
        model: Shapes of the network; modalities that no recording has are left out of it.
        windows: Shape of the windows.
        config: Options of the extractor's training.
        wishes: What is not to be chosen.
        workspace: Folder for cached windows and checkpoints; the caller removes it.
        validate: Recordings to choose by, instead of folds.
        extractor: Bundle of the same shapes, whose extractor and scales to begin with.
        freeze: Modalities whose encoder keeps its backbone as it is.
        truths: Where the ground truth of recordings is that do not hold it, by their paths.
        topics: Topics that are not to be guessed.
        told: What is called while it goes on.

    Raises:
        M2R2Error: A recording cannot be read or has no ground truth.
    """
    told = told or Told()
    labelled = open_labelled(bags, truths)
    begin = Begin(model, windows, labelled.labels, config.seed, extractor, freeze)
    data = _read(begin, labelled, workspace / 'windows', topics, told)
    found = survey(data.recordings, labelled, data.labels, model.modalities)
    told.survey(found)
    targets = [r.targets for r in data.recordings]
    everything, folds = data, choose_folds(targets) if wishes.search else ()
    if validate:
        known = open_labelled(validate, truths)
        held_out = _read(begin, known, workspace / 'held_out', topics, told, data)
        everything, folds = _joined(data, held_out)
    names = [[everything.recordings[k].name for k in fold.held_out] for fold in folds]
    told.folds(names)
    if extractor is None:
        begin = replace(begin, model=_without_missing(model, found.missing))
    stages = Stages(begin, workspace / 'checkpoints', told.epoch)
    own = range(len(data.recordings))
    made = make_model(stages, everything, own, folds, config, wishes)
    facts = _facts(made, begin, data, found, names, wishes)
    bundle = replace(made.bundle(begin, preset), training=facts)
    first = data.recordings[0]
    examples = first.inputs(0, min(len(first), FRAMES), bundle.normalisation)
    return Trained(bundle, found, made.trials, list(stages.curves.values()), examples)


def _facts(
    made: Made,
    begin: Begin,
    data: TrainingData,
    found: Survey,
    folds: list[list[str]],
    wishes: Wishes,
) -> dict[str, Any]:
    """Return what a bundle says of its training; `folds` are the recordings that each holds out."""
    given = begin.extractor
    return {
        'recordings': [r.name for r in data.recordings],
        'frames': sum(map(len, data.recordings)),
        'options': {**made.extractor.config.to_dict(), 'wishes': asdict(wishes)},
        'm2r2_ros': __version__,
        **({'extractor': {'model': given.id, **given.training}} if given else {}),
        **({'freeze': sorted(begin.freeze)} if begin.freeze else {}),
        'survey': found.to_dict(),
        'folds': folds,
        'tried': [asdict(trial) for trial in made.trials],
        'rules': made.rules.rows(),
    }


def _read(
    begin: Begin,
    labelled: LabelledRecordings,
    folder: Path,
    topics: Mapping[str, TopicSpec] | None,
    told: Told,
    like: TrainingData | None = None,
) -> TrainingData:
    """Cache the windows of recordings, with the labels of those that are trained on."""
    scales = begin.extractor.normalisation if begin.extractor else None
    return prepare(
        labelled,
        modalities=begin.model.modalities,
        windows=begin.windows,
        folder=folder,
        image_encoders=image_encoders_of(begin.network()),
        topics=topics,
        labels=like.labels if like else None,
        normalisation=like.normalisation if like else scales,
        on_recording=told.recording,
    )


def _joined(data: TrainingData, held_out: TrainingData) -> tuple[TrainingData, tuple[Fold, ...]]:
    """Return recordings to train on with those to validate on, and the fold that they make."""
    together = data.recordings + held_out.recordings
    count = len(data.recordings)
    fold = Fold(tuple(range(count)), tuple(range(count, len(together))))
    return replace(data, recordings=together), (fold,)


def _without_missing(model: ModelConfig, missing: Collection[str]) -> ModelConfig:
    """Return the shapes without modalities that no recording has."""
    return restrict_modalities(model, [m for m in model.modalities if m not in missing])
