# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 repair`: recover a truncated or corrupt recording."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from m2r2_ros.bags.mcap.repair import repair
from m2r2_ros.cli.console import console, progress_bar, stdout
from m2r2_ros.cli.options import Overwrite


def repair_command(
    source: Annotated[Path, typer.Argument(help='MCAP file, or rosbag2 folder of them.')],
    out: Annotated[Path, typer.Option(help='New bag; the source is not touched.')],
    overwrite: Overwrite = False,
) -> None:
    """Recover what can be read of a truncated or corrupt MCAP recording into a new bag."""
    with progress_bar() as bar:
        task = bar.add_task(source.name, total=1.0)
        report = repair(
            source,
            out,
            overwrite=overwrite,
            progress=lambda read, total: bar.update(task, completed=read / max(total, 1)),
        )
    table = Table('topic', 'messages recovered')
    for topic, count in report.messages.items():
        table.add_row(topic, str(count))
    stdout.print(table)
    for loss in report.losses:
        lost = 'messages' if loss.messages is None else f'{loss.messages} messages'
        console.print(
            f'lost {lost}, {loss.length} bytes at {loss.offset} of {loss.file}: {loss.reason}',
            highlight=False,
            markup=False,
        )
    if not report.losses:
        console.print('nothing was lost')
