# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 pretrain`: labelled recordings to an extractor without a head."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from m2r2_ros.cli.common import (
    Bags,
    Topics,
    console,
    epoch_bar,
    expect_scorable,
    given_topics,
    source_recordings,
    stdout,
    training_workspace,
    use_cores,
)
from m2r2_ros.cli.truths import Truths, truth_files
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.readers.topics import TopicSpec

if TYPE_CHECKING:  # torch takes seconds
    from torch import nn

    from m2r2_ros.model.config import ModelConfig
    from m2r2_ros.model.network import Network
    from m2r2_ros.training.data import TrainingData
    from m2r2_ros.training.pretraining.pretrain import Pretrained
    from m2r2_ros.training.pretraining.state import Epoch
    from m2r2_ros.windows.config import WindowConfig

#: What is in the folder that pretraining works in.
DRAFT, TRAINED, VALIDATED = 'bundles', 'windows', 'validation'
CHECKPOINT = 'checkpoint.safetensors'
#: Number of this process among those that accelerate has started.
PROCESS = int(os.environ.get('RANK', '0'))
OURS = (DRAFT, TRAINED, VALIDATED, CHECKPOINT, 'checkpoint.safetensors.partial')


def pretrain_command(
    bags: Bags,
    out: Annotated[Path, typer.Option(help='Folder for the bundles last and best.')],
    preset: Annotated[str, typer.Option(help='proprio, lite or full.')],
    modalities: Annotated[
        str | None, typer.Option(help='Only these of the preset, separated by commas.')
    ] = None,
    validate: Annotated[
        list[Path] | None,
        typer.Option(help='Labelled recordings to choose the best epoch on; never a test set.'),
    ] = None,
    truth: Truths = None,
    topics: Topics = None,
    epochs: Annotated[int, typer.Option(help='Times each window is seen.', min=1)] = 50,
    seed: Annotated[int, typer.Option(help='Of weights, order, points and words.', min=0)] = 0,
    frame_rate: Annotated[float, typer.Option(help='Frames per second.', min=0.1)] = 10.0,
    batch_size: Annotated[int, typer.Option(help='Windows contrasted at a time.', min=2)] = 8,
    accumulation: Annotated[int, typer.Option(help='Batches of each step.', min=1)] = 1,
    learning_rate: Annotated[float, typer.Option(help='Peak of the schedule.')] = 1e-3,
    text: Annotated[
        str | None,
        typer.Option(help='labels, scratch or clip; clip where --text-weights is given.'),
    ] = None,
    per_action: Annotated[
        float, typer.Option(help="Weight of each action's own sentence.", min=0.0)
    ] = 0.0,
    patience: Annotated[
        int, typer.Option(help='Epochs without a better validation to stop after; 0 never.', min=0)
    ] = 0,
    precision: Annotated[str, typer.Option(help='no, bf16 or fp16.')] = 'no',
    freeze: Annotated[
        list[str] | None,
        typer.Option(help='image, sound or text: its backbone stays as it is.'),
    ] = None,
    layer_decay: Annotated[
        float, typer.Option(help='Factor on the learning rate for each layer of a backbone.')
    ] = 1.0,
    image_weights: Annotated[
        Path | None, typer.Option(help='CLIP or ActionCLIP, for preset full.')
    ] = None,
    sound_weights: Annotated[Path | None, typer.Option(help='AST, for preset full.')] = None,
    text_weights: Annotated[Path | None, typer.Option(help='CLIP, with its vocabulary.')] = None,
    log_dir: Annotated[Path | None, typer.Option(help='Folder for TensorBoard files.')] = None,
) -> None:
    """Pretrain the M2R2 extractor on windows of three actions and the sentences that tell them.

    The bundles have no head: m2r2 features makes features with them, and m2r2 train-head trains a
    head on those. An interrupted pretraining goes on when the same command is given again.
    """
    from m2r2_ros.model.config import preset as preset_config
    from m2r2_ros.model.config import restrict_modalities  # torch takes seconds
    from m2r2_ros.training.pretraining.config import PretrainConfig
    from m2r2_ros.training.pretraining.loop import expect_extra
    from m2r2_ros.training.pretraining.pretrain import headless, pretrain
    from m2r2_ros.windows.config import WindowConfig

    expect_extra()
    use_cores()
    config = PretrainConfig(
        epochs=epochs,
        seed=seed,
        batch_size=batch_size,
        accumulation=accumulation,
        learning_rate=learning_rate,
        text=text or ('labels' if text_weights is None else 'clip'),
        per_action=per_action,
        patience=patience,
        precision=precision,
        freeze=tuple(freeze or ()),
        layer_decay=layer_decay,
    )
    model, windows = preset_config(preset), WindowConfig(frame_rate=frame_rate)
    model = model if modalities is None else restrict_modalities(model, modalities.split(','))
    workspace = training_workspace(out, OURS)
    paths = source_recordings(bags)
    held_out = source_recordings(validate) if validate else []
    truths = truth_files(truth or [], paths + held_out)
    expect_scorable(paths, held_out, truths)
    network, loaded = headless(model, windows, config, image=image_weights, sound=sound_weights)
    encoder, origins = _text_encoder(config.text, text_weights, loaded.origins)
    if loaded.warning:
        console.print(loaded.warning, soft_wrap=True)
    source = _Source(network, model, windows, truths, given_topics(topics), workspace)
    with epoch_bar() as bar:
        prepared = _prepare(source, TRAINED, paths, bar)
        validated = _prepare(source, VALIDATED, held_out, bar, prepared) if held_out else None
        learning = bar.add_task('pretraining', total=epochs, loss='')
        pretrained = pretrain(
            network,
            prepared,
            validated,
            preset=preset,
            model=model,
            windows=windows,
            config=config,
            facts={'weights': origins},
            text_encoder=encoder,
            checkpoint=workspace / CHECKPOINT,
            log_dir=log_dir,
            on_epoch=lambda e: bar.update(learning, completed=e.epoch, loss=_told(e)),
        )
    if PROCESS == 0:
        _save(pretrained, workspace, out)


