# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of a benchmark, one for each seed, as a table of means and spreads."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

#: Column, where it lies in the scores of a row, and its factor.
METRICS = (
    ('accuracy %', 'accuracy', 100.0),
    ('edit', 'edit', 1.0),
    ('F1@10', 'f1@10', 1.0),
    ('F1@25', 'f1@25', 1.0),
    ('F1@50', 'f1@50', 1.0),
    ('DR', 'dr', 1.0),
    ('DR 1:1', 'dr_one_to_one', 1.0),
    ('delay s', 'boundary_delay_median_s', 1.0),
)
COLUMNS = (
    'features', 'head', 'trained on', 'scored', 'epoch', 'hold rule', 'seeds',
    *(name for name, _, _ in METRICS), 'taken back %', 'ms a frame', 'parameters',
)  # fmt: skip


def summarise(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the cells of a table: the rows that differ in the seed alone become one.

    Args:
        rows: As `training.benchmark.run_job` returns them, each with `features`, their name.
    """
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        scored = [('scores', row['level']), *([('coarse', 'coarse')] if 'coarse' in row else [])]
        for key, level in scored:
            hold = 'validated' if row['hold'] else '-'
            epoch = row['epoch'].split(' ')[0]
            name = (row['features'], row['head'], row['level'], level, epoch, hold)
            groups.setdefault(name, []).append({**row, 'scores': row[key]})
    return [[*name, str(len(group)), *_cells(group)] for name, group in groups.items()]


def to_table(cells: Sequence[Sequence[str]]) -> Table:
    """Return a table for a terminal."""
    table = Table(*COLUMNS)
    for row in cells:
        table.add_row(*row)
    return table


def to_markdown(cells: Sequence[Sequence[str]]) -> str:
    """Return a table for a page."""
    lines = [COLUMNS, ['---'] * len(COLUMNS), *cells]
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def _cells(group: Sequence[Mapping[str, Any]]) -> list[str]:
    online = bool(group[0]['online'])
    cells = [
        '-'
        if key == 'boundary_delay_median_s' and not online
        else _spread(
            [None if (v := row['scores'][key]) is None else factor * v for row in group],
            2 if key == 'boundary_delay_median_s' else 1,
        )
        for _, key, factor in METRICS
    ]
    return [
        *cells,
        _spread([100 * row['revised'] for row in group], 1),
        f'{np.median([row["ms_per_frame"] for row in group]):.2f}',
        f'{group[0]["parameters"]:,}',
    ]


def _spread(values: Sequence[float | None], digits: int) -> str:
    """Return mean and standard deviation of what is defined."""
    known = [v for v in values if v is not None]
    if not known:
        return '-'
    mean = f'{np.mean(known):.{digits}f}'
    return mean if len(known) == 1 else f'{mean} ± {np.std(known, ddof=1):.{digits}f}'
