# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options that the exports of frames share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from m2r2_ros.cli.common import given_topics

if TYPE_CHECKING:  # reading recordings takes a while to import
    from m2r2_ros.export.frames.feed import FrameOptions

Fps = Annotated[
    int,
    typer.Option(
        '--fps',
        help='Frames per second; 0: those of the camera, rounded, or 10 without one.',
        min=0,
        max=1000,
    ),
]
Action = Annotated[
    str,
    typer.Option(
        '--action',
        help='Topic of the command that is the action, or next-state; by default the only topic of '
        'commands, if there is one.',
    ),
]
Task = Annotated[
    str, typer.Option('--task', help='What the robot does, in words; by default the coarse labels.')
]
EpisodesName: TypeAlias = Literal['recording', 'segment', 'success']
EpisodesBy = Annotated[
    EpisodesName,
    typer.Option('--episodes', help='What an episode is of; success: each segment that succeeded.'),
]
Unlabelled = Annotated[
    bool, typer.Option('--unlabelled', help='Export recordings without labels, too.')
]


PerSensor = Annotated[
    bool, typer.Option('--per-sensor', help='Each sensor as a feature of its own, too.')
]


def frame_options(
    topics: Path | None, fps: int, action: str, episodes: EpisodesName, task: str
) -> 'FrameOptions':
    """Return what the options say of frames."""
    from m2r2_ros.export.frames.episodes import EpisodesOf
    from m2r2_ros.export.frames.feed import FrameOptions

    return FrameOptions(given_topics(topics), fps, action, EpisodesOf(episodes), task)
