# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 import lerobot`: episodes of LeRobot datasets to bags."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.steps.datasets import is_lerobot
from m2r2_ros.cli.common import say_passed_over
from m2r2_ros.cli.import_episodes import import_recordings
from m2r2_ros.cli.options import Overwrite
from m2r2_ros.core.errors import BagError


def lerobot_command(
    source: Annotated[
        Path,
        typer.Option(
            '--input', help='A LeRobot dataset, v2 or v3, or an episode: DATASET/episode_000001.'
        ),
    ],
    out: Annotated[
        Path, typer.Option(help='A folder for the bags; for one episode, the bag to write.')
    ],
    overwrite: Overwrite = False,
) -> None:
    """Turn episodes of a LeRobot dataset into bags, with tasks or subtasks as ground truth.

    Other commands also open episodes where they are; bags can be read faster, and by ROS tools.
    Episodes that have been imported before are kept.

    For example: m2r2 import lerobot --input dataset --out bags
    """
    found = [p for p in find_recordings([source], say_passed_over) if is_lerobot(p.parent)]
    if not found:
        msg = f'{source} is no LeRobot dataset, no episode of one, nor a folder that holds some'
        raise BagError(msg)
    import_recordings(found, source, out, open_recording, 'LeRobot', overwrite=overwrite)
