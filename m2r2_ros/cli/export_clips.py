# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export clips`: a recording, or a video, of each segment."""

from typing import Annotated, Literal

import typer

from m2r2_ros.cli.console import console
from m2r2_ros.cli.export_choices import (
    ExportFolder,
    ExportLabels,
    FramesPerSecond,
    LeastConfidence,
    Longest,
    OnlyLabels,
    Outcomes,
    Shortest,
    segment_choice,
)
from m2r2_ros.cli.export_many import Told, export_each, export_sources
from m2r2_ros.cli.fleet_export import with_fleet
from m2r2_ros.cli.options import Bags, Overwrite
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import claim_folder
from m2r2_ros.export.clips import MANIFEST, ClipsCut, clips_of, write_manifest
from m2r2_ros.export.labelled import Labelled


@with_fleet(dataset=True)
def clips_command(
    bags: Bags,
    out: ExportFolder,
    labels: ExportLabels = None,
    kind: Annotated[
        Literal['bag', 'mp4'], typer.Option('--as', help='What a clip is: a bag, or a video.')
    ] = 'bag',
    label: OnlyLabels = None,
    outcome: Outcomes = None,
    min_duration: Shortest = 0.0,
    max_duration: Longest = None,
    min_confidence: LeastConfidence = 0.0,
    pad: Annotated[
        float, typer.Option(help='Seconds before and after a segment in its clip.', min=0.0)
    ] = 0.0,
    topic: Annotated[
        list[str] | None,
        typer.Option(help='Only this topic in bags; repeatable. All by default.'),
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(help='Topic of images of videos; repeatable. All cameras by default.'),
    ] = None,
    fps: FramesPerSecond = 30.0,
    overwrite: Overwrite = False,
) -> None:
    """Write a recording, or a video, of each segment.

    Clips are called NAME_0012_insert and listed in clips.csv and clips.json. A bag has the messages
    of its span as they are, latched ones from before it, and the labels within. Clips that are
    there already are kept, so that an interrupted run goes on.

    For example: m2r2 export clips recordings --label insert --outcome failure --pad 1 --out clips
    """
    if (topic and kind != 'bag') or (camera and kind != 'mp4'):
        msg = '--topic is for --as bag, --camera for --as mp4'
        raise ConfigError(msg)
    choice = segment_choice(label, outcome, min_duration, max_duration, min_confidence)
    sources = export_sources(bags, labels, out)

    def write(one: Labelled, told: Told) -> ClipsCut:
        clips = clips_of(one, choice, pad)
        if not clips:
            console.print(f'{one.name}: no segment is as asked for', soft_wrap=True)
            return ClipsCut()
        if kind == 'mp4':
            from m2r2_ros.export.clip_films import cut_films

            return cut_films(
                out, one.recording, clips, camera or (), fps, told, overwrite=overwrite
            )
        from m2r2_ros.export.clip_bags import cut_bags
        from m2r2_ros.export.clip_labels import clip_labels

        return cut_bags(out, clip_labels(one), clips, topic or (), told, overwrite=overwrite)

    with claim_folder(out):
        found = export_each(sources, write)
        rows = [row for cut in found.done for row in cut.rows()]
        if found.done:
            write_manifest(out, rows)
    failed = [why for cut in found.done for why in cut.failed]
    found.tell(f'{out / MANIFEST}.csv: {len(rows)} clips of {len(found.done)} recordings', failed)
