# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An evaluation as JSON and as tables for a terminal."""

import json
from collections.abc import Mapping

from rich.console import Group
from rich.table import Table

from m2r2_ros.evaluation.evaluate import Evaluation

_COLUMNS = {
    'accuracy': 'accuracy',
    'edit': 'edit',
    'f1@10': 'F1@10',
    'f1@25': 'F1@25',
    'f1@50': 'F1@50',
    'dr': 'DR',
    'dr_one_to_one': 'DR 1:1',
    'boundary_delay_median_s': 'delay s',
    'boundary_delay_p90_s': 'p90 s',
    'boundaries_missed': 'missed',
    'frames': 'frames',
}

Value = float | int | None


def to_dict(evaluation: Evaluation) -> dict[str, object]:
    """Return the evaluation as JSON types: metrics of all recordings on top, then the rest."""
    classes = evaluation.classes
    return {
        **evaluation.scores.to_dict(),
        'level': evaluation.level,
        'background': list(evaluation.background),
        'model_ids': list(evaluation.model_ids),
        'not_labelled': list(evaluation.not_labelled),
        'by_recording': {name: s.to_dict() for name, s in evaluation.recordings.items()},
        'classes': {
            c.label: {'frames': c.frames, 'precision': c.precision, 'recall': c.recall}
            for c in classes.classes
        },
        'confusion': {
            'labels': [c.label for c in classes.classes],
            'true_by_predicted': classes.confusion.tolist(),
        },
    }


def to_json(evaluation: Evaluation) -> str:
    """Return the evaluation as JSON text; what is undefined is null, never NaN."""
    return json.dumps(to_dict(evaluation), indent=2, allow_nan=False)


def to_tables(evaluation: Evaluation) -> Group:
    """Return the tables of recordings and of classes, for a rich console."""
    parts: list[object] = [_recordings(evaluation), _classes(evaluation)]
    if evaluation.not_labelled:
        parts.append(f'ground truth without labels: {", ".join(evaluation.not_labelled)}')
    return Group(*parts)  # type: ignore[arg-type]


def _recordings(evaluation: Evaluation) -> Table:
    caption = (
        'accuracy is a fraction; edit, F1 and DR are percent. '
        f'Skipped by edit and F1: {", ".join(evaluation.background) or "nothing"}; '
        f'DR window {evaluation.scores.t_e_frames} frames.'
    )
    table = Table(title=f'{evaluation.level} labels', caption=caption)
    table.add_column('recording')
    for title in _COLUMNS.values():
        table.add_column(title, justify='right')
    for name, scores in evaluation.recordings.items():
        table.add_row(name, *_cells(scores.to_dict()))
    if len(evaluation.recordings) > 1:
        table.add_section()
        table.add_row('all', *_cells(evaluation.scores.to_dict()), style='bold')
    return table


def _cells(scores: Mapping[str, Value]) -> list[str]:
    return [_cell(key, scores[key]) for key in _COLUMNS]


def _cell(key: str, value: Value) -> str:
    if value is None:
        return '-'
    if isinstance(value, int):
        return str(value)
    return f'{value:.4f}' if key == 'accuracy' else f'{value:.2f}'


def _classes(evaluation: Evaluation) -> Table:
    table = Table(title='classes')
    table.add_column('label')
    for title in ('frames', 'precision', 'recall'):
        table.add_column(title, justify='right')
    table.add_column('most often mistaken for')
    for k, c in enumerate(evaluation.classes.classes):
        row = evaluation.classes.confusion[k].copy()
        row[k] = 0
        other = evaluation.classes.classes[int(row.argmax())].label or '(unknown)'
        table.add_row(
            c.label or '(unknown)',
            str(c.frames),
            *('-' if v is None else f'{v:.3f}' for v in (c.precision, c.recall)),
            f'{other} ({row.max()})' if row.max() else '',
        )
    return table
