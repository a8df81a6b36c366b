# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 train`: labelled recordings to a bundle."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.bags.recording import recording_name
from m2r2_ros.cli.common import given_topics, training_workspace, use_cores
from m2r2_ros.cli.console import console, epoch_bar, stdout
from m2r2_ros.cli.options import (
    Bags,
    Epochs,
    Freeze,
    NewBundle,
    Note,
    Seed,
    Topics,
    Truths,
    Validate,
)
from m2r2_ros.cli.truths import TrainingSources, training_sources
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import Claim
from m2r2_ros.readers.topics import TopicSpec

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.model.bundle import Bundle
    from m2r2_ros.model.config import ModelConfig
    from m2r2_ros.training.config import TrainConfig
    from m2r2_ros.windows.config import WindowConfig

#: What is in the folder that training works in, beside windows and the checkpoint.
DRAFT, LABELLED, TRUTH = 'bundle', 'labelled', 'truth'
OURS = ('windows', 'checkpoint.safetensors', DRAFT, LABELLED, TRUTH)


def train_command(
    bags: Bags,
    out: NewBundle,
    preset: Annotated[
        str | None, typer.Option(help='proprio, lite or full (m2r2 models lists them).')
    ] = None,
    extractor: Annotated[
        Path | None,
        typer.Option(help='Bundle of m2r2 pretrain to start from, instead of a preset.'),
    ] = None,
    freeze: Freeze = None,
    truth: Truths = None,
    validate: Validate = None,
    topics: Topics = None,
    epochs: Epochs = 15,
    seed: Seed = 0,
    frame_rate: Annotated[
        float | None, typer.Option(help="Frames per second: 10, or the extractor's.", min=0.1)
    ] = None,
    note: Note = '',
) -> None:
    """Train the M2R2 extractor and the online head on recordings with ground truth.

    Recordings hold their ground truth in /ground_truth/action_segment, or --truth gives it as
    NAME.csv with the columns start, end, label. An interrupted training continues when the same
    command is given again.
    """
    from m2r2_ros.model.bundle import save_bundle  # torch takes seconds
    from m2r2_ros.training.config import TrainConfig

    use_cores()
    begin = _begin(preset, extractor, frame_rate, freeze)
    if preset == 'full':
        console.print('preset full starts from random weights: m2r2 pretrain reads pretrained ones')
    given = given_topics(topics)
    with Claim(out):
        workspace = training_workspace(out, OURS)
        sources = training_sources(bags, validate, truth)
        refuse_inside(out, *sources.recordings, *filter(None, [extractor]))
        bundle = _train(begin, sources, TrainConfig(epochs=epochs, seed=seed), given, workspace)
        bundle = replace(bundle, training={**bundle.training, 'note': note})
        draft = workspace / DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        if sources.held_out:
            save_bundle(bundle, draft)
            scores = _validate(draft, sources.held_out, sources.truths, given, workspace)
            bundle = replace(bundle, scores=scores)
            shutil.rmtree(draft)
        saved = save_bundle(bundle, draft)
        draft.rename(out)
        shutil.rmtree(workspace)
    stdout.print(f'{out}: model {saved.id}, labels {", ".join(saved.labels.names)}', soft_wrap=True)
    for modality, entry in saved.topics.items():
        console.print(f'  {modality}: {entry["topic"]} ({entry["type"]})')


def _train(
    begin: '_Begin',
    sources: TrainingSources,
    config: 'TrainConfig',
    topics: dict[str, TopicSpec],
    workspace: Path,
) -> 'Bundle':
    """Train, and show progress."""
    from m2r2_ros.segmenters.decoding import Decoding
    from m2r2_ros.training.train import train

    with epoch_bar() as bar:
        reading = bar.add_task('reading recordings', total=len(sources.trained), loss='')
        learning = bar.add_task('training', total=config.epochs, loss='')
        return train(
            sources.trained,
            preset=begin.preset,
            model=begin.model,
            windows=begin.windows,
            extractor=begin.extractor,
            freeze=begin.freeze,
            config=config,
            decoding=Decoding().to_dict(),
            workspace=workspace,
            truths=sources.truths,
            topics=topics,
            on_recording=lambda name, k, n: bar.update(reading, completed=k + 1, loss=name),
            on_epoch=lambda p: bar.update(learning, completed=p.epoch, loss=f'loss {p.loss:.3f}'),
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
    from m2r2_ros.model.bundle import load_bundle
    from m2r2_ros.model.config import preset as preset_config
    from m2r2_ros.model.heads.config import CausalTCNConfig
    from m2r2_ros.windows.config import WindowConfig

    if (preset is None) == (extractor is None):
        msg = 'expected either --preset or --extractor'
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


def _validate(
    draft: Path,
    held_out: list[Path],
    truths: dict[str, Path],
    topics: dict[str, TopicSpec],
    workspace: Path,
) -> dict[str, Any]:
    """Label held-out recordings with the bundle as it will be saved, and score the labels."""
    from m2r2_ros.evaluation.evaluate import evaluate
    from m2r2_ros.replay.labeller import label_recording
    from m2r2_ros.segmenters import open_model

    labelled, tables = workspace / LABELLED, workspace / TRUTH
    for folder in (labelled, tables):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    model = open_model(draft)
    known = []
    for path in held_out:
        name = recording_name(path)
        label_recording(path, model, labelled, topics=topics)
        # Labels and truth are matched by name, which a table may have with something behind it.
        table = tables / f'{name}.csv'
        known.append(shutil.copyfile(truths[name], table) if name in truths else path)
    scores = evaluate([labelled], known).scores.to_dict()
    return {**scores, 'recordings': [recording_name(p) for p in held_out]}
