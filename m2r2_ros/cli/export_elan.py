# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export elan`: labels as ELAN files."""

from collections.abc import Mapping
from pathlib import Path

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.cli.common import source_recordings
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
from m2r2_ros.cli.export_many import Told, export_each, say_kept
from m2r2_ros.cli.fleet_export import with_fleet
from m2r2_ros.cli.options import Bags, Overwrite
from m2r2_ros.core.files import claim_folder
from m2r2_ros.export.labelled import Labelled, LayeredSource, label_sources, layer_sources
from m2r2_ros.export.timed import media_of, timed


@with_fleet()
def elan_command(
    bags: Bags,
    out: ExportFolder,
    labels: ExportLabels = None,
    media: Media = None,
    camera: Camera = None,
    fps: FramesPerSecond = 30.0,
    label: OnlyLabels = None,
    outcome: Outcomes = None,
    min_duration: Shortest = 0.0,
    max_duration: Longest = None,
    min_confidence: LeastConfidence = 0.0,
    overwrite: Overwrite = False,
) -> None:
    """Write an ELAN file (.eaf) of each recording.

    A tier for the labels below one for their parents; of several --labels, tiers for each, called
    after it. Times are whole milliseconds from the start of the recording. Files that are there
    already are kept.

    For example: m2r2 export elan recordings --labels labels --camera /camera/image --out elan
    """
    from m2r2_ros.export.elan import expect_pympi, write_elan

    expect_pympi()
    choice = segment_choice(label, outcome, min_duration, max_duration, min_confidence)
    sources = _sources(bags, labels or [], out)
    kept = 0

    def write(layers: Mapping[str, Labelled], told: Told) -> None:
        nonlocal kept
        one = next(iter(layers.values()))
        path = out / f'{one.name}.eaf'
        if path.exists() and not overwrite:
            kept += 1
            return
        linked = [] if media is None else [media_of(media, one.name)]
        if camera is not None:
            film = beside(out, one.name)
            write_beside(film, one.recording, camera, fps, told, overwrite=overwrite)
            linked.append(film.name)
        spans = {name: timed(choice.applied(layer)) for name, layer in layers.items()}
        write_elan(path, spans, linked)

    with claim_folder(out):
        found = export_each(sources, write)
    say_kept(kept)
    found.tell(f'{out}: {len(found.done)} ELAN files')


def _sources(bags: list[Path], labels: list[Path], out: Path) -> list[LayeredSource]:
    paths = source_recordings(bags)
    refuse_inside(out, *paths)
    if len(labels) > 1:
        return layer_sources(paths, labels)
    return [LayeredSource(one.name, {'labels': one}) for one in label_sources(paths, labels)]
