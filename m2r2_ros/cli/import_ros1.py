# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 import ros1`: bags of ROS 1 to bags of ROS 2."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.cli.common import say_passed_over
from m2r2_ros.cli.import_episodes import import_recordings
from m2r2_ros.cli.options import Overwrite
from m2r2_ros.core.errors import BagError


def ros1_command(
    source: Annotated[
        Path, typer.Option('--input', help='A .bag file of ROS 1, or a folder of them.')
    ],
    out: Annotated[Path, typer.Option(help='The bag to write; for a folder, a folder of bags.')],
    overwrite: Overwrite = False,
) -> None:
    """Turn bags of ROS 1 into bags of ROS 2, with messages as ROS 2 has them.

    Other commands also open bags of ROS 1 where they are. Those that have been imported before
    are kept.

    For example: m2r2 import ros1 --input trials --out bags
    """
    found = [p for p in find_recordings([source], say_passed_over) if p.suffix == '.bag']
    if not found:
        msg = f'{source} is no .bag file of ROS 1, nor a folder that holds some'
        raise BagError(msg)
    import_recordings(found, source, out, open_recording, 'the bag', overwrite=overwrite)
