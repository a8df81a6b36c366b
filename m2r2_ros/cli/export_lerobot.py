# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export lerobot`: recordings and their labels as a LeRobot data set."""

from pathlib import Path
from typing import Annotated, Literal

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
def lerobot_command(
    bags: Bags,
    out: Annotated[Path, typer.Option(help='Folder for the data set; it must not exist yet.')],
    labels: LabelBags = None,
    topics: Topics = None,
    fps: Fps = 0,
    action: Action = '',
    task: Task = '',
    episodes: EpisodesBy = 'recording',
    codec: Annotated[
        Literal['h264', 'av1', 'hevc'], typer.Option(help='How videos are compressed.')
    ] = 'h264',
    images: Annotated[
        bool,
        typer.Option('--images', help='Keep images as they were recorded, instead of videos.'),
    ] = False,
    language: Annotated[
        bool,
        typer.Option(
            '--language', help='Labels as rows of language too, which LeRobot 0.6 and newer read.'
        ),
    ] = False,
    per_sensor: PerSensor = False,
    robot: Annotated[str, typer.Option(help='What the robot is called.')] = '',
    unlabelled: Unlabelled = False,
    overwrite: Overwrite = False,
) -> None:
    """Write a LeRobot v3 dataset, with labels as subtasks.

    Frames are at the images of the first camera, and have the numbers of all other sensors at that
    time. The label of each frame is its subtask_index; meta/m2r2_episodes.jsonl keeps the labels to
    the nanosecond, and who made them.

    What fails is told at the end, and leaves the others exported.

    For example: m2r2 export lerobot recordings --labels labels --out dataset
    """
    try:
        from m2r2_ros.export.lerobot.info import LeRobotOptions
        from m2r2_ros.export.lerobot.video import Codec, expect_encoder
        from m2r2_ros.export.lerobot.writer import LeRobotWriter
    except ModuleNotFoundError as error:
        msg = f"this needs {error.name}: pip install 'm2r2_ros[lerobot]'"
        raise ConfigError(msg) from error
    chosen = None if images else Codec(codec)
    if chosen is not None:
        expect_encoder(chosen)
    options = LeRobotOptions(chosen, language, per_sensor, robot)
    export_frames(
        bags,
        list(labels or []),
        out,
        frame_options(topics, fps, action, episodes, task),
        lambda folder, plan, names: LeRobotWriter(folder, plan, names, options),
        unlabelled=unlabelled,
        overwrite=overwrite,
    )
