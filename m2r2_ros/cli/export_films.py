# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Films of whole recordings, which exports of labels link to."""

from pathlib import Path

from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.cli.export_many import Told


def beside(out: Path, name: str) -> Path:
    """Return where the film of a recording is."""
    return out / f'{name}.mp4'


def write_beside(
    path: Path, recording: Path, camera: str, rate: float, told: Told, *, overwrite: bool
) -> None:
    """Write a film of a recording from its start to its end, unless it is there already.

    Raises:
        M2R2Error: It cannot be made.
    """
    from m2r2_ros.export.film import FilmPlan, write_film

    if path.exists() and not overwrite:
        return
    opened = open_recording(recording)
    clock = clock_of(opened)
    write_film(path, opened, FilmPlan(camera, clock.start, clock.end, rate), told)
