# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 train`: labelled recordings to a bundle."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.bags.recording import recording_name
from m2r2_ros.cli.common import expect_training, given_map, training_workspace
from m2r2_ros.cli.console import console, stdout
from m2r2_ros.cli.options import (
    Annotator,
    Bags,
    Freeze,
    NewBundle,
    Note,
    Seed,
    Topics,
    TruthRate,
    Truths,
    TruthTopic,
    Validate,
)
from m2r2_ros.cli.train_options import (
    Noise,
    Offset,
    OwnFrameRate,
    PresetOrExtractor,
    RelativePose,
    ScaledEpochs,
    Search,
    StartFrom,
    Vary,
)
from m2r2_ros.cli.training_progress import TrainingProgress, show_rules, show_scores, show_trials
from m2r2_ros.cli.truths import TrainingSources, training_sources, truth_options
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import Claim
from m2r2_ros.readers.topic_map import TopicMap
from m2r2_ros.readers.topics import TopicSpec

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.model.config import ModelConfig
    from m2r2_ros.network.bundle import Bundle
    from m2r2_ros.training.choices import Wishes
    from m2r2_ros.training.train import Trained
    from m2r2_ros.windows.config import WindowConfig

#: What is in the folder that training works in, beside windows and checkpoints.
DRAFT, LABELLED = 'bundle', 'labelled'
OURS = ('windows', 'held_out', 'checkpoints', DRAFT, LABELLED)
#: The picture of how training went, in the bundle's folder.
CURVE = 'curve.png'


def train_command(
    bags: Bags,
    out: NewBundle,
    preset: PresetOrExtractor = None,
    extractor: StartFrom = None,
    freeze: Freeze = None,
    truth: Truths = None,
    truth_topic: TruthTopic = None,
    truth_rate: TruthRate = None,
    annotator: Annotator = None,
    validate: Validate = None,
    topics: Topics = None,
    epochs: ScaledEpochs = None,
    offset: Offset = None,
    noise: Noise = None,
    relative_pose: RelativePose = None,
    vary: Vary = None,
    search: Search = True,
    seed: Seed = 0,
    frame_rate: OwnFrameRate = None,
    note: Note = '',
) -> None:
    """Train the M2R2 extractor, then an online and an offline head on its features.

    Recordings hold their ground truth in /ground_truth/action_segment, --truth-topic names a topic
    that states it, or --truth gives it as NAME.csv with the columns start, end, label. What is left
    to choose is chosen on the recordings of --validate, or on some of the others that are held out
    in turn. An interrupted training continues when the same command is given again.

    For example: m2r2 train recordings --truth labels --out my_model
    """
    expect_training()
    from m2r2_ros.network.bundle import save_bundle
    from m2r2_ros.training.choices import Wishes
    from m2r2_ros.training.curves import draw_curves

    begin = _begin(preset, extractor, frame_rate, freeze)
    if preset == 'full':
        console.print('preset full starts from random weights: m2r2 pretrain reads pretrained ones')
    declared = given_map(topics)
    wishes = Wishes(epochs, offset, noise, relative_pose, vary, search)
    with Claim(out):
        workspace = training_workspace(out, OURS)
        sources = training_sources(
            bags, validate, truth, truth_options(truth_topic, truth_rate, annotator)
        )
        refuse_inside(out, *sources.recordings, *filter(None, [extractor]))
        begin, given = _settled(begin, declared, sources)
        trained = _train(begin, sources, wishes, seed, given, workspace)
        bundle = replace(trained.bundle, training={**trained.bundle.training, 'note': note})
        draft = workspace / DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        if sources.held_out:
            save_bundle(bundle, draft, trained.examples)
            scores = _validate(draft, sources.held_out, sources.truths, given, workspace)
            bundle = replace(bundle, scores=scores)
            shutil.rmtree(draft)
        saved = save_bundle(bundle, draft, trained.examples)
        draw_curves(trained.curves, draft / CURVE)
        draft.rename(out)
        shutil.rmtree(workspace)
    show_trials(trained.trials)
    show_rules(trained.bundle.training['rules'])
    stdout.print(f'{out}: model {saved.id}, labels {", ".join(saved.labels.names)}', soft_wrap=True)
    for modality, entry in saved.topics.items():
        console.print(f'  {modality}: {entry["topic"]} ({entry["type"]})')
    show_scores(saved.scores)


