# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 demo`: the main job on an episode of the simulated cell."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from m2r2_ros.bags.labels.merge import merge
from m2r2_ros.bags.labels.reader import read_label_track, read_truth
from m2r2_ros.cli.common import use_cores
from m2r2_ros.cli.console import progress_bar, stdout
from m2r2_ros.cli.simulate import simulate
from m2r2_ros.core.files import claim_folder, write_text
from m2r2_ros.core.share import share_path
from m2r2_ros.evaluation.evaluate import evaluate
from m2r2_ros.evaluation.report import to_json, to_tables
from m2r2_ros.simulation.config import EpisodeConfig, episode_name

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.segmenters import Model

#: The shipped model was trained on episodes 0 to 31 and chosen without looking at this one.
SEED = 1000


def demo_command(
    out: Annotated[Path, typer.Option(help='Folder for everything.')] = Path('out/demo'),
    seconds: Annotated[float, typer.Option(help='Length of the episode.', min=5)] = 60.0,
    seed: Annotated[int, typer.Option(help='Of the episode.', min=0)] = SEED,
    model: Annotated[
        Path | None, typer.Option(help='Bundle to label with; that of the package by default.')
    ] = None,
) -> None:
    """Simulate an episode, label it with the shipped model, draw and score the labels."""
    from m2r2_ros.segmenters import open_model

    use_cores()
    # What is missing for labelling is better known before the simulation.
    opened = open_model(model or share_path('models', 'cell'))
    with claim_folder(out):
        _demonstrate(out, range(seed, seed + 1), seconds, opened)


def _demonstrate(out: Path, seeds: range, seconds: float, opened: 'Model') -> None:
    """Do all of it in a folder that no other run writes to."""
    from m2r2_ros.replay.labeller import label_recording
    from m2r2_ros.views.signals import read_signals
    from m2r2_ros.views.timeline import draw_timeline  # matplotlib takes a second

    (seed,) = seeds
    simulate(out, seeds, EpisodeConfig(seconds=seconds))
    recording = out / episode_name(seed)
    with progress_bar() as bar:
        task = bar.add_task(f'labelling with model {opened.id}', total=1.0)
        summary = label_recording(
            recording,
            opened,
            out,
            overwrite=True,
            progress=lambda share: bar.update(task, completed=share),
        )
    labels = out / f'{recording.name}_labels'
    labelled = out / f'{recording.name}_labelled'
    merge(recording, labels, labelled, overwrite=True)
    evaluation = evaluate([labels], [recording])
    write_text(out / 'scores.json', to_json(evaluation))
    picture = out / 'timeline.png'
    draw_timeline(
        picture,
        truth=read_truth(recording).segments,
        track=read_label_track(labels),
        signals=read_signals(recording),
        title=f'{recording.name}: {summary.frames} frames labelled online',
    )
    stdout.print(to_tables(evaluation))
    stdout.print(f'labelled at {summary.speed:.0f} times real time')
    for what, path in (('labelled recording', labelled), ('picture', picture)):
        stdout.print(f'{what}: {path}', soft_wrap=True, highlight=False)
