# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What commands share: consoles, arguments, progress."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from m2r2_ros.bags.labels import LABEL_TOPIC
from m2r2_ros.bags.recording import find_recordings, open_recording
from m2r2_ros.readers.topics import TopicSpec, load_topics

#: Progress and messages; standard output is for results.
console = Console(stderr=True)
stdout = Console()

Bags = Annotated[
    list[Path],
    typer.Argument(help='Recordings: rosbag2 folders, .mcap or .db3 files, or folders of them.'),
]
Topics = Annotated[
    Path | None,
    typer.Option(help='YAML that names the topic of each modality; others are guessed.'),
]
Overwrite = Annotated[bool, typer.Option('--overwrite', help='Replace outputs that exist.')]


def source_recordings(paths: list[Path]) -> list[Path]:
    """Return the recordings to work on: those named, and in folders those without labels of ours.

    So that a folder can be labelled again that holds label bags from the time before.
    """
    named = {p.resolve() for p in paths}
    return [
        path
        for path in find_recordings(paths)
        if path.resolve() in named or LABEL_TOPIC not in open_recording(path).topics
    ]


def progress_bar() -> Progress:
    """Return a progress display on standard error."""
    return Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.percentage:>3.0f} %'),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def given_topics(path: Path | None) -> dict[str, TopicSpec]:
    """Return the topics that the user named."""
    return {} if path is None else load_topics(path)


def use_cores() -> None:
    """Let torch use the cores that this process may run on."""
    import torch  # commands that need no model start without torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
