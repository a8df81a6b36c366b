# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 viewers`: files that make rviz, Foxglove and Rerun show labels."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.cli.console import console
from m2r2_ros.cli.options import Annotator, LabelBags, Overwrite, TruthRate, Truths, TruthTopic
from m2r2_ros.core.errors import ConfigError, LabelError
from m2r2_ros.core.files import claim_folder

if TYPE_CHECKING:  # layouts of a model need no recordings
    from m2r2_ros.bags.labels.sources import TruthOptions


def viewers_command(
    out: Annotated[
        Path, typer.Option(help='Folder for the layouts and m2r2.rviz; with --rerun an .rrd file.')
    ],
    model: Annotated[
        Path | None, typer.Argument(help='Bundle whose labels and topics are shown.')
    ] = None,
    frame: Annotated[str, typer.Option(help='Fixed frame of rviz.')] = 'base',
    rerun: Annotated[
        Path | None,
        typer.Option(help='Recording whose labels and ground truth become lanes for Rerun.'),
    ] = None,
    labels: LabelBags = None,
    truth: Truths = None,
    truth_topic: TruthTopic = None,
    truth_rate: TruthRate = None,
    annotator: Annotator = None,
    overwrite: Overwrite = False,
) -> None:
    """Write layouts for Foxglove and a configuration for rviz; or lanes of labels for Rerun.

    The layouts have the labels and topics of a model. With --rerun there is no model: --labels and
    --truth, or what is in the recording, become an .rrd that joins the converted recording.

    For example: m2r2 viewers my_model --out viewers
    """
    if (model is None) == (rerun is None):
        msg = 'expected either a model or --rerun with a recording'
        raise ConfigError(msg)
    if rerun is not None:
        from m2r2_ros.cli.truths import truth_options

        options = truth_options(truth_topic, truth_rate, annotator)
        _write_lanes(out, rerun, labels or [], truth or [], options, overwrite=overwrite)
        return
    if labels or truth or truth_topic or truth_rate or annotator:
        msg = 'labels and ground truth are of a recording, which --rerun names'
        raise ConfigError(msg)
    if model is not None:
        _write_layouts(out, model, frame, overwrite=overwrite)


def _write_layouts(out: Path, model: Path, frame: str, *, overwrite: bool) -> None:
    """Write the files of a model's labels and topics."""
    from m2r2_ros.model.facts import read_facts
    from m2r2_ros.views.viewers import FILES, write_viewer_files

    facts = read_facts(model)
    refuse_inside(out, model)
    with claim_folder(out):
        for name in FILES:
            _expect_free(out / name, overwrite=overwrite)
        for path in write_viewer_files(out, facts.labels, facts.topics, frame):
            console.print(f'wrote {path}')


def _write_lanes(
    out: Path,
    recording: Path,
    labels: Sequence[Path],
    truth: Sequence[Path],
    options: 'TruthOptions',
    *,
    overwrite: bool,
) -> None:
    """Write an .rrd of a recording's labels, and say what joins it."""
    from m2r2_ros.bags.recording import recording_name
    from m2r2_ros.cli.label_rows import read_rows
    from m2r2_ros.views.rerun_lanes import APPLICATION, write_lanes

    if out.suffix != '.rrd':
        msg = f'--out {out}: expected an .rrd file'
        raise ConfigError(msg)
    refuse_inside(out, recording)
    _expect_free(out, overwrite=overwrite)
    found = read_rows(recording, labels, truth, options)
    if not found.truth and not found.rows:
        msg = f'{recording} has neither labels nor ground truth: give --labels or --truth'
        raise LabelError(msg)
    name = recording_name(recording)
    lanes = {'ground_truth': found.truth, **found.rows} if found.truth else found.rows
    write_lanes(out, name, lanes, found.label_set)
    console.print(f'wrote {out}', soft_wrap=True)
    convert = [
        f'rerun mcap convert {shlex.quote(str(file))} --application-id {APPLICATION} '
        f'--recording-id {shlex.quote(name)} -o {shlex.quote(f"{file.stem}.rrd")}'
        for file in ([recording] if recording.is_file() else sorted(recording.glob('*.mcap')))
    ]
    for line in ['what joins it:', *convert] if convert else []:
        console.print(line, soft_wrap=True)


def _expect_free(path: Path, *, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        msg = f'{path} exists: choose another place, or give --overwrite'
        raise ConfigError(msg)
