# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 timeline`: a picture of a recording, with its labels above its signals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.bags.recording import recording_name
from m2r2_ros.cli.common import given_topics
from m2r2_ros.cli.console import stdout
from m2r2_ros.cli.label_rows import LabelRows, read_rows
from m2r2_ros.cli.options import Annotator, Bag, LabelBags, Topics, TruthRate, Truths, TruthTopic
from m2r2_ros.cli.truths import truth_options
from m2r2_ros.core.errors import ConfigError, LabelError
from m2r2_ros.readers.topics import TopicSpec


def timeline_command(
    recording: Bag,
    labels: LabelBags = None,
    truth: Truths = None,
    truth_topic: TruthTopic = None,
    truth_rate: TruthRate = None,
    annotator: Annotator = None,
    topics: Topics = None,
    out: Annotated[Path, typer.Option(help='PNG to draw; an older one is replaced.')] = Path(
        'timeline.png'
    ),
) -> None:
    """Draw a recording: ground truth, labels and mistakes above camera, force, gripper and sound.

    What the recording does not have is left out. Its own ground truth and labels are drawn where
    no others are given.

    For example: m2r2 timeline recording --labels labels --out timeline.png
    """
    if out.suffix.lower() != '.png':
        msg = f'--out {out}: expected a .png'
        raise ConfigError(msg)
    refuse_inside(out, recording)
    options = truth_options(truth_topic, truth_rate, annotator)
    rows = read_rows(recording, labels or [], truth or [], options)
    draw_recording(out, recording, rows, given_topics(topics), recording_name(recording))


def draw_recording(
    out: Path,
    recording: Path,
    rows: LabelRows,
    topics: Mapping[str, TopicSpec] | None = None,
    title: str = '',
) -> None:
    """Draw labels and signals of a recording, and say where.

    Raises:
        LabelError: There is nothing to draw.
        M2R2Error: The signals cannot be read.
    """
    from m2r2_ros.views.signals import Signals, read_signals
    from m2r2_ros.views.timeline import draw_timeline  # matplotlib takes a second

    signals = read_signals(recording, topics)
    if not rows.truth and not rows.rows and signals == Signals():
        msg = (
            f'{recording}: nothing to draw: it has no labels, no ground truth and no topic of a '
            'camera, force, gripper or sound; give --labels, --truth or --topics'
        )
        raise LabelError(msg)
    draw_timeline(
        out,
        truth=rows.truth,
        tracks=rows.rows,
        signals=signals,
        label_set=rows.label_set,
        title=title,
    )
    stdout.print(f'picture: {out}', soft_wrap=True)
