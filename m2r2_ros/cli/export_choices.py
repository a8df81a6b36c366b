# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options that exports of segments share: which ones, their labels, and their videos."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.export.choosing import OutcomeKind, SegmentChoice

ExportLabels = Annotated[
    list[Path] | None,
    typer.Option(
        '--labels',
        help='Label bags, annotation layers, tables, or folders of them, matched by name; '
        'repeatable. Without them, the newest annotation layer counts, or own ground truth.',
    ),
]
ExportFolder = Annotated[Path, typer.Option('--out', help='Folder for what is exported.')]
OnlyLabels = Annotated[
    list[str] | None,
    typer.Option('--label', help='Only segments with this label, or this parent; repeatable.'),
]
Outcomes = Annotated[
    list[OutcomeKind] | None,
    typer.Option('--outcome', help='Only segments with this outcome; repeatable.'),
]
Shortest = Annotated[
    float, typer.Option('--min-duration', help='Least length of a segment, s.', min=0.0)
]
Longest = Annotated[
    float | None, typer.Option('--max-duration', help='Greatest length of a segment, s.', min=0.0)
]
LeastConfidence = Annotated[
    float,
    typer.Option('--min-confidence', help='Least confidence of a segment.', min=0.0, max=1.0),
]
Media = Annotated[
    str | None,
    typer.Option(
        '--media',
        help="Path or URL of a recording's video, in which {name} stands for its name: "
        "'videos/{name}.mp4'.",
    ),
]
Camera = Annotated[
    str | None,
    typer.Option(
        '--camera',
        help='Topic of images that are written beside as NAME.mp4 and linked (extra lerobot).',
    ),
]
FramesPerSecond = Annotated[
    float, typer.Option('--fps', help='Frames per second.', min=0.001, max=1000.0)
]


def segment_choice(
    label: list[str] | None,
    outcome: list[OutcomeKind] | None,
    min_duration: float,
    max_duration: float | None,
    min_confidence: float,
) -> SegmentChoice:
    """Return which segments are exported, from the options of a command."""
    most = float('inf') if max_duration is None else max_duration
    return SegmentChoice(
        tuple(label or ()), tuple(outcome or ()), min_duration, most, min_confidence
    )
