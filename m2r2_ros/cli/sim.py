# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 sim`: the nodes of simulated.launch.xml."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.cli import launching
from m2r2_ros.cli.launching import (
    BagPath,
    Foxglove,
    LogLevel,
    Namespace,
    ParamsFile,
    Record,
    Rviz,
    ShowViewers,
    TopicMap,
)
from m2r2_ros.cli.options import Device
from m2r2_ros.core.share import share_path
from m2r2_ros.nodes.launch.plans import (
    RecorderArguments,
    SharedArguments,
    ViewerArguments,
    simulated,
)


def sim_command(
    seed: Annotated[
        int, typer.Option(help='Which parts lie where, and in what order they are handled.')
    ] = 0,
    cameras: Annotated[bool, typer.Option(help='Render the cameras; needs OpenGL.')] = True,
    rate: Annotated[
        float,
        typer.Option(help='Simulated seconds per second; a slow machine stays below it.'),
    ] = 1.0,
    model: Annotated[
        Path | None,
        typer.Option(help='Bundle, as m2r2 train writes it; left out: that of the cell.'),
    ] = None,
    topics: TopicMap = None,
    device: Device = 'cpu',
    namespace: Namespace = '',
    params_file: ParamsFile = None,
    log_level: LogLevel = 'info',
    record: Record = True,
    bag_path: BagPath = Path('bags'),
    viewers: ShowViewers = True,
    foxglove: Foxglove = False,
    rviz: Rviz = False,
) -> None:
    """Run the simulated cell as a live robot: labelled, recorded and shown, until Ctrl-C.

    Starts the nodes of simulated.launch.xml with the same options. m2r2 simulate writes recordings
    instead, without ROS.

    For example: m2r2 sim --viewers --rviz
    """
    model = model or share_path('models', 'cell')
    launching.launch(
        simulated(
            SharedArguments(namespace, launching.params_of(params_file), log_level),
            launching.model_of(model, topics, device),
            RecorderArguments(record, str(bag_path)),
            ViewerArguments(viewers, foxglove, rviz),
            seed=seed,
            cameras=cameras,
            rate=rate,
        )
    )
