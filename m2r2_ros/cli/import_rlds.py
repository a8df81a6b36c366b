# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 import rlds`: episodes of RLDS datasets to bags."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.steps.datasets import episode_number, is_rlds
from m2r2_ros.cli.common import say_passed_over
from m2r2_ros.cli.import_episodes import import_recordings
from m2r2_ros.cli.options import Overwrite
from m2r2_ros.core.errors import BagError


def rlds_command(
    source: Annotated[
        Path,
        typer.Option(
            '--input',
            help='An RLDS dataset in TFRecords, as TFDS writes it: NAME/VERSION; or an episode: '
            'NAME/VERSION/train_000001.',
        ),
    ],
    out: Annotated[
        Path, typer.Option(help='A folder for the bags; for one episode, the bag to write.')
    ],
    rate: Annotated[
        float | None,
        typer.Option(
            help='Steps per second of episodes without stamps; by default 10.', min=0.001, max=1e5
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Turn episodes of an RLDS dataset into bags, with subtasks or instructions as ground truth.

    Other commands also open episodes where they are. Those that have been imported before are
    kept.

    For example: m2r2 import rlds --input bridge/1.0.0 --rate 5 --out bags
    """

    def opened(path: Path) -> Recording:
        if rate is None:
            return open_recording(path)
        from m2r2_ros.bags.rlds.source import open_rlds

        return Recording(path, [open_rlds(path.parent, *episode_number(path), Fraction(str(rate)))])

    found = [p for p in find_recordings([source], say_passed_over) if is_rlds(p.parent)]
    if not found:
        msg = f'{source} is no RLDS dataset, no episode of one, nor a folder that holds some'
        raise BagError(msg)
    import_recordings(found, source, out, opened, 'RLDS', overwrite=overwrite)
