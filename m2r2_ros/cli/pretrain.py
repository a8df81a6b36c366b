# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 pretrain`: labelled recordings to an extractor without a head."""

import os
import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import Progress

from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.cli.common import expect_training, given_map, training_workspace
from m2r2_ros.cli.console import console, epoch_bar, stdout
from m2r2_ros.cli.options import (
    Annotator,
    Bags,
    Epochs,
    FrameRate,
    Freeze,
    ImageWeights,
    Preset,
    Seed,
    SoundWeights,
    TextWeights,
    Topics,
    TruthRate,
    Truths,
    TruthTopic,
    Validate,
)
from m2r2_ros.cli.truths import TrainingSources, training_sources, truth_options
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import Claim
from m2r2_ros.readers.topic_map import TopicMap
from m2r2_ros.readers.topics import TopicSpec

if TYPE_CHECKING:  # torch takes seconds
    from torch import nn

    from m2r2_ros.model.config import ModelConfig
    from m2r2_ros.network.network import Network
    from m2r2_ros.training.data import TrainingData
    from m2r2_ros.training.pretraining.config import PretrainConfig
    from m2r2_ros.training.pretraining.pretrain import Pretrained
    from m2r2_ros.training.pretraining.state import Epoch
    from m2r2_ros.windows.config import WindowConfig

#: What is in the folder that pretraining works in.
DRAFT, TRAINED, VALIDATED = 'bundles', 'windows', 'validation'
CHECKPOINT = 'checkpoint.safetensors'
#: Number of this process among those that accelerate has started.
PROCESS = int(os.environ.get('RANK', '0'))
OURS = (DRAFT, TRAINED, VALIDATED, CHECKPOINT)

Out = Annotated[
    Path, typer.Option('--out', help='Folder for the bundles last and best; must not exist yet.')
]
Modalities = Annotated[
    str | None, typer.Option(help='Only these of the preset, separated by commas.')
]
BatchSize = Annotated[int, typer.Option(help='Windows contrasted at a time.', min=2)]
Accumulation = Annotated[int, typer.Option(help='Batches of each step.', min=1)]
LearningRate = Annotated[float, typer.Option(help='Peak of the schedule.')]
Text = Annotated[
    Literal['labels', 'scratch', 'clip'] | None,
    typer.Option(help='What encodes sentences; clip by default if --text-weights is given.'),
]
ActionWeight = Annotated[
    float, typer.Option(help="Weight of each action's own sentence in the loss.", min=0.0)
]
Patience = Annotated[
    int, typer.Option(help='Epochs without a better validation to stop after; 0 never.', min=0)
]
Precision = Annotated[Literal['no', 'bf16', 'fp16'], typer.Option(help='Mixed precision.')]
LayerDecay = Annotated[
    float, typer.Option(help='Factor on the learning rate for each layer of a backbone.')
]
LogDir = Annotated[Path | None, typer.Option(help='Folder for TensorBoard files.')]


def pretrain_command(
    bags: Bags,
    out: Out,
    preset: Preset,
    modalities: Modalities = None,
    validate: Validate = None,
    truth: Truths = None,
    truth_topic: TruthTopic = None,
    truth_rate: TruthRate = None,
    annotator: Annotator = None,
    topics: Topics = None,
    epochs: Epochs = 50,
    seed: Seed = 0,
    frame_rate: FrameRate = 10.0,
    batch_size: BatchSize = 8,
    accumulation: Accumulation = 1,
    learning_rate: LearningRate = 1e-3,
    text: Text = None,
    action_weight: ActionWeight = 0.0,
    patience: Patience = 0,
    precision: Precision = 'no',
    freeze: Freeze = None,
    layer_decay: LayerDecay = 1.0,
    image_weights: ImageWeights = None,
    sound_weights: SoundWeights = None,
    text_weights: TextWeights = None,
    log_dir: LogDir = None,
) -> None:
    """Pretrain the M2R2 extractor on windows of three actions and sentences that describe them.

    The bundles have no head: m2r2 features makes features with them, and m2r2 train-head trains a
    head on those. An interrupted pretraining continues when the same command is given again.

    For example: m2r2 pretrain train --validate val --preset proprio --out pretrained
    """
    expect_training()
    from m2r2_ros.training.pretraining.config import PretrainConfig

    config = PretrainConfig(
        epochs=epochs,
        seed=seed,
        batch_size=batch_size,
        accumulation=accumulation,
        learning_rate=learning_rate,
        text=text or ('labels' if text_weights is None else 'clip'),
        per_action=action_weight,
        patience=patience,
        precision=precision,
        freeze=tuple(freeze or ()),
        layer_decay=layer_decay,
    )
    weights = {'image': image_weights, 'sound': sound_weights, 'text': text_weights}
    setup = _setup(preset, frame_rate, config, weights)
    # Processes that train together write one output, for which the first one stands.
    with Claim(out) if PROCESS == 0 else nullcontext():
        workspace = training_workspace(out, OURS)
        sources = training_sources(
            bags, validate, truth, truth_options(truth_topic, truth_rate, annotator)
        )
        refuse_inside(out, *sources.recordings)
        setup, given = _settled(setup, modalities, given_map(topics), sources)
        pretrained = _pretrain(setup, sources, given, workspace, log_dir)
        if PROCESS == 0:
            _save(pretrained, workspace, out)


@dataclass(frozen=True, slots=True)
class _Setup:
    """What is pretrained, and how."""

    preset: str
    model: 'ModelConfig'
    windows: 'WindowConfig'
    config: 'PretrainConfig'
    weights: Mapping[str, Path | None]


