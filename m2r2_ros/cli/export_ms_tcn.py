# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export ms-tcn`: a label for each frame."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.cli.export_choices import ExportFolder, ExportLabels, FramesPerSecond
from m2r2_ros.cli.export_many import Told, expect_new, export_each, export_sources
from m2r2_ros.cli.fleet_export import with_fleet
from m2r2_ros.cli.options import Bags, Overwrite
from m2r2_ros.core.files import claim_folder
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.export.labelled import Labelled, common_label_set
from m2r2_ros.export.ms_tcn import plain_names, write_frame_labels, write_layout
from m2r2_ros.export.timed import timed


@with_fleet(dataset=True)
def ms_tcn_command(
    bags: Bags,
    out: ExportFolder,
    test: Annotated[
        list[Path] | None,
        typer.Option(help='Recordings of the part for tests; repeatable. Others are for training.'),
    ] = None,
    validate: Annotated[
        list[Path] | None,
        typer.Option('--validate', help='Recordings of the part for validation; repeatable.'),
    ] = None,
    labels: ExportLabels = None,
    fps: FramesPerSecond = 30.0,
    overwrite: Overwrite = False,
) -> None:
    """Write a label for each frame, in the layout of MS-TCN and of m2r2 features.

    groundTruth/NAME.txt, mapping.txt, splits/*.bundle, and features.yaml with the frame rate; the
    first frame is at the start of the recording. m2r2 features writes features beside labels.

    For example: m2r2 export ms-tcn train --test test --labels labels --fps 15 --out frames
    """
    given = {'train': bags, 'val': validate or [], 'test': test or []}
    sources = export_sources([path for paths in given.values() for path in paths], labels, out)
    parts = _parts(given, [source.recording for source in sources])
    unlabelled: list[bool] = []

    def write(one: Labelled, _: Told) -> Labelled:
        own = timed(one)
        path = out / 'groundTruth' / f'{one.name}.txt'
        unlabelled.append(write_frame_labels(path, own, fps))
        label_set = LabelSet(tuple(plain_names(own)), one.label_set.parents)
        return replace(one, label_set=label_set, segments=())

    with claim_folder(out):
        own = [out / 'groundTruth' / f'{source.name}.txt' for source in sources]
        expect_new(out / 'mapping.txt', *own, overwrite=overwrite)
        found = export_each(sources, write)
        if found.done:
            done = {one.recording: one.name for one in found.done}
            names = {
                part: [done[path] for path in paths if path in done]
                for part, paths in parts.items()
            }
            common = common_label_set(found.done)
            write_layout(out, common, names, fps, unlabelled=any(unlabelled))
    found.tell(f'{out}: labels of {len(found.done)} recordings, {fps:g} frames per second')


def _parts(given: dict[str, list[Path]], recordings: list[Path]) -> dict[str, list[Path]]:
    """Return the recordings of each part; one that several parts hold is of the last of them."""
    roots = {part: [path.resolve() for path in paths] for part, paths in given.items()}
    parts: dict[str, list[Path]] = {part: [] for part in given}
    for recording in recordings:
        real = recording.resolve()
        own = [
            part
            for part, paths in roots.items()
            if any(real == root or root in real.parents for root in paths)
        ]
        parts[own[-1] if own else 'train'].append(recording)
    return parts
