# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 viewers`: files that make rviz and Foxglove show a model's labels."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.cli.console import console
from m2r2_ros.cli.options import Overwrite
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import claim_folder


def viewers_command(
    model: Annotated[Path, typer.Argument(help='Bundle whose labels and topics are shown.')],
    out: Annotated[Path, typer.Option(help='Folder for m2r2.rviz and foxglove.json.')],
    frame: Annotated[str, typer.Option(help='Fixed frame of rviz.')] = 'base',
    overwrite: Overwrite = False,
) -> None:
    """Write a layout for Foxglove and a configuration for rviz, in the model's colours."""
    from m2r2_ros.model.facts import read_facts
    from m2r2_ros.views.viewers import FOXGLOVE_FILE, RVIZ_FILE, write_viewer_files

    facts = read_facts(model)
    refuse_inside(out, model)
    with claim_folder(out):
        for name in (FOXGLOVE_FILE, RVIZ_FILE):
            if (out / name).exists() and not overwrite:
                msg = f'{out / name} exists: choose another folder, or give --overwrite'
                raise ConfigError(msg)
        for path in write_viewer_files(out, facts.labels, facts.topics, frame):
            console.print(f'wrote {path}')
