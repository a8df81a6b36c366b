# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 replay`: the nodes of replay.launch.xml."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.remote.places import on_disk
from m2r2_ros.cli import launching
from m2r2_ros.cli.launching import (
    Foxglove,
    LogLevel,
    Namespace,
    ParamsFile,
    Rviz,
    ShowViewers,
    TopicMap,
)
from m2r2_ros.cli.options import Device, ModelBundle
from m2r2_ros.nodes.launch.plans import SharedArguments, ViewerArguments, replay


def replay_command(
    bag: Annotated[
        Path,
        typer.Argument(parser=on_disk, help='Recording: a rosbag2 folder, .mcap or .db3.'),
    ],
    model: ModelBundle,
    rate: Annotated[float, typer.Option(help='Recorded seconds per second.')] = 1.0,
    wait: Annotated[
        float,
        typer.Option(
            help='Longest time to wait at the start, s, until every topic has a subscriber.'
        ),
    ] = 10.0,
    loop: Annotated[bool, typer.Option(help='Start again at the end.')] = False,
    topics: TopicMap = None,
    device: Device = 'cpu',
    namespace: Namespace = '',
    params_file: ParamsFile = None,
    log_level: LogLevel = 'info',
    viewers: ShowViewers = True,
    foxglove: Foxglove = False,
    rviz: Rviz = False,
) -> None:
    """Play a recording, label it as if it were live and show it; ends with the recording.

    Starts the nodes of replay.launch.xml with the same options. Labels come on /action_label;
    m2r2 label --as-live writes the same labels to files, faster.

    For example: m2r2 replay recording --model my_model --rate 2
    """
    open_recording(bag)
    launching.launch(
        replay(
            SharedArguments(namespace, launching.params_of(params_file), log_level),
            launching.model_of(model, topics, device),
            ViewerArguments(viewers, foxglove, rviz),
            bag=str(bag),
            rate=rate,
            wait=wait,
            loop=loop,
        )
    )
