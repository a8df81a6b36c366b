# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 train`: labelled recordings to a bundle."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from m2r2_ros.cli.common import (
    Bags,
    Topics,
    console,
    given_topics,
    source_recordings,
    stdout,
    use_cores,
)
from m2r2_ros.cli.label import recording_name
from m2r2_ros.core.errors import BundleError, LabelError


def train_command(
    bags: Bags,
    out: Annotated[Path, typer.Option(help='Folder for the bundle; must not exist.')],
    preset: Annotated[str, typer.Option(help='proprio or lite (m2r2 models lists them).')],
    truth: Annotated[
        list[Path] | None,
        typer.Option(help='Ground truth CSV files, or folders of them, matched by name.'),
    ] = None,
    validate: Annotated[
        list[Path] | None,
        typer.Option(help='Labelled recordings to score the bundle on; not trained on.'),
    ] = None,
    topics: Topics = None,
    epochs: Annotated[int, typer.Option(help='Times each recording is seen.', min=1)] = 30,
    seed: Annotated[int, typer.Option(help='Of weights, order, crops and noise.')] = 0,
    frame_rate: Annotated[float, typer.Option(help='Frames per second.', min=0.1)] = 10.0,
) -> None:
    """Train the M2R2 extractor and the online head on recordings with ground truth.

    Recordings hold their ground truth in /ground_truth/action_segment, or --truth gives it as
    NAME.csv with the columns start, end, label. An interrupted training goes on when the same
    command is given again.
    """
    from m2r2_ros.model.bundle import save_bundle  # torch takes seconds
    from m2r2_ros.model.config import preset as preset_config
    from m2r2_ros.segmenters.decoding import Decoding
    from m2r2_ros.training.config import TrainConfig
    from m2r2_ros.training.train import train
    from m2r2_ros.windows.config import WindowConfig

    use_cores()
    model = preset_config(preset)
    given = given_topics(topics)
    if out.exists():
        msg = f'{out}: exists already; choose another folder or remove it'
        raise BundleError(msg)
    paths = source_recordings(bags)
    held_out = source_recordings(validate) if validate else []
    _expect_disjoint(paths, held_out)
    workspace = out.with_name(out.name + '.training')
    workspace.mkdir(parents=True, exist_ok=True)
    with _epochs() as bar:
        reading = bar.add_task('reading recordings', total=len(paths), loss='')
        learning = bar.add_task('training', total=epochs, loss='')
        bundle = train(
            paths,
            preset=preset,
            model=model,
            windows=WindowConfig(frame_rate=frame_rate),
            config=TrainConfig(epochs=epochs, seed=seed),
            decoding=Decoding().to_dict(),
            workspace=workspace,
            truths=_truths(truth or []),
            topics=given,
            on_recording=lambda name, k, n: bar.update(reading, completed=k + 1, loss=name),
            on_epoch=lambda p: bar.update(learning, completed=p.epoch, loss=f'loss {p.loss:.3f}'),
        )
    scores = _validate(bundle, held_out, workspace) if held_out else {}
    from dataclasses import replace

    saved = save_bundle(replace(bundle, scores=scores), out)
    shutil.rmtree(workspace)
    labels = ', '.join(saved.labels.names)
    stdout.print(f'{out}: model {saved.id}, labels {labels}', soft_wrap=True, highlight=False)
    for modality, entry in saved.topics.items():
        console.print(f'  {modality}: {entry["topic"]} ({entry["type"]})', highlight=False)


def _validate(bundle: Any, held_out: list[Path], workspace: Path) -> dict[str, Any]:  # noqa: ANN401
    """Label held-out recordings with the bundle as it will be saved, and score the labels."""
    from m2r2_ros.evaluation.evaluate import evaluate
    from m2r2_ros.model.bundle import save_bundle
    from m2r2_ros.replay.labeller import Model, label_recording
    from m2r2_ros.segmenters.learned import LearnedSegmenter

    draft = workspace / 'draft'
    labelled = workspace / 'labelled'
    for folder in (draft, labelled):
        shutil.rmtree(folder, ignore_errors=True)
    saved = save_bundle(bundle, draft)
    model = Model(LearnedSegmenter(saved), saved.windows, saved.model.modalities, saved.id)
    for path in held_out:
        label_recording(path, model, labelled)
    scores = evaluate([labelled], held_out).scores.to_dict()
    return {'recordings': [recording_name(p) for p in held_out], **scores}


def _truths(paths: list[Path]) -> dict[str, Path]:
    """Return ground truth files by the name of the recording."""
    files = [f for p in paths for f in (sorted(p.glob('*.csv')) if p.is_dir() else [p])]
    for file in files:
        if not file.is_file():
            msg = f'{file}: no such file; --truth takes CSV files or folders of them'
            raise LabelError(msg)
    return {file.stem.removesuffix('_segments'): file for file in files}


def _expect_disjoint(paths: list[Path], held_out: list[Path]) -> None:
    both = {p.resolve() for p in paths} & {p.resolve() for p in held_out}
    if both:
        msg = f'{sorted(both)[0]}: is both trained and validated on; scores would mean nothing'
        raise LabelError(msg)


def _epochs() -> Progress:
    return Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.completed}/{task.total}'),
        TextColumn('{task.fields[loss]}'),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
