# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 export`: recordings and their labels in the formats of other tools, one command each."""

from typing import Final

import typer

from m2r2_ros.cli.lazy import LazyGroup, Listed

#: The commands by format, in the order of `m2r2 export --help`.
FORMATS: Final = {
    'lerobot': Listed(
        'export_lerobot:lerobot_command', 'Write a LeRobot v3 dataset, with labels as subtasks.'
    ),
    'rlds': Listed('export_rlds:rlds_command', 'Write an RLDS dataset, with a label per step.'),
    'elan': Listed('export_elan:elan_command', 'Write an ELAN file (.eaf) of each recording.'),
    'label-studio': Listed(
        'export_label_studio:label_studio_command',
        'Write tasks for Label Studio, and the configuration of its labelling page.',
    ),
    'atlas': Listed(
        'export_atlas:atlas_command',
        'Write annotations for ATLAS, and copies of the recordings that it can open.',
    ),
    'ms-tcn': Listed(
        'export_ms_tcn:ms_tcn_command',
        'Write a label for each frame, in the layout of MS-TCN and of m2r2 features.',
    ),
    'coco': Listed('export_coco:coco_command', 'Write the segments of all recordings as one JSON.'),
    'foxglove': Listed(
        'export_foxglove:foxglove_command', 'Write segments as events for Foxglove.'
    ),
    'clips': Listed(
        'export_clips:clips_command', 'Write a recording, or a video, of each segment.'
    ),
}


class Formats(LazyGroup):
    """The group of formats."""

    listed = FORMATS


export_app = typer.Typer(
    cls=Formats,
    help='Write recordings and their labels in the formats of other tools.',
    no_args_is_help=True,
    add_completion=False,
)


@export_app.callback()
def export_callback() -> None:
    """Write recordings and their labels in the formats of other tools."""
