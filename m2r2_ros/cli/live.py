# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 live`: the nodes of live.launch.xml."""

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
from m2r2_ros.cli.options import Device, ModelBundle
from m2r2_ros.nodes.launch.plans import RecorderArguments, SharedArguments, ViewerArguments, live


def live_command(
    model: ModelBundle,
    topics: TopicMap = None,
    device: Device = 'cpu',
    namespace: Namespace = '',
    use_sim_time: Annotated[bool, typer.Option(help='Take the time from /clock.')] = False,
    params_file: ParamsFile = None,
    log_level: LogLevel = 'info',
    respawn: Annotated[
        bool,
        typer.Option(help='Restart a node that has ended by itself, for unattended robots.'),
    ] = False,
    record: Record = True,
    bag_path: BagPath = Path('bags'),
    viewers: ShowViewers = True,
    foxglove: Foxglove = False,
    rviz: Rviz = False,
) -> None:
    """Label what a robot is doing, record it and show it, until Ctrl-C.

    Starts the nodes of live.launch.xml with the same options. Labels come on /action_label. A node
    that fails ends the others, unless --respawn starts it again.

    For example: m2r2 live --model my_model --viewers --rviz
    """
    launching.launch(
        live(
            SharedArguments(namespace, launching.params_of(params_file), log_level, respawn),
            launching.model_of(model, topics, device),
            RecorderArguments(record, str(bag_path)),
            ViewerArguments(viewers, foxglove, rviz),
            use_sim_time=use_sim_time,
        )
    )
