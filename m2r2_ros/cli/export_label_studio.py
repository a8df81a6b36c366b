# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export label-studio`: labels as tasks."""

from pathlib import Path
from typing import Annotated, Any

import typer

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.cli.export_choices import (
    Camera,
    ExportFolder,
    ExportLabels,
    FramesPerSecond,
    LeastConfidence,
    Longest,
    Media,
    OnlyLabels,
    Outcomes,
    Shortest,
    segment_choice,
)
from m2r2_ros.cli.export_films import beside, write_beside
from m2r2_ros.cli.export_many import Told, expect_new, export_each, export_sources
from m2r2_ros.cli.fleet_export import with_fleet
from m2r2_ros.cli.options import Bags, Overwrite
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import claim_folder
from m2r2_ros.export.labelled import Labelled, common_label_set
from m2r2_ros.export.timed import media_of, timed, write_json


@with_fleet(dataset=True)
def label_studio_command(
    bags: Bags,
    out: ExportFolder,
    labels: ExportLabels = None,
    media: Media = None,
    camera: Camera = None,
    signals: Annotated[
        bool,
        typer.Option(
            '--signals', help='Label NAME.csv with forces, motion and such instead of a video.'
        ),
    ] = False,
    fps: FramesPerSecond = 30.0,
    label: OnlyLabels = None,
    outcome: Outcomes = None,
    min_duration: Shortest = 0.0,
    max_duration: Longest = None,
    min_confidence: LeastConfidence = 0.0,
    overwrite: Overwrite = False,
) -> None:
    """Write tasks for Label Studio, and the configuration of its labelling page.

    tasks.json has annotations of people, and predictions where a model made the labels; config.xml
    has the labels and their colours. Without --media, Label Studio looks for videos in its local
    storage, whose root then is the output folder.

    For example: m2r2 export label-studio recordings --camera /camera/image --out tasks
    """
    from m2r2_ros.export.label_studio import LOCAL_FILES, Shown, task_of, write_config

    if signals and camera is not None:
        msg = '--signals labels tables instead of a video: leave out --camera'
        raise ConfigError(msg)
    choice = segment_choice(label, outcome, min_duration, max_duration, min_confidence)
    sources = export_sources(bags, labels, out)
    shown = Shown.SIGNALS if signals else Shown.VIDEO
    pattern = media or f'{LOCAL_FILES}{{name}}.{"csv" if signals else "mp4"}'
    channels: list[list[str]] = []

    def write(one: Labelled, told: Told) -> tuple[Labelled, dict[str, Any]]:
        task = task_of(timed(choice.applied(one)), shown, media_of(pattern, one.name), fps)
        if camera is not None:
            write_beside(
                beside(out, one.name), one.recording, camera, fps, told, overwrite=overwrite
            )
        if signals:
            channels.append(_write_table(out / f'{one.name}.csv', one, fps, told))
        return one, task

    path = out / 'tasks.json'
    with claim_folder(out):
        expect_new(path, out / 'config.xml', overwrite=overwrite)
        found = export_each(sources, write)
        if found.done:
            label_set = common_label_set([one for one, _ in found.done])
            write_config(out / 'config.xml', label_set, shown, fps, _common(channels))
            write_json(path, [task for _, task in found.done])
    found.tell(f'{path}: {len(found.done)} tasks')


def _write_table(path: Path, one: Labelled, fps: float, told: Told) -> list[str]:
    """Write the signals of a recording; returns the names of the columns."""
    from m2r2_ros.export.signals import write_signals

    recording = open_recording(one.recording)
    return write_signals(path, recording, timed(one).start, max(round(fps), 1), told)


def _common(channels: list[list[str]]) -> list[str]:
    """Return the columns that all tables have."""
    return (
        [name for name in channels[0] if all(name in own for own in channels)] if channels else []
    )
