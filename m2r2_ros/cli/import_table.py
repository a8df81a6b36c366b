# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 import`: other people's data to bags."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.bags.tables.importer import ImportReport, find_trials, import_table
from m2r2_ros.cli.console import stdout
from m2r2_ros.cli.import_lerobot import lerobot_command
from m2r2_ros.cli.import_many import import_all
from m2r2_ros.cli.import_reassemble import reassemble_command
from m2r2_ros.cli.import_rlds import rlds_command
from m2r2_ros.cli.import_ros1 import ros1_command
from m2r2_ros.cli.options import Overwrite
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.share import share_path

import_app = typer.Typer(
    help="Turn other people's data into bags.", no_args_is_help=True, add_completion=False
)


import_app.command('reassemble')(reassemble_command)
import_app.command('lerobot')(lerobot_command)
import_app.command('rlds')(rlds_command)
import_app.command('ros1')(ros1_command)


@import_app.command('table')
def table_command(
    spec: Annotated[
        Path, typer.Argument(help='Import specification, or the name of one that is shipped.')
    ],
    source: Annotated[
        Path,
        typer.Option('--input', help='Folder with the text tables, or a folder of such folders.'),
    ],
    out: Annotated[Path, typer.Option(help='The bag to write; for many, a folder of bags.')],
    overwrite: Overwrite = False,
) -> None:
    """Turn a folder of time-stamped text tables into a bag with ground truth.

    In a folder of such folders, each becomes a bag of its name, and those that have been imported
    before are kept.

    For example: m2r2 import table hiro_snap_assembly --input trials --out bags
    """
    path = _find(spec)
    trials = find_trials(path, source)
    if trials == [source]:
        _print(import_table(path, source, out, overwrite=overwrite))
        return
    refuse_inside(out, *trials)
    bags = {out / trial.name: trial for trial in trials}
    import_all(
        {bag: partial(_import_one, path, trial, bag, overwrite) for bag, trial in bags.items()},
        overwrite=overwrite,
    )


def _import_one(spec: Path, source: Path, out: Path, overwrite: bool, bar: Progress) -> None:
    task = bar.add_task(source.name, total=None)
    try:
        _print(import_table(spec, source, out, overwrite=overwrite))
    finally:
        bar.remove_task(task)


def _print(report: ImportReport) -> None:
    seconds = (report.end - report.start) * 1e-9
    stdout.print(f'{report.out}: {seconds:.2f} s', highlight=False, soft_wrap=True)
    for topic, count in report.messages.items():
        stdout.print(f'  {topic}: {count} messages', highlight=False)
    for s in report.segments:
        begin, length = (s.start - report.start) * 1e-9, (s.end - s.start) * 1e-9
        stdout.print(f'  {begin:8.3f} s  {length:8.3f} s  {s.label}', highlight=False)
    for file in report.missing:
        stdout.print(f'  without {file}, which is optional', highlight=False, soft_wrap=True)


def _find(spec: Path) -> Path:
    """Return the specification, looked up among the shipped ones where it is but a name."""
    if spec.exists() and not spec.is_dir():  # data often lie in a folder of that name
        return spec
    shipped = sorted(share_path('config', 'import').glob('*.yaml'))
    for path in shipped:
        if spec.name in (path.stem, path.name):
            return path
    if spec.is_dir():
        return spec  # whose reader says what it expected
    names = ', '.join(p.stem for p in shipped)
    msg = f'{spec}: no such file; shipped specifications: {names}'
    raise ConfigError(msg)