def _setup(
    preset: str,
    frame_rate: float,
    config: 'PretrainConfig',
    weights: Mapping[str, Path | None],
) -> _Setup:
    """Check the options that need no recording."""
    from m2r2_ros.model.config import preset as preset_config
    from m2r2_ros.training.pretraining.loop import expect_extra
    from m2r2_ros.windows.config import WindowConfig

    expect_extra()
    model = preset_config(preset)
    return _Setup(preset, model, WindowConfig(frame_rate=frame_rate), config, weights)


def _settled(
    setup: _Setup, modalities: str | None, declared: TopicMap, sources: TrainingSources
) -> tuple[_Setup, dict[str, TopicSpec]]:
    """Settle what the extractor takes in."""
    from m2r2_ros.model.config import restrict_modalities
    from m2r2_ros.training.inputs import settle_inputs

    settled = settle_inputs(setup.model, declared, sources.trained)
    model = settled.model
    if modalities is not None:
        model = restrict_modalities(model, modalities.split(','))
    return replace(setup, model=model), settled.topics


def _pretrain(
    setup: _Setup,
    sources: TrainingSources,
    topics: Mapping[str, TopicSpec],
    workspace: Path,
    log_dir: Path | None,
) -> 'Pretrained':
    """Read weights and recordings, and train."""
    from m2r2_ros.training.pretraining.pretrain import headless, pretrain

    model, windows, config, weights = setup.model, setup.windows, setup.config, setup.weights
    network, loaded = headless(
        model, windows, config, image=weights['image'], sound=weights['sound']
    )
    encoder, origins = _text_encoder(config.text, weights['text'], loaded.origins)
    if loaded.warning:
        console.print(loaded.warning, soft_wrap=True)
    reader = _Reader(network, windows, sources.truths, topics, workspace)
    with epoch_bar() as bar:
        prepared = reader.prepare(TRAINED, sources.trained, bar)
        held_out = None
        if sources.held_out:
            held_out = reader.prepare(VALIDATED, sources.held_out, bar, prepared)
        learning = bar.add_task('pretraining', total=config.epochs, loss='')
        return pretrain(
            network,
            prepared,
            held_out,
            preset=setup.preset,
            model=model,
            windows=windows,
            config=config,
            facts={'weights': origins},
            text_encoder=encoder,
            checkpoint=workspace / CHECKPOINT,
            log_dir=log_dir,
            on_epoch=lambda e: bar.update(learning, completed=e.epoch, loss=_summary(e)),
        )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Makes the windows of recordings."""

    network: 'Network'
    windows: 'WindowConfig'
    truths: Mapping[Path, TruthSource]
    topics: Mapping[str, TopicSpec]
    workspace: Path

    def prepare(
        self, name: str, paths: list[Path], bar: Progress, like: 'TrainingData | None' = None
    ) -> 'TrainingData':
        """Make windows; those to validate on with labels and scales of those trained on."""
        from m2r2_ros.training.data import image_encoders_of, prepare
        from m2r2_ros.training.recordings import open_labelled

        reading = bar.add_task(f'reading {name}', total=len(paths), loss='')
        prepared = prepare(
            open_labelled(paths, self.truths),
            modalities=self.network.extractor.modalities,
            windows=self.windows,
            # Processes that train together do not write into each other's files.
            folder=self.workspace / name / str(PROCESS),
            image_encoders=image_encoders_of(self.network),
            topics=self.topics,
            labels=like.labels if like else None,
            normalisation=like.normalisation if like else None,
            on_recording=lambda name, k, n: bar.update(reading, completed=k + 1, loss=name),
        )
        if prepared.unknown_labels:
            console.print(
                f'validation: labels {", ".join(prepared.unknown_labels)} are in no recording '
                'that is trained on; their frames count as unlabelled',
                soft_wrap=True,
            )
        return prepared


def _text_encoder(
    text: str, weights: Path | None, origins: Mapping[str, str]
) -> 'tuple[nn.Module | None, dict[str, str]]':
    """Read the text encoder, if one is asked for; return it, and where all weights are from."""
    if (text == 'clip') != (weights is not None):
        msg = '--text clip and --text-weights need each other'
        raise ConfigError(msg)
    if weights is None:
        return None, dict(origins)
    from m2r2_ros.network.text import read_clip_text

    encoder = read_clip_text(weights)
    return encoder, {**origins, 'text': encoder.origin}


def _save(pretrained: 'Pretrained', workspace: Path, out: Path) -> None:
    """Write all bundles in one step, and print what they are."""
    from m2r2_ros.network.bundle import save_bundle

    draft = workspace / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    bundles = {'last': pretrained.last, 'best': pretrained.best}
    ids = {name: save_bundle(b, draft / name).id for name, b in bundles.items() if b}
    draft.rename(out)
    shutil.rmtree(workspace)
    best = min(pretrained.history, key=lambda e: e.validation.total if e.validation else 0)
    epochs = {'last': pretrained.history[-1], 'best': best}
    for name, identity in ids.items():
        epoch = epochs[name]
        stdout.print(
            f'{out / name}: extractor {identity}, epoch {epoch.epoch}, {_summary(epoch)}',
            soft_wrap=True,
        )


def _summary(epoch: 'Epoch') -> str:
    text = f'loss {epoch.action:.3f} + {epoch.boundary:.3f}'
    if epoch.validation is None:
        return text
    v = epoch.validation
    return f'{text}, validation {v.action:.3f} + {v.boundary:.3f}, retrieval {v.retrieval:.2f}'
