# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export atlas`: annotations, and recordings that ATLAS opens."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.bags.recording import open_recording
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
from m2r2_ros.cli.export_many import Told, expect_new, export_each, export_sources, say_kept
from m2r2_ros.cli.fleet_export import with_fleet
from m2r2_ros.cli.options import Bags, Overwrite
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import claim_folder
from m2r2_ros.export.labelled import Labelled, common_label_set
from m2r2_ros.export.timed import TimedLabels, timed, write_json


@with_fleet(dataset=True)
def atlas_command(
    bags: Bags,
    out: ExportFolder,
    dataset: Annotated[
        str, typer.Option(help='Name of all recordings together, which files are called after.')
    ] = 'm2r2',
    labels: ExportLabels = None,
    copy: Annotated[
        bool,
        typer.Option(
            '--copy/--no-copy', help='Copy recordings to .db3 bags, since ATLAS reads no MCAP.'
        ),
    ] = True,
    fps: FramesPerSecond = 30.0,
    label: OnlyLabels = None,
    outcome: Outcomes = None,
    min_duration: Shortest = 0.0,
    max_duration: Longest = None,
    min_confidence: LeastConfidence = 0.0,
    overwrite: Overwrite = False,
) -> None:
    """Write annotations for ATLAS, and copies of the recordings that it can open.

    annotations/DATASET_annotations.json, bags/NAME, and DATASET.yaml, with which ATLAS is started.
    Copies that are there already are kept. --truth and --labels of other commands take the
    annotations that ATLAS has saved.

    For example: m2r2 export atlas recordings --labels labels --dataset cell --out atlas
    """
    from m2r2_ros.export.atlas import ANNOTATIONS_FILE, annotations_of_atlas, write_atlas_config

    if not dataset or Path(dataset).name != dataset or dataset.startswith('.'):
        msg = f"--dataset '{dataset}': expected a name that a file can have"
        raise ConfigError(msg)
    choice = segment_choice(label, outcome, min_duration, max_duration, min_confidence)
    sources = export_sources(bags, labels, out)
    path = out / 'annotations' / f'{dataset}{ANNOTATIONS_FILE}'
    kept: list[bool] = []

    def write(one: Labelled, told: Told) -> TimedLabels:
        own = timed(choice.applied(one))
        if copy:
            kept.append(_copy(one, out / 'bags', told, overwrite=overwrite))
        return own

    with claim_folder(out):
        expect_new(path, out / f'{dataset}.yaml', overwrite=overwrite)
        found = export_each(sources, write)
        if found.done:
            names = common_label_set([one.labelled for one in found.done]).names
            write_json(path, {one.labelled.name: annotations_of_atlas(one) for one in found.done})
            write_atlas_config(out / f'{dataset}.yaml', dataset, found.done, names, fps)
    say_kept(sum(kept))
    found.tell(f'{path}: annotations of {len(found.done)} recordings')


def _copy(one: Labelled, folder: Path, told: Told, *, overwrite: bool) -> bool:
    """Copy a recording, unless that was done before; returns whether it was."""
    from m2r2_ros.export.atlas import copy_to_sqlite

    target = folder / one.name
    if target.exists() and not overwrite:
        return True
    copy_to_sqlite(target, open_recording(one.recording), told, overwrite=overwrite)
    return False
