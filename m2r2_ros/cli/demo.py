# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 demo`: the main job on a recording of one's own making."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.bags.labels import read_label_track, read_truth
from m2r2_ros.bags.merge_labels import merge
from m2r2_ros.cli.common import console, stdout, use_cores
from m2r2_ros.core.share import share_path
from m2r2_ros.evaluation.evaluate import evaluate
from m2r2_ros.evaluation.report import to_json, to_tables

#: Seeds below this one were trained on (see models/demo/bundle.yaml).
SEED = 1000


def demo_command(
    out: Annotated[Path, typer.Option(help='Folder for everything.')] = Path('out/demo'),
    seconds: Annotated[float, typer.Option(help='Length of the recording.', min=5)] = 120.0,
    seed: Annotated[int, typer.Option(help='Of the recording.', min=0)] = SEED,
    record_only: Annotated[
        bool, typer.Option('--record-only', help='Write the recording and stop.')
    ] = False,
) -> None:
    """Write a synthetic recording, label it with the shipped model, draw and score the labels."""
    from m2r2_ros.demo.recording import write_demo_recording

    out.mkdir(parents=True, exist_ok=True)
    recording = out / f'demo_{seed:04d}'
    console.print(f'writing {seconds:g} s of camera, sound, wrench, pose, twist and gripper')
    write_demo_recording(recording, seconds=seconds, seed=seed, overwrite=True)
    if record_only:
        return
    from m2r2_ros.demo.signals import read_signals
    from m2r2_ros.demo.timeline import draw_timeline  # matplotlib takes a second
    from m2r2_ros.model.bundle import load_bundle  # torch takes seconds
    from m2r2_ros.replay.labeller import Model, label_recording
    from m2r2_ros.segmenters.learned import LearnedSegmenter

    use_cores()
    bundle = load_bundle(share_path('models', 'demo'))
    segmenter = LearnedSegmenter(bundle)
    model = Model(segmenter, bundle.windows, bundle.model.modalities, bundle.id)
    console.print(f'labelling with model {bundle.id}')
    summary = label_recording(recording, model, out, overwrite=True)
    labels = out / f'{recording.name}_labels'
    labelled = out / f'{recording.name}_labelled'
    merge(recording, labels, labelled, overwrite=True)
    evaluation = evaluate([labels], [recording])
    (out / 'scores.json').write_text(to_json(evaluation), encoding='utf-8')
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
