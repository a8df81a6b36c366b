# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The way from recordings and their labels to a data set of frames, whatever its format."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from m2r2_ros.bags.finding import expect_distinct_names
from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.bags.recording import recording_name
from m2r2_ros.cli.common import recording_bars, source_recordings
from m2r2_ros.cli.console import console, stdout
from m2r2_ros.core.errors import BagError, M2R2Error, NoTruthError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.text import listed

if TYPE_CHECKING:  # reading recordings takes a while to import
    from m2r2_ros.export.frames.feed import EpisodeWriter, Fed, FrameOptions, FramePlan
    from m2r2_ros.export.labelled import Labelled


def export_frames(
    bags: list[Path],
    labels: list[Path],
    out: Path,
    options: 'FrameOptions',
    make: Callable[[Path, 'FramePlan', tuple[str, ...]], 'EpisodeWriter'],
    *,
    unlabelled: bool,
    overwrite: bool,
) -> None:
    """Export recordings; what fails is told at the end.

    Args:
        bags: Recordings, and folders of them.
        labels: Their labels; none for their own.
        out: Folder of the data set.
        options: Which frames it has.
        make: Makes the writer, of a folder, what frames have, and the names of all labels.
        unlabelled: Recordings without labels are exported, too.
        overwrite: Replace a data set that is there.

    Raises:
        M2R2Error: Nothing could be exported, or some of it.
    """
    from m2r2_ros.export.frames.episodes import label_names
    from m2r2_ros.export.frames.feed import plan_frames
    from m2r2_ros.export.frames.folder import data_set_folder

    paths = source_recordings(bags)
    expect_distinct_names(paths)
    refuse_inside(out, *paths, *labels)
    labelled, failed = _labelled(paths, labels, unlabelled=unlabelled)
    if not labelled:
        raise _failure(failed, len(paths))
    plan = plan_frames([one.recording for one in labelled], options)
    _announce(plan)
    with data_set_folder(out, overwrite=overwrite) as folder:
        writer = make(folder, plan, label_names(labelled))
        try:
            outcomes = _feed(labelled, plan, writer)
            done = [one for one in outcomes if not one.error]
            failed += [one.error for one in outcomes if one.error]
            if not done:
                raise _failure(failed, len(paths))
            writer.finish(_about(plan, done))
        finally:
            writer.close()
    _report(done, out)
    if failed:
        raise _failure(failed, len(paths))


def _labelled(
    paths: Sequence[Path], labels: Sequence[Path], *, unlabelled: bool
) -> tuple[list['Labelled'], list[str]]:
    """Return recordings with their labels, and why others cannot be exported."""
    from m2r2_ros.export.labelled import Labelled, label_sources

    found, failed = [], []
    for source in label_sources(paths, labels):
        path, name = source.recording, source.name
        try:
            found.append(source.read())
        except NoTruthError as error:
            if unlabelled:
                found.append(Labelled(path, name, (), LabelSet.of(()), path))
            else:
                failed.append(f'{error}; --unlabelled exports it all the same')
        except M2R2Error as error:
            failed.append(str(error))
    return found, failed


def _feed(
    labelled: Sequence['Labelled'], plan: 'FramePlan', writer: 'EpisodeWriter'
) -> list['Fed']:
    """Export the recordings under a progress bar each."""
    from m2r2_ros.export.frames.feed import feed

    outcomes = []
    with recording_bars() as show:
        for fed in feed(labelled, plan, writer, show):
            if fed.error:
                show.drop(fed.recording)
            else:
                show(fed.recording, 1.0)
            outcomes.append(fed)
    return outcomes


def _about(plan: 'FramePlan', done: Sequence['Fed']) -> dict[str, Any]:
    """Return how a data set was made, as it keeps it."""
    return {
        'fps': plan.fps,
        'action': plan.options.action,
        'episodes': plan.options.episodes.value,
        'recordings': [recording_name(one.recording) for one in done],
    }


def _announce(plan: 'FramePlan') -> None:
    """Say what frames have."""
    schema = plan.schema
    has = [*schema.cameras, *(f'{name} ({len(n)})' for name, n in schema.vectors.items())]
    console.print(f'{plan.fps} frames per second with {listed(has, 20)}', soft_wrap=True)
    if schema.action:
        console.print(f'action: {listed(schema.action, 20)}', soft_wrap=True)
    elif plan.commands:
        console.print(
            f'no action: {listed(plan.commands, 10)} have commands; choose one with --action',
            soft_wrap=True,
        )
    else:
        console.print('no action: no topic has commands; --action next-state takes the next state')


def _report(done: Sequence['Fed'], out: Path) -> None:
    for fed in done:
        for note in fed.notes:
            console.print(f'{recording_name(fed.recording)}: {note}', soft_wrap=True)
    episodes, frames = sum(fed.episodes for fed in done), sum(fed.frames for fed in done)
    stdout.print(f'{out}: {episodes} episodes, {frames} frames', soft_wrap=True)


def _failure(failed: Sequence[str], count: int) -> BagError:
    if count == 1:
        return BagError(*failed)
    return BagError(f'{len(failed)} of {count} recordings could not be exported', *failed)