@dataclass(frozen=True, slots=True)
class _Source:
    """What windows are made with."""

    network: 'Network'
    model: 'ModelConfig'
    windows: 'WindowConfig'
    truths: dict[str, Path]
    topics: dict[str, TopicSpec]
    workspace: Path


def _prepare(
    source: _Source, name: str, paths: list[Path], bar: Progress, like: 'TrainingData | None' = None
) -> 'TrainingData':
    """Make the windows of recordings; those to validate on with the labels of those trained on."""
    from m2r2_ros.model.image import ImageEncoder
    from m2r2_ros.training.data import prepare

    reading = bar.add_task(f'reading {name}', total=len(paths), loss='')
    encoder = dict(source.network.extractor.encoders.items()).get('image')
    prepared = prepare(
        paths,
        model=source.model,
        windows=source.windows,
        # Processes that train together do not write into each other's files.
        folder=source.workspace / name / str(PROCESS),
        image_encoder=encoder if isinstance(encoder, ImageEncoder) else None,
        truths=source.truths,
        topics=source.topics,
        labels=like.labels if like else None,
        normalisation=like.normalisation if like else None,
        on_recording=lambda name, k, n: bar.update(reading, completed=k + 1, loss=name),
    )
    if prepared.unknown_labels:
        console.print(
            f'validation: labels {", ".join(prepared.unknown_labels)} are in no recording that is '
            'trained on; their frames count as unlabelled',
            soft_wrap=True,
        )
    return prepared


def _text_encoder(
    text: str, weights: Path | None, origins: Mapping[str, str]
) -> 'tuple[nn.Module | None, dict[str, str]]':
    """Read a text encoder where one is asked for; return it, and where all weights are from."""
    if (text == 'clip') != (weights is not None):
        msg = '--text clip and --text-weights need each other'
        raise ConfigError(msg)
    if weights is None:
        return None, dict(origins)
    from m2r2_ros.model.text import read_clip_text

    encoder = read_clip_text(weights)
    return encoder, {**origins, 'text': encoder.origin}


def _save(pretrained: 'Pretrained', workspace: Path, out: Path) -> None:
    """Write the bundles, all at once, and tell what they are."""
    from m2r2_ros.model.bundle import save_bundle

    draft = workspace / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    bundles = {'last': pretrained.last, 'best': pretrained.best}
    ids = {name: save_bundle(b, draft / name).id for name, b in bundles.items() if b}
    draft.rename(out)
    shutil.rmtree(workspace)
    best = min(pretrained.history, key=lambda e: e.validation.total if e.validation else 0)
    told = {'last': pretrained.history[-1], 'best': best}
    for name, identity in ids.items():
        epoch = told[name]
        stdout.print(
            f'{out / name}: extractor {identity}, epoch {epoch.epoch}, {_told(epoch)}',
            soft_wrap=True,
        )


def _told(epoch: 'Epoch') -> str:
    text = f'loss {epoch.action:.3f} + {epoch.boundary:.3f}'
    if epoch.validation is None:
        return text
    v = epoch.validation
    return f'{text}, validation {v.action:.3f} + {v.boundary:.3f}, retrieval {v.retrieval:.2f}'
