# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of `m2r2 train` that no other command has; None is left to validation."""

from pathlib import Path
from typing import Annotated

import typer

PresetOrExtractor = Annotated[
    str | None, typer.Option('--preset', help='proprio, lite or full (m2r2 models lists them).')
]
StartFrom = Annotated[
    Path | None,
    typer.Option(
        '--extractor',
        '--resume-from',
        help='Bundle of m2r2 pretrain or m2r2 train to go on from, instead of a preset: its '
        'extractor learns on, and new heads are trained behind it.',
    ),
]
ScaledEpochs = Annotated[
    int | None,
    typer.Option(
        '--epochs',
        help='Passes over the recordings, of the extractor and of each head; by default scaled to '
        'the data.',
        min=1,
    ),
]
Offset = Annotated[
    float | None,
    typer.Option(
        '--offset',
        help='Constant shift of each channel in training, in standard deviations of the data.',
        min=0.0,
    ),
]
Noise = Annotated[
    float | None,
    typer.Option('--noise', help='White noise in training, in standard deviations.', min=0.0),
]
RelativePose = Annotated[
    bool | None,
    typer.Option(
        '--relative-pose/--no-relative-pose',
        help='Look at poses relative to the start of the recording, too.',
    ),
]
Vary = Annotated[
    float | None,
    typer.Option(
        '--vary',
        help='Share of the segments that are stretched, shortened or left out in each pass.',
        min=0.0,
        max=1.0,
    ),
]
Search = Annotated[
    bool,
    typer.Option(
        '--search/--no-search',
        help='Choose what no option says, by recordings that are held out; --no-search takes '
        'defaults, which is quicker.',
    ),
]
OwnFrameRate = Annotated[
    float | None,
    typer.Option('--frame-rate', help="Frames per second: 10, or the extractor's.", min=0.1),
]
