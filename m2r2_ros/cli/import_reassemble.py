# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 import reassemble`: recordings of the REASSEMBLE data set to bags."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from m2r2_ros.bags.importing import BagReport
from m2r2_ros.bags.reassemble.importer import import_reassemble
from m2r2_ros.cli.console import progress_bar
from m2r2_ros.cli.import_many import import_all, print_report
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
        print_report(report)
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
    print_report(_import(source, out, overwrite, bar))


def _import(source: Path, out: Path, overwrite: bool, bar: Progress) -> BagReport:
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
