# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 label`: recordings to label bags."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from m2r2_ros.bags.labels.merge import merge as merge_labels
from m2r2_ros.cli.common import (
    Bags,
    Overwrite,
    Topics,
    console,
    expect_distinct_names,
    given_topics,
    progress_bar,
    recording_name,
    source_recordings,
    stdout,
    use_cores,
)
from m2r2_ros.core.errors import BagError, M2R2Error

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.replay.labeller import Outputs, Summary


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
    from m2r2_ros.replay.labeller import Model, Outputs, label_recording
    from m2r2_ros.segmenters.base import WHOLE_RECORDING
    from m2r2_ros.segmenters.decoding import Decoding
    from m2r2_ros.segmenters.offline import segmenter_of

    use_cores()
    given = given_topics(topics)
    paths = source_recordings(bags)
    expect_distinct_names(paths)
    bundle = load_bundle(model)
    asked = {'min_confidence': min_confidence, 'min_duration': min_duration, 'lag': lag}
    decoding = Decoding.from_dict(
        {**bundle.decoding, **{k: v for k, v in asked.items() if v is not None}}
    )
    segmenter = segmenter_of(bundle, decoding)
    source = Model(segmenter, bundle.windows, bundle.model.modalities, bundle.id)
    delays = decoding.added_delay(1 / bundle.windows.frame_rate)
    console.print(
        f'model {bundle.id}: {len(bundle.labels.names)} labels at '
        f'{bundle.windows.frame_rate:g} Hz; the hold rule adds {delays["hold_s"]:.2f} s to a '
        f'change of label, the lag {delays["lag_s"]:.2f} s'
    )
    if segmenter.revision_lag == WHOLE_RECORDING:
        console.print(f'head {bundle.model.head.name} is offline: it sees the whole recording')
    done: list[Summary] = []
    kept = 0
    failed: list[str] = []
    with progress_bar() as bar:
        for path in paths:
            task = bar.add_task(recording_name(path), total=1.0)
            try:
                outputs = Outputs.of(out, recording_name(path))
                if resume and _is_done(outputs, bundle.id, overwrite=overwrite):
                    if merge and not outputs.merged.exists():
                        merge_labels(path, outputs.labels, outputs.merged)
                    bar.update(task, completed=1.0)
                    kept += 1
                    continue
                summary = label_recording(
                    path,
                    source,
                    out,
                    topics=given,
                    with_recording=merge,
                    # Bags without a table beside them are those of a run that was interrupted.
                    overwrite=overwrite or (resume and not outputs.segments.exists()),
                    progress=partial(_advance, bar, task),
                )
            except (M2R2Error, OSError) as error:
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
        count = f'{len(failed)} of {len(paths)} recordings could not be labelled'
        raise BagError('\n  '.join([count, *failed]) if len(paths) > 1 else failed[0])


def _is_done(outputs: 'Outputs', model_id: str, *, overwrite: bool) -> bool:
    """Tell whether a recording is labelled by this very model."""
    labelled_by = outputs.labelled_by()
    if labelled_by in ('', model_id):
        return labelled_by != ''
    if overwrite:
        return False
    msg = (
        f'{outputs.labels} was labelled by model {labelled_by}, not {model_id}: --overwrite '
        'replaces it, another --out keeps it'
    )
    raise BagError(msg)


def _advance(bar: Progress, task: TaskID, share: float) -> None:
    bar.update(task, completed=share)


def _table(summaries: 'list[Summary]') -> Table:
    table = Table('recording', 'frames', 'segments', 's', 'x real time', 'masked and dropped')
    for s in summaries:
        odd = [f'{k} {n}' for k, n in s.counters.items() if k != 'windows']
        if s.truncated:
            odd.insert(0, 'recording is truncated')
        if s.twist_from_pose:
            odd.insert(0, 'twist from pose')
        odd[:0] = [f'no topic {topic} for {m}' for m, topic in s.absent_topics.items()]
        table.add_row(
            s.recording,
            str(s.frames),
            str(s.segments),
            f'{s.duration_s:.1f}',
            f'{s.speed:.0f}',
            ', '.join(odd),
        )
    return table
