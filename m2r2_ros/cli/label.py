# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 label`: recordings to label bags."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from m2r2_ros.bags.finding import expect_distinct_names
from m2r2_ros.cli.common import given_topics, recording_bars, source_recordings
from m2r2_ros.cli.console import console, stdout
from m2r2_ros.cli.fleet_options import (
    TRIES,
    Fleet,
    FleetOptions,
    Ray,
    RetryFailed,
    Tree,
    Tries,
    Workers,
    expect_one_core,
    given_text,
)
from m2r2_ros.cli.options import (
    Bags,
    Device,
    Lag,
    MinConfidence,
    MinDuration,
    ModelBundle,
    Overwrite,
    Resume,
    Threads,
    Topics,
)
from m2r2_ros.core.errors import BagError, ConfigError

if TYPE_CHECKING:  # reading recordings and models takes a while to import
    from m2r2_ros.cli.fleet_label import LabelJob
    from m2r2_ros.replay.batch import BatchOptions, Outcome
    from m2r2_ros.replay.labeller import Summary
    from m2r2_ros.segmenters import Model


def label_command(
    bags: Bags,
    model: ModelBundle,
    out: Annotated[Path, typer.Option(help='Folder for label bags, segments and summaries.')],
    as_live: Annotated[
        bool,
        typer.Option('--as-live', help='Labels that a live robot would have given.'),
    ] = False,
    merge: Annotated[
        bool, typer.Option('--merge', help='Also write copies of the recordings with labels.')
    ] = False,
    overwrite: Overwrite = False,
    resume: Resume = False,
    topics: Topics = None,
    min_confidence: MinConfidence = None,
    min_duration: MinDuration = None,
    lag: Lag = None,
    device: Device = 'cpu',
    threads: Threads = 0,
    fleet: Fleet = False,
    workers: Workers = 0,
    ray: Ray = None,
    tree: Tree = None,
    retry_failed: RetryFailed = False,
    tries: Tries = TRIES,
) -> None:
    """Label recordings: with the whole recording in view, or --as-live.

    A model with an offline head labels each frame from what was sensed before and after it. With
    --as-live, or without such a head, each frame is labelled from what was sensed before it alone.

    Each recording NAME becomes NAME_labels (a bag with /action_label, /action_segment and
    /label_set), NAME_segments.csv and NAME_summary.json; with --merge also NAME_labelled.

    Frames that are unlike the training set, or that the model is not sure of, are unknown. The exit
    code is 1 where nothing else came out.

    For example: m2r2 label recordings --model my_model --out labels
    """
    fleet_options = FleetOptions(fleet, workers, ray, tree, retry_failed, tries)
    from m2r2_ros.model.devices import Placement
    from m2r2_ros.segmenters import open_model

    given = given_topics(topics)
    asked = {'min_confidence': min_confidence, 'min_duration': min_duration, 'lag': lag}
    wanted = {k: v for k, v in asked.items() if v is not None}
    if fleet:
        from m2r2_ros.cli.fleet_label import LabelJob

        expect_one_core(threads)
        job = LabelJob(
            given_text(out),
            str(model.absolute()),
            '',
            wanted,
            as_live,
            device,
            given,
            merge,
            overwrite,
        )
        _label_on_fleet(job, bags, fleet_options, lag)
        return
    placement = Placement(device, threads)
    with ThreadPoolExecutor(1) as thread:
        # ONNX Runtime leaves Python's lock to others while it loads graphs.
        opening = thread.submit(open_model, model, wanted, placement=placement, live=as_live)
        paths = source_recordings(bags)
        expect_distinct_names(paths)
        from m2r2_ros.replay.batch import BatchOptions

        opened = opening.result()
    _expect_lag_fits(opened, lag)
    _announce(opened)
    options = BatchOptions(given, merge, overwrite, resume)
    outcomes = _label(paths, opened, out, options)
    _report(outcomes)
    if not _anything_labelled(outcomes):
        raise typer.Exit(1)


def _label_on_fleet(
    job: 'LabelJob', bags: list[Path], options: FleetOptions, lag: int | None
) -> None:
    """Label many recordings at a time."""
    from m2r2_ros.cli.fleet_label import tell_labels
    from m2r2_ros.cli.fleet_run import fleet_items, run_fleet

    items = fleet_items(bags, job.out, options)
    model = job.open_model()
    _expect_lag_fits(model, lag)
    _announce(model)
    outcome = run_fleet(replace(job, model_id=model.id), items, options, overwrite=job.overwrite)
    labelled = tell_labels(outcome)
    outcome.expect_none_failed('labelled')
    if not labelled:
        raise typer.Exit(1)


