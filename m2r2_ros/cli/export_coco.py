# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export coco`: segments as JSON."""

from m2r2_ros.cli.export_choices import (
    ExportFolder,
    ExportLabels,
    LeastConfidence,
    Longest,
    Media,
    OnlyLabels,
    Outcomes,
    Shortest,
    segment_choice,
)
from m2r2_ros.cli.export_many import expect_new, export_each, export_sources
from m2r2_ros.cli.fleet_export import with_fleet
from m2r2_ros.cli.options import Bags, Overwrite
from m2r2_ros.core.files import claim_folder
from m2r2_ros.export.coco import write_coco
from m2r2_ros.export.timed import timed


@with_fleet(dataset=True)
def coco_command(
    bags: Bags,
    out: ExportFolder,
    labels: ExportLabels = None,
    media: Media = None,
    label: OnlyLabels = None,
    outcome: Outcomes = None,
    min_duration: Shortest = 0.0,
    max_duration: Longest = None,
    min_confidence: LeastConfidence = 0.0,
    overwrite: Overwrite = False,
) -> None:
    """Write the segments of all recordings as one JSON.

    segments.json has videos, categories with their supercategory, and annotations, whose times are
    seconds from the start of the recording, and nanoseconds on its clock.

    For example: m2r2 export coco recordings --labels labels --out coco
    """
    sources = export_sources(bags, labels, out)
    path = out / 'segments.json'
    choice = segment_choice(label, outcome, min_duration, max_duration, min_confidence)
    with claim_folder(out):
        expect_new(path, overwrite=overwrite)
        found = export_each(sources, lambda one, _: timed(choice.applied(one)))
        count = write_coco(path, found.done, media) if found.done else 0
    found.tell(f'{path}: {count} segments of {len(found.done)} recordings')
