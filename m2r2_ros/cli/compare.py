# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 compare`: methods that need no labels, scored against ground truth."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from m2r2_ros.bags.finding import expect_distinct_names
from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.cli.common import expect_training, given_map, source_recordings
from m2r2_ros.cli.console import PlainConsole, console, progress_bar
from m2r2_ros.cli.discover import Methods
from m2r2_ros.cli.options import (
    Annotator,
    AsJson,
    Bags,
    FrameRate,
    Seed,
    Topics,
    Truths,
    TruthTopic,
)
from m2r2_ros.cli.truths import truth_options, truth_sources, with_truth
from m2r2_ros.core.errors import DiscoveryError, LabelError

if TYPE_CHECKING:
    from m2r2_ros.training.discover import RecordingWindows, UnlabelledSource

#: Columns of the table, with their decimals.
_COLUMNS = {
    'F1 0.5 s': ('boundary_f1@0.5s', 1), '1 s': ('boundary_f1@1s', 1),
    '2 s': ('boundary_f1@2s', 1), '5 s': ('boundary_f1@5s', 1), 'DR': ('dr', 1),
    'segments': ('segments', 0), 'true': ('true_segments', 0),
    'accuracy*': ('oracle_accuracy', 3), 'F1@10*': ('oracle_f1@10', 1),
    'F1@50*': ('oracle_f1@50', 1), 'ms/frame': ('ms_per_frame', 2), 'lag': ('lag_frames', 0),
}  # fmt: skip
_CONSENSUS = 'consensus'


def compare_command(
    bags: Bags,
    train: Annotated[
        list[Path],
        typer.Option(
            help='Recordings to calibrate and to tune on, none that is scored; repeatable.'
        ),
    ],
    method: Methods = None,
    tuned: Annotated[
        bool, typer.Option('--tune', help='Also tune each method on the truth of --train.')
    ] = False,
    truth: Truths = None,
    truth_topic: TruthTopic = None,
    annotator: Annotator = None,
    topics: Topics = None,
    frame_rate: FrameRate = 10.0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Score methods that find segments without labels against ground truth.

    Each is calibrated on --train without a look at labels, and segments the recordings. With --tune
    a second row has options that were chosen by the truth of --train. Of several methods the
    consensus is scored too. Columns with a star call each segment as most of its frames truly are.

    For example: m2r2 compare test --train train --method events --method bocpd
    """
    from m2r2_ros.discovery.methods import OF_LATENTS, expect_methods
    from m2r2_ros.training.discover import open_source
    from m2r2_ros.windows.config import WindowConfig

    methods = expect_methods(method or ['events', 'bocpd', 'awe', 'abd', 'otas', 'primitives'])
    if set(methods) & set(OF_LATENTS):
        expect_training()
    tested, trained = source_recordings(bags), source_recordings(train)
    expect_distinct_names(tested)
    if both := {p.resolve() for p in tested} & {p.resolve() for p in trained}:
        msg = f'{sorted(both)[0]}: is both calibrated on and scored; scores would mean nothing'
        raise LabelError(msg)
    options = truth_options(truth_topic, None, annotator)
    truths = truth_sources(list(truth or []), [*tested, *trained], options)
    known = with_truth(truths, [tested, trained] if tuned else [tested])
    paths = [*known[0], *(known[1] if tuned else trained)]
    source = open_source(
        paths, given_map(topics), WindowConfig(frame_rate=frame_rate), methods, seed
    )
    for why in source.left_out:
        console.print(f'left out: {why}', soft_wrap=True)
    rows = _score(source, methods, set(known[0]), truths, tuned=tuned)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        PlainConsole(width=150).print(_table(rows))


def _score(
    source: 'UnlabelledSource',
    methods: Sequence[str],
    tested: Collection[Path],
    truths: Mapping[Path, TruthSource],
    *,
    tuned: bool,
) -> dict[str, dict[str, Any]]:
    """Return the scores of each method, as calibrated and as tuned, and of all together.

    Raises:
        DiscoveryError: No recording is left to score or to calibrate on, or no method can be used.
    """
    from m2r2_ros.training.discover import calibrate
    from m2r2_ros.training.method_scores import TrueRecording, elapsed, score_methods, tune

    def true(recording: 'RecordingWindows') -> TrueRecording:
        return TrueRecording(recording, truths[recording.path].read().segments)

    test = [true(r) for r in source.recordings if r.path in tested]
    others = tuple(r for r in source.recordings if r.path not in tested)
    if not test or not others:
        msg = 'expected recordings to calibrate on and others to score, both of which can be read'
        raise DiscoveryError(msg)
    train = [true(r) for r in others] if tuned else []
    own = replace(source, recordings=others)
    rows: dict[str, dict[str, Any]] = {}
    found, chosen = {}, {}
    with progress_bar() as bar:
        task = bar.add_task('', total=len(methods))
        for name in methods:
            bar.update(task, description=name)
            try:
                found[name] = calibrate(own, [name])[name]
            except DiscoveryError as error:
                console.print(f'left out: {error}', soft_wrap=True)
                continue
            rows[name] = score_methods({name: found[name]}, test, source.setting).to_dict()
            if tuned:
                chosen[name] = tune(name, found[name], train, source.setting)
                scores = score_methods({name: chosen[name]}, test, source.setting)
                rows[f'{name}, tuned'] = scores.to_dict()
            bar.advance(task)
        for title, some in ((_CONSENSUS, found), (f'{_CONSENSUS}, tuned', chosen)):
            if len(some) > 1:
                rows[title] = score_methods(some, test, source.setting).to_dict()
        if tuned:
            rows['elapsed time'] = elapsed(train, test).to_dict()
    if not found:
        msg = 'no method can be used on these recordings'
        raise DiscoveryError(msg)
    return rows


def _table(rows: dict[str, dict[str, Any]]) -> Table:
    table = Table('method', *_COLUMNS)
    for name, scores in rows.items():
        cells = []
        for key, decimals in _COLUMNS.values():
            value = scores[key]
            whole = 'end' if key == 'lag_frames' else '-'
            cells.append(whole if value is None else f'{value:.{decimals}f}')
        table.add_row(name, *cells)
    return table
