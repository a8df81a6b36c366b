# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth in files of its own, on the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.recording import recording_name
from m2r2_ros.cli.common import expect_scorable, source_recordings
from m2r2_ros.core.errors import LabelError


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


@dataclass(frozen=True, slots=True)
class TrainingSources:
    """What a command trains and validates on.

    Attributes:
        trained: Recordings to train on.
        held_out: Recordings to validate on.
        truths: Ground truth files by the name of the recording.
    """

    trained: list[Path]
    held_out: list[Path]
    truths: dict[str, Path]

    @property
    def recordings(self) -> list[Path]:
        """All recordings that are read."""
        return self.trained + self.held_out


def training_sources(
    bags: Sequence[Path], validate: Sequence[Path] | None, truth: Sequence[Path] | None
) -> TrainingSources:
    """Find the recordings and their ground truth, before a training that may take hours.

    Raises:
        M2R2Error: A recording is both trained and validated on, or cannot be scored.
    """
    trained = source_recordings(list(bags))
    held_out = source_recordings(list(validate)) if validate else []
    truths = truth_files(list(truth or []), trained + held_out)
    expect_scorable(trained, held_out, truths)
    return TrainingSources(trained, held_out, truths)
