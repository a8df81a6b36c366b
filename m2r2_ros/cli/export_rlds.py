# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export rlds`: recordings and their labels as an RLDS data set."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.cli.export_frames import export_frames
from m2r2_ros.cli.export_options import (
    Action,
    EpisodesBy,
    Fps,
    PerSensor,
    Task,
    Unlabelled,
    frame_options,
)
from m2r2_ros.cli.fleet_export import with_fleet
from m2r2_ros.cli.options import Bags, LabelBags, Overwrite, Topics
from m2r2_ros.core.errors import ConfigError


@with_fleet(dataset=True)
def rlds_command(
    bags: Bags,
    out: Annotated[Path, typer.Option(help='Folder for the data set; it must not exist yet.')],
    labels: LabelBags = None,
    topics: Topics = None,
    fps: Fps = 0,
    action: Action = '',
    task: Task = '',
    episodes: EpisodesBy = 'recording',
    name: Annotated[
        str, typer.Option(help='What the data set is called; by default as its folder.')
    ] = '',
    per_sensor: PerSensor = False,
    unlabelled: Unlabelled = False,
    overwrite: Overwrite = False,
) -> None:
    """Write an RLDS dataset, with a label per step.

    tfds.builder_from_directory opens the folder. Steps are at the images of the first camera, which
    stay as they were recorded, and have the numbers of all other sensors at that time, the label as
    subtask and the task as language_instruction. meta/m2r2_episodes.jsonl keeps the labels to the
    nanosecond, and who made them.

    What fails is told at the end, and leaves the others exported.

    For example: m2r2 export rlds recordings --labels labels --out dataset
    """
    try:
        from m2r2_ros.export.frames.names import plain_name
        from m2r2_ros.export.rlds.writer import RldsWriter
    except ModuleNotFoundError as error:
        msg = f"this needs {error.name}: pip install 'm2r2_ros[rlds]'"
        raise ConfigError(msg) from error
    called = plain_name(name or out.resolve().name)
    if not called[:1].isalpha() or (name and called != name):
        msg = (
            f'--name {name or called!r}: expected small letters, digits and underscores, a letter '
            'first, which is what TFDS takes'
        )
        raise ConfigError(msg)
    export_frames(
        bags,
        list(labels or []),
        out,
        frame_options(topics, fps, action, episodes, task),
        lambda folder, plan, _: RldsWriter(folder, plan, called, per_sensor=per_sensor),
        unlabelled=unlabelled,
        overwrite=overwrite,
    )
