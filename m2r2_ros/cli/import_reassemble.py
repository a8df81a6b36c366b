# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 import reassemble`: recordings of the REASSEMBLE data set to bags."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from m2r2_ros.bags.reassemble.importer import ReassembleReport, import_reassemble
from m2r2_ros.cli.console import progress_bar, stdout
from m2r2_ros.cli.import_many import import_all
from m2r2_ros.cli.options import Overwrite
from m2r2_ros.core.errors import BagError


def reassemble_command(
    source: Annotated[Path, typer.Argument(help='A .h5 file, or a folder of them.')],
    out: Annotated[Path, typer.Option(help='The bag to write; for a folder, a folder of bags.')],
    overwrite: Overwrite = False,
) -> None:
    """Turn recordings of REASSEMBLE into bags with both levels of ground truth.

    In a folder, recordings that have been imported before are skipped.

    For example: m2r2 import reassemble reassemble --out bags
    """
    if not source.is_dir():
        with progress_bar() as bar:
            report = _import(source, out, overwrite, bar)
        _print(report)
        return
    files = sorted(source.glob('*.h5'))
    if not files:
        msg = f'{source} holds no .h5 file; expected the recordings of REASSEMBLE'
        raise BagError(msg)
    bags = {out / file.stem: file for file in files}
    import_all(
        {bag: partial(_import_one, file, bag, overwrite) for bag, file in bags.items()},
        overwrite=overwrite,
    )


def _import_one(source: Path, out: Path, overwrite: bool, bar: Progress) -> None:
    _print(_import(source, out, overwrite, bar))


def _import(source: Path, out: Path, overwrite: bool, bar: Progress) -> ReassembleReport:
    task = bar.add_task(source.stem, total=1.0)
    try:
        return import_reassemble(
            source,
            out,
            overwrite=overwrite,
            progress=lambda share: bar.update(task, completed=share),
        )
    finally:
        bar.remove_task(task)


def _print(report: ReassembleReport) -> None:
    stdout.print(f'{report.out}: {report.seconds:.2f} s', soft_wrap=True)
    for topic, count in report.messages.items():
        stdout.print(f'  {topic}: {count} messages', soft_wrap=True)
    for note in report.notes:
        stdout.print(f'  note: {note}', soft_wrap=True)
