# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 demo`: the main job on an episode of the simulated cell."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from m2r2_ros.bags.labels.merge import merge
from m2r2_ros.bags.labels.reader import read_label_track, read_truth
from m2r2_ros.cli.console import progress_bar, stdout
from m2r2_ros.cli.label_rows import LabelRows
from m2r2_ros.cli.simulate import simulate
from m2r2_ros.cli.timeline import draw_recording
from m2r2_ros.core.files import claim_folder, write_text
from m2r2_ros.core.share import share_path
from m2r2_ros.evaluation.evaluate import evaluate
from m2r2_ros.evaluation.report import to_json, to_tables
from m2r2_ros.simulation.config import EpisodeConfig, episode_name

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.segmenters import Model

#: Folder of the labels that a live robot would have given, in that of the demo.
AS_LIVE = 'as_live'
#: The shipped model was trained and chosen without looking at this episode.
SEED = 1000


def demo_command(
    out: Annotated[Path, typer.Option(help='Folder for everything.')] = Path('out/demo'),
    seconds: Annotated[float, typer.Option(help='Length of the episode.', min=5)] = 60.0,
    seed: Annotated[int, typer.Option(help='Of the episode.', min=0)] = SEED,
    model: Annotated[
        Path | None, typer.Option(help='Bundle to label with; that of the package by default.')
    ] = None,
) -> None:
    """Simulate an episode, label it with the shipped model, draw and score the labels.

    It is labelled twice: as a live robot would be, and with the whole recording in view.

    For example: m2r2 demo --seconds 30 --out out/demo
    """
    from m2r2_ros.segmenters import open_model

    # What is missing for labelling is better known before the simulation.
    folder = model or share_path('models', 'cell')
    whole, live = open_model(folder), open_model(folder, live=True)
    ways = {'as live': (live, out / AS_LIVE), 'whole\nrecording': (whole, out)}
    if whole.id == live.id:  # without an offline head, both are the same
        ways = {'as live': (live, out)}
    with claim_folder(out):
        _demonstrate(out, range(seed, seed + 1), seconds, ways)


def _demonstrate(
    out: Path, seeds: range, seconds: float, ways: Mapping[str, tuple['Model', Path]]
) -> None:
    """Do all of it in a folder that no other run writes to."""
    (seed,) = seeds
    simulate(out, seeds, EpisodeConfig(seconds=seconds))
    recording = out / episode_name(seed)
    for way, (opened, folder) in ways.items():
        _label(recording, opened, folder, ' '.join(way.split()))
    labels = {way: folder / f'{recording.name}_labels' for way, (_, folder) in ways.items()}
    labelled = out / f'{recording.name}_labelled'
    merge(recording, out / f'{recording.name}_labels', labelled, overwrite=True)
    stdout.print(f'labelled recording: {labelled}', soft_wrap=True)
    tracks = {way: read_label_track(bag) for way, bag in labels.items()}
    label_set = next(iter(tracks.values())).label_set
    rows = LabelRows(read_truth(recording).segments, dict(tracks), label_set)
    title = f'{recording.name}: what was labelled, and what truly happened'
    draw_recording(out / 'timeline.png', recording, rows, title=title)


def _label(recording: Path, model: 'Model', folder: Path, way: str) -> None:
    """Label the recording in one of the ways, and print and keep the scores."""
    from m2r2_ros.replay.labeller import label_recording

    with progress_bar() as bar:
        task = bar.add_task(f'labelling {way} with model {model.id}', total=1.0)
        summary = label_recording(
            recording,
            model,
            folder,
            overwrite=True,
            progress=lambda share: bar.update(task, completed=share),
        )
    evaluation = evaluate([folder / f'{recording.name}_labels'], [recording])
    write_text(folder / 'scores.json', to_json(evaluation))
    stdout.print(f'{way}, at {summary.speed:.0f} times real time')
    stdout.print(to_tables(evaluation))
