# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many recordings imported one by one: what is done is kept, what fails is told at the end."""

from collections.abc import Callable, Mapping
from pathlib import Path

from rich.progress import Progress

from m2r2_ros.bags.importing import BagReport
from m2r2_ros.bags.rosbag2 import METADATA
from m2r2_ros.bags.writing.replacing import bring_back
from m2r2_ros.cli.console import console, progress_bar, stdout
from m2r2_ros.core.errors import BagError, M2R2Error


def import_all(imports: Mapping[Path, Callable[[Progress], None]], *, overwrite: bool) -> None:
    """Import recordings; those that have been imported before are kept.

    Args:
        imports: What makes each bag, by the bag's path.
        overwrite: Make those again that are there.

    Raises:
        BagError: Some could not be imported.
    """
    kept, failed = 0, []
    with progress_bar() as bar:
        for bag, make in imports.items():
            try:
                bring_back(bag)
                if (bag / METADATA).is_file() and not overwrite:
                    kept += 1
                    continue
                make(bar)
            except (M2R2Error, OSError) as error:
                failed.append(str(error))
    if kept:
        console.print(f'{kept} recordings were imported already and are kept')
    if failed:
        count = f'{len(failed)} of {len(imports)} recordings could not be imported'
        raise BagError(count, *failed)


def print_report(report: BagReport) -> None:
    """Print what an import wrote."""
    stdout.print(f'{report.out}: {report.seconds:.2f} s', soft_wrap=True)
    for topic, count in report.messages.items():
        stdout.print(f'  {topic}: {count} messages', soft_wrap=True)
    for note in report.notes:
        stdout.print(f'  note: {note}', soft_wrap=True)
