# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 label`: recordings to label bags."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from m2r2_ros.cli.common import (
    Bags,
    Overwrite,
    Topics,
    console,
    given_topics,
    progress_bar,
    source_recordings,
    stdout,
    use_cores,
)
from m2r2_ros.core.errors import BagError, M2R2Error


def label_command(
    bags: Bags,
    model: Annotated[Path, typer.Option(help='Bundle, as m2r2 train writes it.')],
    out: Annotated[Path, typer.Option(help='Folder for label bags, segments and summaries.')],
    merge: Annotated[
        bool, typer.Option('--merge', help='Also write copies of the recordings with labels.')
    ] = False,
    overwrite: Overwrite = False,
    resume: Annotated[
        bool, typer.Option('--resume', help='Pass over recordings that are labelled already.')
    ] = False,
    topics: Topics = None,
    min_confidence: Annotated[
        float | None, typer.Option(help='Hold rule: probability a new label must reach.')
    ] = None,
    min_duration: Annotated[
        float | None, typer.Option(help='Hold rule: seconds a new label must be the likeliest.')
    ] = None,
    lag: Annotated[
        int | None, typer.Option(help='Frames to look ahead and smooth over; 0 is online.')
    ] = None,
) -> None:
    """Label recordings as a live robot would: each frame from what was sensed before it.

    Each recording NAME becomes NAME_labels (a bag with /action_label, /action_segment and
    /label_set), NAME_segments.csv and NAME_summary.json; with --merge also NAME_labelled.
    """
    from m2r2_ros.model.bundle import load_bundle  # torch takes seconds
    from m2r2_ros.replay.labeller import Model, Outputs, Summary, label_recording
    from m2r2_ros.segmenters.decoding import Decoding
    from m2r2_ros.segmenters.learned import LearnedSegmenter

    use_cores()
    given = given_topics(topics)
    paths = source_recordings(bags)
    _expect_distinct_names(paths)
    bundle = load_bundle(model)
    asked = {'min_confidence': min_confidence, 'min_duration': min_duration, 'lag': lag}
    decoding = Decoding.from_dict(
        {**bundle.decoding, **{k: v for k, v in asked.items() if v is not None}}
    )
    segmenter = LearnedSegmenter(bundle, decoding)
    source = Model(segmenter, bundle.windows, bundle.model.modalities, bundle.id)
    delays = decoding.added_delay(1 / bundle.windows.frame_rate)
    console.print(
        f'model {bundle.id}: {len(bundle.labels.names)} labels at '
        f'{bundle.windows.frame_rate:g} Hz; the hold rule adds {delays["hold_s"]:.2f} s to a '
        f'change of label, the lag {delays["lag_s"]:.2f} s'
    )
    done: list[Summary] = []
    kept = 0
    failed: list[str] = []
    with progress_bar() as bar:
        for path in paths:
            if resume and Outputs.of(out, recording_name(path)).complete:
                kept += 1
                continue
            task = bar.add_task(recording_name(path), total=1.0)
            try:
                summary = label_recording(
                    path,
                    source,
                    out,
                    topics=given,
                    with_recording=merge,
                    overwrite=overwrite,
                    progress=partial(_advance, bar, task),
                )
            except M2R2Error as error:
                failed.append(str(error))
                bar.remove_task(task)
                continue
            bar.update(task, completed=1.0)
            done.append(summary)
    if done:
        stdout.print(_table(done))
    if kept:
        console.print(f'{kept} recordings were labelled already and are kept')
    if failed:
        msg = '; '.join(failed) + f' ({len(done)} of {len(paths)} recordings were labelled)'
        raise BagError(msg if len(paths) > 1 else failed[0])


def _advance(bar: Progress, task: TaskID, share: float) -> None:
    bar.update(task, completed=share)


def recording_name(path: Path) -> str:
    """Return the name that a recording goes by."""
    return path.resolve().name if path.is_dir() else path.stem


def _expect_distinct_names(paths: list[Path]) -> None:
    names: dict[str, Path] = {}
    for path in paths:
        other = names.setdefault(recording_name(path), path)
        if other != path:
            msg = f'{path} and {other} have one name: label them into different folders'
            raise BagError(msg)


def _table(summaries: list) -> Table:  # type: ignore[type-arg] # the class needs torch
    table = Table('recording', 'frames', 'segments', 's', 'x real time', 'masked and dropped')
    for s in summaries:
        odd = [f'{k} {n}' for k, n in s.counters.items() if k != 'windows']
        if s.truncated:
            odd.insert(0, 'recording is truncated')
        if s.twist_from_pose:
            odd.insert(0, 'twist from pose')
        table.add_row(
            s.recording,
            str(s.frames),
            str(s.segments),
            f'{s.duration_s:.1f}',
            f'{s.speed:.0f}',
            ', '.join(odd),
        )
    return table
