# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 labels stats`: what labels hold."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from m2r2_ros.bags.labels.held import HeldLabels, held_labels
from m2r2_ros.bags.labels.origin import LayerFacts
from m2r2_ros.bags.labels.reader import Truth
from m2r2_ros.bags.remote.places import on_disk
from m2r2_ros.cli.console import PlainConsole, console, stdout
from m2r2_ros.cli.options import AsJson
from m2r2_ros.core.errors import LabelError, M2R2Error
from m2r2_ros.evaluation.label_statistics import LabelStatistics, label_statistics

HeldPaths = Annotated[
    list[Path],
    typer.Argument(
        parser=on_disk,
        help='Labels: label bags, annotation layers, recordings with ground truth, tables, or '
        'folders of them.',
    ),
]
Recordings = Annotated[
    list[Path] | None,
    typer.Option(
        '--recordings',
        parser=on_disk,
        help='Recordings that the labels are of, where these do not lie beside them; repeatable.',
    ),
]
#: Transitions that a table shows.
_SHOWN = 20


def stats_command(
    labels: HeldPaths, recordings: Recordings = None, as_json: AsJson = False
) -> None:
    """Count and measure the labels of each class, and say where each layer comes from.

    Where a recording has several layers, the newest annotation counts.

    For example: m2r2 labels stats recordings
    """
    held = held_labels(labels, recordings or [], say_without)
    truths, facts, failed = read_all(held)
    segments = {name: truth.segments for name, truth in truths.items()}
    names = dict.fromkeys(n for t in truths.values() if t.label_set for n in t.label_set.names)
    found = label_statistics(segments, list(names))
    if as_json:
        typer.echo(json.dumps(_as_json(found, held, facts), indent=2))
    else:
        _print(found, facts)
    if failed:
        msg = f'{len(failed)} of {len(held)} recordings have no labels that can be read'
        raise LabelError(msg, *failed)


def say_without(name: str) -> None:
    """Tell of a recording that it has no labels."""
    console.print(f'without labels, left out: {name}', soft_wrap=True)


def read_all(
    held: dict[str, HeldLabels],
) -> tuple[dict[str, Truth], dict[str, LayerFacts], list[str]]:
    """Return labels and where they come from, by recording; and why some cannot be read.

    Raises:
        M2R2Error: None of them can be read.
    """
    truths, facts, failed = {}, {}, []
    for name, one in held.items():
        try:
            truths[name], facts[name] = one.read(), one.facts
        except M2R2Error as error:
            truths.pop(name, None)
            failed.append(error)
    if failed and not truths:
        raise (
            failed[0]
            if len(failed) == 1
            else LabelError(
                f'none of {len(failed)} recordings has labels that can be read', *map(str, failed)
            )
        )
    return truths, facts, [str(error) for error in failed]


def _as_json(
    found: LabelStatistics, held: dict[str, HeldLabels], facts: dict[str, LayerFacts]
) -> dict[str, Any]:
    return {
        'recordings': found.recordings,
        'classes': {name: asdict(own) for name, own in found.classes.items()},
        'missing': list(found.missing),
        'transitions': [
            {'from': a, 'to': b, 'count': count} for (a, b), count in found.transitions.items()
        ],
        'layers': [
            {'recording': name, 'path': str(held[name].path), **asdict(own)}
            for name, own in facts.items()
        ],
    }


def _print(found: LabelStatistics, facts: dict[str, LayerFacts]) -> None:
    table = Table(
        'label', 'segments', 'recordings', 'total s', 'median s', 'min s', 'max s',
        'succeeded', 'failed',
    )  # fmt: skip
    for name, own in found.classes.items():
        times = (own.total_s, own.median_s, own.min_s, own.max_s)
        counts = (own.succeeded, own.failed)
        table.add_row(
            name,
            str(own.segments),
            str(own.recordings),
            *(f'{time:.2f}' for time in times),
            *(map(str, counts) if any(counts) else ('', '')),
        )
    wide = PlainConsole(width=max(stdout.width, 120))
    wide.print(table)
    if found.missing:
        stdout.print(f'without a segment: {", ".join(found.missing)}', soft_wrap=True)
    after = Table('label', 'then', 'times')
    for (first, second), count in list(found.transitions.items())[:_SHOWN]:
        after.add_row(first, second, str(count))
    if found.transitions:
        wide.print(after)
    if (more := len(found.transitions) - _SHOWN) > 0:
        stdout.print(f'and {more} other transitions (--json has all)', soft_wrap=True)
    for what, count in Counter(map(str, facts.values())).most_common():
        several = '' if count == 1 else 's'
        stdout.print(f'origin: {what}, {count} recording{several}', soft_wrap=True)