def _train(
    begin: '_Begin',
    sources: TrainingSources,
    wishes: 'Wishes',
    seed: int,
    topics: dict[str, TopicSpec],
    workspace: Path,
) -> 'Trained':
    """Train, and show progress."""
    from m2r2_ros.training.config import TrainConfig
    from m2r2_ros.training.train import train

    with TrainingProgress(len(sources.recordings)) as shown:
        return train(
            sources.trained,
            preset=begin.preset,
            model=begin.model,
            windows=begin.windows,
            extractor=begin.extractor,
            freeze=begin.freeze,
            config=TrainConfig(seed=seed),
            wishes=wishes,
            workspace=workspace,
            validate=sources.held_out,
            truths=sources.truths,
            topics=topics,
            told=shown.told,
        )


@dataclass(frozen=True, slots=True)
class _Begin:
    """What a training begins with."""

    preset: str
    model: 'ModelConfig'
    windows: 'WindowConfig'
    extractor: 'Bundle | None'
    freeze: tuple[str, ...]


def _begin(
    preset: str | None,
    extractor: Path | None,
    frame_rate: float | None,
    freeze: Sequence[str] | None,
) -> _Begin:
    """Return the shapes of a preset, or those of an extractor with the online head behind it."""
    from m2r2_ros.model.config import preset as preset_config
    from m2r2_ros.model.head_config import CausalTCNConfig
    from m2r2_ros.network.bundle import load_bundle
    from m2r2_ros.windows.config import WindowConfig

    if (preset is None) == (extractor is None):
        msg = 'expected either --preset or --resume-from (or --extractor, which is the same)'
        raise ConfigError(msg)
    if extractor is None:
        windows = WindowConfig() if frame_rate is None else WindowConfig(frame_rate=frame_rate)
        return _Begin(str(preset), preset_config(str(preset)), windows, None, tuple(freeze or ()))
    bundle = load_bundle(extractor)
    if frame_rate not in (None, bundle.windows.frame_rate):
        msg = f'--frame-rate {frame_rate:g}: {extractor} is for {bundle.windows.frame_rate:g} Hz'
        raise ConfigError(msg)
    model = replace(bundle.model, head=CausalTCNConfig())
    return _Begin(bundle.preset, model, bundle.windows, bundle, tuple(freeze or ()))


def _settled(
    begin: _Begin, declared: TopicMap, sources: TrainingSources
) -> tuple[_Begin, dict[str, TopicSpec]]:
    """Settle what the model takes in; an extractor that is there already has it settled."""
    from m2r2_ros.training.inputs import settle_inputs

    if begin.extractor is not None:
        return begin, declared.topics
    settled = settle_inputs(begin.model, declared, sources.trained)
    return replace(begin, model=settled.model), settled.topics


def _validate(
    draft: Path,
    held_out: list[Path],
    truths: dict[Path, TruthSource],
    topics: dict[str, TopicSpec],
    workspace: Path,
) -> dict[str, Any]:
    """Label held-out recordings with the bundle as it will be saved, and score the labels.

    Those that a robot would have said come first, those of the offline head in a section.
    """
    live = _score(draft, held_out, truths, topics, workspace, live=True)
    whole = _score(draft, held_out, truths, topics, workspace, live=False)
    return {**live, 'recordings': [recording_name(p) for p in held_out], 'offline': whole}


def _score(
    draft: Path,
    held_out: list[Path],
    truths: dict[Path, TruthSource],
    topics: dict[str, TopicSpec],
    workspace: Path,
    *,
    live: bool,
) -> dict[str, Any]:
    """Label recordings with the online or the offline head, and score the labels."""
    from m2r2_ros.evaluation.evaluate import evaluate_pairs
    from m2r2_ros.evaluation.pairing import Pair, Pairing
    from m2r2_ros.replay.labeller import label_recording
    from m2r2_ros.replay.outputs import Outputs
    from m2r2_ros.segmenters import open_model

    labelled = workspace / LABELLED
    shutil.rmtree(labelled, ignore_errors=True)
    labelled.mkdir()
    model = open_model(draft, live=live)
    pairs = []
    for path in held_out:
        name = recording_name(path)
        label_recording(path, model, labelled, topics=topics)
        pairs.append(Pair(name, Outputs.of(labelled, name).labels, truths[path]))
    return dict(evaluate_pairs(Pairing(pairs, (), ())).scores.to_dict())
