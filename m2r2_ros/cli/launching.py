# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the commands that start nodes share: options, checks, and the run itself.

Options have the names and defaults of the arguments of the launch files.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from m2r2_ros.cli.console import console
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.nodes.launch.plans import SegmenterArguments
from m2r2_ros.nodes.launch.process import Process
from m2r2_ros.nodes.launch.ros import expect_ros
from m2r2_ros.nodes.launch.supervisor import Supervisor
from m2r2_ros.readers.topic_map import load_topics

TopicMap = Annotated[
    Path | None,
    typer.Option(
        '--topics',
        help='YAML that names the topic of each modality; others are those of the model, or '
        'guessed.',
    ),
]
Namespace = Annotated[
    str,
    typer.Option('--namespace', help='Namespace of all nodes, such as one arm of two.'),
]
ParamsFile = Annotated[
    Path | None,
    typer.Option(
        '--params-file',
        help='Your copy of config/nodes.yaml; options given here override it.',
    ),
]
LogLevel = Annotated[
    Literal['debug', 'info', 'warn', 'error', 'fatal'],
    typer.Option('--log-level', help='The least that nodes log.'),
]
Record = Annotated[bool, typer.Option(help='Record all topics, labels too.')]
BagPath = Annotated[Path, typer.Option('--bag-path', help='Folder that recordings are made in.')]
ShowViewers = Annotated[
    bool, typer.Option(help='Start the visualizer, which draws markers and images.')
]
Foxglove = Annotated[
    bool, typer.Option(help='With viewers: start foxglove_bridge, for this machine only.')
]
Rviz = Annotated[bool, typer.Option(help='With viewers: start rviz2.')]


def model_of(folder: Path, topics: Path | None, device: str) -> SegmenterArguments:
    """Return what the segmenter is given, once it was looked at: nodes would fail one by one.

    Raises:
        BundleError: The folder is not a model.
        ConfigError: The topic map is wrong.
    """
    from m2r2_ros.model.facts import read_facts

    read_facts(folder)
    if topics is not None:
        load_topics(topics)
    return SegmenterArguments(str(folder), '' if topics is None else str(topics), device)


def params_of(path: Path | None) -> str:
    """Return the parameter file; '' for that of the package.

    Raises:
        ConfigError: There is no such file.
    """
    if path is not None and not path.is_file():
        msg = f'{path}: no such file; expected parameters of nodes, as in config/nodes.yaml'
        raise ConfigError(msg)
    return '' if path is None else str(path)


def launch(processes: Sequence[Process]) -> NoReturn:
    """Run nodes until Ctrl-C, or until one ends that the others need.

    Raises:
        ConfigError: ROS or another package that is wanted is not installed.
    """
    expect_ros()
    supervisor = Supervisor(processes, _show)
    names = ', '.join(process.executable for process in processes)
    console.print(f'starting {names}; Ctrl-C ends them', soft_wrap=True)
    raise typer.Exit(supervisor.run())


def _show(line: str) -> None:
    """Show a line; what follows in a terminal that was closed goes nowhere."""
    try:
        console.print(line, soft_wrap=True)
    except OSError:
        # Otherwise Python would try once more at its end, and fail with an exit code of its own.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)
