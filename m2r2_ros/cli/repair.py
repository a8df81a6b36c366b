# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 repair`: recover a truncated or corrupt recording."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from m2r2_ros.bags.mcap.repair import RepairReport, repair
from m2r2_ros.bags.mcap.tally import Loss, TopicReport
from m2r2_ros.bags.remote.places import on_disk
from m2r2_ros.cli.console import console, progress_bar, stdout
from m2r2_ros.cli.options import Overwrite

#: What was lost, or may be wrong.
INCOMPLETE: Final = 3
#: Rows that are shown.
_ROWS: Final = 100
_RANGES: Final = 20


def repair_command(
    source: Annotated[
        Path, typer.Argument(parser=on_disk, help='MCAP file, or rosbag2 folder of them.')
    ],
    out: Annotated[Path, typer.Option(help='New bag; the source is not touched.')],
    overwrite: Overwrite = False,
) -> None:
    """Recover what can be read of a truncated or corrupt MCAP recording into a new bag.

    Ends with exit code 3 if something was lost or may be wrong; the bag is written all the same.

    For example: m2r2 repair broken.mcap --out repaired
    """
    with progress_bar() as bar:
        task = bar.add_task(source.name, total=1.0)
        report = repair(
            source,
            out,
            overwrite=overwrite,
            progress=lambda read, total: bar.update(task, completed=read / max(total, 1)),
        )
    _show_topics(report)
    for loss in report.losses[:_RANGES]:
        _say(_range(loss))
    more = len(report.losses) - _RANGES + report.more_losses
    if more > 0:
        _say(f'… {more} more ranges')
    for remark in report.remarks:
        _say(f'note: {remark}')
    recovered = sum(report.messages.values())
    if report.complete:
        _say(f'nothing was lost: {recovered} messages')
        return
    _say(f'{recovered} messages recovered; what was lost or may be wrong is listed above')
    raise typer.Exit(INCOMPLETE)


def _show_topics(report: RepairReport) -> None:
    """Print a table of the topics, those with losses first."""
    table = Table('topic', 'recovered', 'doubtful', 'lost', 'from, s', 'to, s', 'from')
    rows = sorted(report.topics, key=_is_whole)
    for topic in rows[:_ROWS]:
        first = last = begin = ''
        if topic.start is not None and topic.end is not None:
            first, last = (_seconds(t - report.start) for t in (topic.start, topic.end))
            begin = _absolute(topic.start)
        table.add_row(
            topic.topic, str(topic.recovered), str(topic.doubtful), _lost(topic), first, last, begin
        )
    if len(rows) > _ROWS:
        table.add_row(f'… {len(rows) - _ROWS} more')
    stdout.print(table)


def _is_whole(topic: TopicReport) -> bool:
    return topic.exact and not topic.lost and not topic.doubtful


def _lost(topic: TopicReport) -> str:
    if topic.exact:
        return str(topic.lost)
    return f'at least {topic.lost}' if topic.lost else 'unknown'


def _seconds(time: int) -> str:
    return f'{time * 1e-9:.3f}'


def _absolute(time: int) -> str:
    """Return a log time as a date."""
    try:
        return datetime.fromtimestamp(time / 1e9, timezone.utc).isoformat(timespec='milliseconds')
    except (OverflowError, ValueError, OSError):
        return f'{time} ns'


def _range(loss: Loss) -> str:
    number = 'messages' if loss.messages is None else f'{loss.messages} messages'
    doubtful = f', {loss.doubtful} doubtful' if loss.doubtful else ''
    where = f'{loss.length} bytes at {loss.offset} of {loss.file}'
    return f'lost {number}{doubtful}, {where}: {loss.reason}'


def _say(text: str) -> None:
    console.print(text, highlight=False, markup=False)
