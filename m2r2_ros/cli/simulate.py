# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 simulate`: labelled recordings of the simulated assembly cell."""

import os
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from m2r2_ros.cli.console import Description, console, stdout
from m2r2_ros.cli.options import Jobs
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import claim_folder
from m2r2_ros.simulation.batch import expect_same_options, missing_episodes, write_episodes
from m2r2_ros.simulation.cameras import choose_backend
from m2r2_ros.simulation.config import OPTIONAL, EpisodeConfig, episode_name
from m2r2_ros.simulation.faults import parse_fault
from m2r2_ros.simulation.label_faults import is_label_fault, parse_label_fault

DEFAULT = EpisodeConfig()


def simulate_command(
    out: Annotated[Path, typer.Option(help='Folder for the recordings.')],
    episodes: Annotated[int, typer.Option(help='How many.', min=1)] = 1,
    seed: Annotated[int, typer.Option(help='Of the first; the next ones count up.', min=0)] = 0,
    seconds: Annotated[
        float, typer.Option(help='Length; the last action is finished.')
    ] = DEFAULT.seconds,
    cameras: Annotated[bool, typer.Option(help='Record images.')] = DEFAULT.cameras,
    image_rate: Annotated[
        float, typer.Option(help='Images of each camera per second.')
    ] = DEFAULT.image_rate,
    image_size: Annotated[
        int, typer.Option(help='Width and height of an image.')
    ] = DEFAULT.image_size,
    audio_rate: Annotated[int, typer.Option(help='16000 or 48000 Hz.')] = DEFAULT.audio_rate,
    motion_rate: Annotated[
        float, typer.Option(help='Poses and twists per second.')
    ] = DEFAULT.motion_rate,
    gripper_rate: Annotated[
        float, typer.Option(help='Joint states of the gripper per second.')
    ] = DEFAULT.gripper_rate,
    drift: Annotated[float, typer.Option(help='Of the wrench sensor, N/min.')] = DEFAULT.drift,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help='Such as wrench-saturate=20@30s, file-truncate=0.8 or label-shift=0.4; repeatable.'
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help=f'Leave out, repeatable: {", ".join(OPTIONAL)}.'),
    ] = None,
    jobs: Jobs = 0,
) -> None:
    """Simulate a robot that picks, inserts, removes and places parts, and record its sensors.

    Each episode becomes a rosbag2 folder with two cameras, microphone, wrench, pose, twist,
    gripper, joint states, transforms, the robot's description and ground truth; the same seed and
    options give the same messages. Existing episodes are kept, so an interrupted run continues when
    the same command is given again.

    For example: m2r2 simulate --episodes 10 --out recordings
    """
    config = EpisodeConfig(
        seconds=seconds,
        cameras=cameras,
        image_rate=image_rate,
        image_size=image_size,
        audio_rate=audio_rate,
        motion_rate=motion_rate,
        gripper_rate=gripper_rate,
        drift=drift,
        faults=tuple(parse_fault(t, of_file=True) for t in fault or [] if not is_label_fault(t)),
        label_faults=tuple(parse_label_fault(t) for t in fault or [] if is_label_fault(t)),
        without=tuple(without or ()),
    )
    for entry in config.faults:
        if entry.start >= seconds:
            console.print(f'{entry} begins after the end of the episodes at {seconds:g} s')
    with claim_folder(out):
        simulate(out, range(seed, seed + episodes), config, jobs=jobs)


def simulate(out: Path, seeds: range, config: EpisodeConfig, *, jobs: int = 0) -> None:
    """Write the episodes that are missing, show progress, and print what they hold.

    Raises:
        ConfigError: MuJoCo is not installed, or the folder has episodes of other options.
    """
    if find_spec('mujoco') is None:
        msg = "the simulated cell needs MuJoCo: pip install 'm2r2_ros[sim]'"
        raise ConfigError(msg)
    if config.cameras and not choose_backend():
        console.print(
            'no OpenGL for rendering: recording without cameras (libegl1 and libgl1-mesa-dri, or '
            'libosmesa6, render without a screen)'
        )
        config = replace(config, cameras=False)
    expect_same_options(out, config)
    missing = missing_episodes(out, seeds)
    if len(missing) < len(seeds):
        console.print(f'{len(seeds) - len(missing)} episodes exist already and are kept')
    if not missing:
        return
    jobs = min(jobs or len(os.sched_getaffinity(0)), len(missing))
    begin = time.monotonic()
    with _progress() as bar:
        tasks = {
            k: bar.add_task(episode_name(k), total=config.seconds, start=False) for k in missing
        }

        def show(seed: int, done: float) -> None:
            bar.start_task(tasks[seed])
            bar.update(tasks[seed], completed=min(done, config.seconds))

        done = write_episodes(out, missing, config, jobs=jobs, on_progress=show)
    took = time.monotonic() - begin
    table = Table('episode', 's', 'actions', 'failed')
    for k in missing:
        length, actions, failed = done[k]
        table.add_row(episode_name(k), f'{length:.1f}', str(actions), str(failed))
    stdout.print(table)
    total = sum(length for length, _, _ in done.values())
    stdout.print(f'{total:.0f} s simulated in {took:.0f} s: {total / took:.1f} times real time')


def _progress() -> Progress:
    return Progress(
        Description(),
        BarColumn(),
        TextColumn('{task.completed:.0f}/{task.total:.0f} s'),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
