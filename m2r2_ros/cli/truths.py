# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth that lies beside recordings, on the command line."""

from pathlib import Path
from typing import Annotated

import typer

from m2r2_ros.bags.recording import recording_name
from m2r2_ros.core.errors import LabelError

Truths = Annotated[
    list[Path] | None,
    typer.Option('--truth', help='Ground truth CSV files, or folders of them, matched by name.'),
]


def truth_files(paths: list[Path], recordings: list[Path]) -> dict[str, Path]:
    """Return ground truth files by the name of the recording."""
    files = [f for p in paths for f in (sorted(p.glob('*.csv')) if p.is_dir() else [p])]
    names = sorted({recording_name(r) for r in recordings})
    truths: dict[str, Path] = {}
    for file in files:
        if not file.is_file():
            msg = f'{file}: no such file; --truth takes CSV files or folders of them'
            raise LabelError(msg)
        name = file.stem if file.stem in names else file.stem.removesuffix('_segments')
        other = truths.setdefault(name, file)
        if other != file:
            msg = f'{other} and {file} are both ground truth of {name}: give one of them'
            raise LabelError(msg)
    if paths and truths.keys().isdisjoint(names):
        found = ', '.join(f.name for f in files) or 'none'
        msg = (
            f'{", ".join(map(str, paths))}: no CSV file there belongs to a recording; found '
            f'{found}, expected NAME.csv for one of {", ".join(names)}'
        )
        raise LabelError(msg)
    return truths
