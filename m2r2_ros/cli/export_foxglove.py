# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export foxglove`: segments as events."""

from typing import Annotated

import typer

from m2r2_ros.cli.export_choices import (
    ExportFolder,
    ExportLabels,
    LeastConfidence,
    Longest,
    OnlyLabels,
    Outcomes,
    Shortest,
    segment_choice,
)
from m2r2_ros.cli.export_many import Told, expect_new, export_each, export_sources
from m2r2_ros.cli.fleet_export import with_fleet
from m2r2_ros.cli.options import Bags, Overwrite
from m2r2_ros.core.files import claim_folder
from m2r2_ros.export.labelled import Labelled


@with_fleet(dataset=True)
def foxglove_command(
    bags: Bags,
    out: ExportFolder,
    device: Annotated[
        str,
        typer.Option(help="The robot's name in Foxglove; {name} stands for the recording's name."),
    ] = 'robot',
    labels: ExportLabels = None,
    label: OnlyLabels = None,
    outcome: Outcomes = None,
    min_duration: Shortest = 0.0,
    max_duration: Longest = None,
    min_confidence: LeastConfidence = 0.0,
    overwrite: Overwrite = False,
) -> None:
    """Write segments as events for Foxglove.

    events.ndjson has the body of a request to its API in each line; NAME_events is a bag of
    foxglove_msgs/msg/Event on /action_events, which is opened beside the recording.

    For example: m2r2 export foxglove recordings --device cell_1 --out foxglove
    """
    from m2r2_ros.export.foxglove import write_event_bag, write_events

    sources = export_sources(bags, labels, out)
    path = out / 'events.ndjson'
    choice = segment_choice(label, outcome, min_duration, max_duration, min_confidence)

    def write(one: Labelled, _: Told) -> Labelled:
        chosen = choice.applied(one)
        write_event_bag(out / f'{one.name}_events', chosen, overwrite=overwrite)
        return chosen

    with claim_folder(out):
        own = [out / f'{source.name}_events' for source in sources]
        expect_new(path, *own, overwrite=overwrite)
        found = export_each(sources, write)
        count = write_events(path, found.done, device) if found.done else 0
    found.tell(f'{path}: {count} events of {len(found.done)} recordings')
