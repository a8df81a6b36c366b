# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 evaluate`: score labels against ground truth."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.bags.remote.places import as_place
from m2r2_ros.cli.console import stdout
from m2r2_ros.cli.options import Annotator, AsJson, Level, TruthRate, TruthTopic
from m2r2_ros.cli.truths import say_notes, truth_options
from m2r2_ros.core.errors import BagError
from m2r2_ros.evaluation.detection import T_E
from m2r2_ros.evaluation.evaluate import evaluate
from m2r2_ros.evaluation.recording_counts import BACKGROUND
from m2r2_ros.evaluation.report import to_json, to_tables

#: Beyond it, intervals do not change.
MOST_RESAMPLES = 100_000


def evaluate_command(
    labels: Annotated[
        list[Path], typer.Argument(parser=as_place, help='Label bags, or folders of them.')
    ],
    truth: Annotated[
        list[Path],
        typer.Option(
            parser=as_place,
            help='Ground truth: CSV files, recordings, label bags, or folders of them, matched by '
            'name; repeatable.',
        ),
    ],
    truth_topic: TruthTopic = None,
    truth_rate: TruthRate = None,
    annotator: Annotator = None,
    as_json: AsJson = False,
    background: Annotated[
        list[str] | None,
        typer.Option(help="Label that edit and F1 skip; repeatable; '' for none."),
    ] = None,
    detection_window: Annotated[
        int, typer.Option(help='Half width of the detection window, t_e, frames.', min=0)
    ] = T_E,
    level: Level = 'fine',
    resamples: Annotated[
        int,
        typer.Option(
            '--bootstrap',
            help='Resamples of the recordings, for 95 % intervals of the scores; 0: none.',
            min=0,
            max=MOST_RESAMPLES,
        ),
    ] = 0,
    reliability: Annotated[
        Path | None,
        typer.Option(help='PNG to draw: accuracy by confidence and by share of frames kept.'),
    ] = None,
) -> None:
    """Score label bags; recordings are matched by name.

    Accuracy is a fraction 0..1; edit, F1 and detection rates are percent.

    For example: m2r2 evaluate labels --truth recordings
    """
    skipped = BACKGROUND if background is None else [b for b in background if b]
    evaluation = evaluate(
        labels,
        truth,
        background=skipped,
        t_e=detection_window,
        level=level,
        resamples=resamples,
        options=truth_options(truth_topic, truth_rate, annotator),
    )
    say_notes(evaluation.notes)
    if reliability is not None:
        from m2r2_ros.views.reliability import draw_reliability  # matplotlib takes a second

        draw_reliability(reliability, evaluation)
    if as_json:
        typer.echo(to_json(evaluation))
    else:
        stdout.print(to_tables(evaluation))
    if lost := evaluation.unreadable:
        count = f'{len(lost)} of {len(lost) + len(evaluation.recordings)} recordings are not scored'
        raise BagError('\n  '.join([count, *lost]))