def _announce(model: 'Model') -> None:
    """Say what labels, and how many seconds its decoder adds."""
    from m2r2_ros.segmenters.base import WHOLE_RECORDING

    whole = model.segmenter.revision_lag == WHOLE_RECORDING
    console.print(
        f'model {model.id}: {len(model.segmenter.labels.names)} labels at '
        f'{model.windows.frame_rate:g} Hz; {_delays(model, whole=whole)}'
    )
    if whole:
        console.print(
            'each label is made with the whole recording in view; --as-live gives those of a live '
            'robot'
        )


def _delays(model: 'Model', *, whole: bool) -> str:
    """Say how late labels are: as validation recordings showed, or what the hold rule adds."""
    decoding = model.segmenter.decoding
    rule = decoding.whole_rule if whole else decoding.rule
    if rule.delay_s >= 0:
        return (
            f'labels come {rule.delay_s:.2f} s after an action begins, median of the recordings '
            'that their rule was learnt from'
        )
    added = rule.added_delay(1 / model.windows.frame_rate)
    return (
        f'the hold rule adds {added["hold_s"]:.2f} s to a change of label, '
        f'the lag {added["lag_s"]:.2f} s'
    )


def _expect_lag_fits(model: 'Model', lag: int | None) -> None:
    """Refuse to look some frames ahead where everything is seen."""
    from m2r2_ros.segmenters.base import WHOLE_RECORDING

    if lag is not None and model.segmenter.revision_lag == WHOLE_RECORDING:
        msg = (
            f'--lag {lag}: model {model.id} sees the whole recording; --lag is of labels as a live '
            'robot gives them: add --as-live'
        )
        raise ConfigError(msg)


def _label(
    paths: list[Path], model: 'Model', out: Path, options: 'BatchOptions'
) -> list['Outcome']:
    """Label the recordings under a progress bar each."""
    from m2r2_ros.replay.batch import label_recordings

    outcomes = []
    with recording_bars() as show:
        for outcome in label_recordings(paths, model, out, options, show):
            if outcome.error:
                show.drop(outcome.path)
            else:
                show(outcome.path, 1.0)
            outcomes.append(outcome)
    return outcomes


def _report(outcomes: list['Outcome']) -> None:
    """Print what was labelled.

    Raises:
        BagError: A recording could not be labelled.
    """
    done = [o.summary for o in outcomes if o.summary]
    done.sort(key=lambda s: (-s.unknown, s.confidence))  # the doubtful ones first
    if done:
        stdout.print(_table(done))
        _warn(done)
    if kept := sum(o.kept for o in outcomes):
        console.print(f'{kept} recordings were labelled already and are kept')
    if failed := [o.error for o in outcomes if o.error]:
        count = f'{len(failed)} of {len(outcomes)} recordings could not be labelled'
        raise BagError(*([count, *failed] if len(outcomes) > 1 else failed))


def _anything_labelled(outcomes: list['Outcome']) -> bool:
    """Return whether a frame of any recording has a label; what was kept is not looked at."""
    done = [o.summary for o in outcomes if o.summary]
    return any(s.segments for s in done) or any(o.kept for o in outcomes)


def _warn(summaries: list['Summary']) -> None:
    """Say what of the inputs does not fit the training set, each thing once."""
    for s in summaries:
        for warning in s.warnings:
            console.print(f'warning: {s.recording}: {warning}', soft_wrap=True)
        if not s.segments:
            why = next(iter(s.reasons), 'no frames')
            console.print(f'warning: {s.recording}: nothing was labelled ({why})', soft_wrap=True)


def _table(summaries: list['Summary']) -> Table:
    """Return a row for each recording: `sure` is the mean confidence of its labels."""
    table = Table(
        'recording', 'frames', 'segments', 'sure', 'unknown', 'speed', 'unknown, masked and dropped'
    )
    for s in summaries:
        odd = [f'{k} {n}' for k, n in s.counters.items() if k != 'windows']
        if s.truncated:
            odd.insert(0, 'recording is truncated')
        if s.derived:
            odd.insert(0, 'twist from pose')
        odd[:0] = s.notes
        odd[:0] = [f'no topic {topic} for {m}' for m, topic in s.absent_topics.items()]
        odd[:0] = [f'{reason} {n}' for reason, n in s.reasons.items()]
        table.add_row(
            s.recording,
            str(s.frames),
            str(s.segments),
            f'{s.confidence:.2f}',
            f'{s.unknown:.1%}',
            f'{s.speed:.0f}x',
            ', '.join(odd),
        )
    return table
