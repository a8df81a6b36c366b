# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures printed in the M2R2 paper (tables I and II), with ours beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

#: Columns of both tables: key in our scores, and factor.
COLUMNS: Final = (
    ('F1@10', 'f1@10', 1.0),
    ('F1@25', 'f1@25', 1.0),
    ('F1@50', 'f1@50', 1.0),
    ('Acc', 'accuracy', 100.0),
    ('EDIT', 'edit', 1.0),
    ('DR', 'dr', 1.0),
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A row of the paper.

    Attributes:
        row: What was varied: the features (table I) or the modalities (table II).
        head: Our name of the head.
        level: Labels, fine or coarse.
        values: In the order of COLUMNS, percent.
    """

    row: str
    head: str
    level: str
    values: tuple[float, ...]


TABLE_1: Final = (
    Printed('M2R2 (all)', 'ms_tcn', 'fine', (83.1, 82.7, 80.8, 82.4, 79.3, 89.5)),
    Printed('M2R2 (all)', 'asrf', 'fine', (83.5, 83.4, 82.4, 82.7, 82.5, 95.1)),
    Printed('M2R2 (all)', 'diffact', 'fine', (78.1, 77.7, 74.6, 74.9, 68.7, 81.4)),
    Printed('M2R2 (all)', 'ms_tcn', 'coarse', (97.7, 97.6, 96.7, 96.7, 95.0, 94.5)),
    Printed('M2R2 (all)', 'asrf', 'coarse', (98.1, 98.1, 97.1, 96.0, 96.9, 95.9)),
    Printed('M2R2 (all)', 'diffact', 'coarse', (95.1, 95.0, 92.1, 91.7, 90.3, 83.9)),
)
TABLE_2: Final = (
    Printed('only vision', 'diffact', 'fine', (27.2, 26.1, 21.6, 21.4, 28.9, 44.3)),
    Printed('only audio', 'diffact', 'fine', (39.2, 38.7, 36.4, 34.5, 37.5, 80.1)),
    Printed('only prio', 'diffact', 'fine', (78.0, 77.5, 74.5, 75.4, 69.2, 80.3)),
    Printed('no gripper', 'diffact', 'fine', (67.9, 67.2, 64.2, 65.1, 59.2, 82.2)),
    Printed('no pos/vel', 'diffact', 'fine', (69.9, 69.1, 65.1, 64.6, 61.8, 80.5)),
    Printed('no F/T', 'diffact', 'fine', (72.9, 72.4, 69.9, 70.4, 65.2, 80.6)),
    Printed('all', 'diffact', 'fine', (78.1, 77.7, 74.6, 74.9, 68.7, 82.4)),
)


def comparison(
    title: str, printed: Sequence[Printed], found: Mapping[str, Sequence[Mapping[str, Any]]]
) -> str:
    """Return a page with the paper's rows and ours below each, in Markdown.

    Args:
        title: Above the table.
        printed: The paper's rows.
        found: Rows of a benchmark, by `Printed.row`; those that are missing are left out.
    """
    names = ['row', 'head', 'labels', 'whose', *(name for name, _, _ in COLUMNS)]
    lines = [f'## {title}\n', f'| {" | ".join(names)} |', f'|{" --- |" * len(names)}']
    for row in printed:
        cells = [row.row, row.head, row.level]
        lines.append(_line(cells, 'paper', [f'{v:.1f}' for v in row.values]))
        for epoch in ('last', 'best'):
            own = [
                r['scores'] for r in found.get(row.row, ())
                if (r['head'], r['level'], r['hold']) == (row.head, row.level, None)
                and r['epoch'].split(' ')[0] == epoch
            ]  # fmt: skip
            if own:
                means = [f'{np.mean([f * (s[k] or 0.0) for s in own]):.1f}' for _, k, f in COLUMNS]
                lines.append(_line(cells, f'ours, {epoch} epoch, {len(own)} seeds', means))
    return '\n'.join(lines) + '\n\n'


def _line(cells: Sequence[str], whose: str, values: Sequence[str]) -> str:
    return f'| {" | ".join([*cells, whose, *values])} |'
