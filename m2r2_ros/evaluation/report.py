# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An evaluation as JSON and as tables for a terminal."""

import json
from collections.abc import Mapping

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from m2r2_ros.core.text import listed
from m2r2_ros.evaluation.bootstrap import LEVEL
from m2r2_ros.evaluation.calibration import EDGES, Reliability
from m2r2_ros.evaluation.evaluate import Evaluation

#: What is shown for each recording, few enough for 80 columns; the rest is shown for all together.
_COLUMNS = {
    'accuracy': 'accuracy',
    'edit': 'edit',
    'f1@50': 'F1@50',
    'dr_one_to_one': 'DR 1:1',
    'boundary_delay_median_s': 'delay s',
    'boundaries_missed': 'missed',
    'frames': 'frames',
}
_METRICS = {
    'accuracy': 'accuracy, 0..1',
    'coverage': 'coverage, 0..1',
    'accuracy_covered': 'accuracy of labelled frames',
    'edit': 'edit, %',
    'f1@10': 'F1@10, %',
    'f1@25': 'F1@25, %',
    'f1@50': 'F1@50, %',
    'dr': 'DR as published, %',
    'dr_one_to_one': 'DR one to one, %',
    'boundary_f1@2s': 'boundary F1 within 2 s, %',
    'boundary_f1@5s': 'boundary F1 within 5 s, %',
    'boundary_delay_median_s': 'boundary delay, median, s',
    'boundary_delay_p90_s': 'boundary delay, 90th percentile, s',
    'boundaries': 'boundaries',
    'boundaries_missed': 'boundaries missed',
    'ece': 'calibration error, 0..1',
    'brier': 'Brier score, 0..2',
    'confidence_auroc': 'AUROC of confidence',
    'accuracy_kept@95': 'accuracy, 95 % most confident',
    'accuracy_kept@90': 'accuracy, 90 % most confident',
    'accuracy_kept@80': 'accuracy, 80 % most confident',
    'accuracy_kept@50': 'accuracy, 50 % most confident',
    'frames': 'frames',
    'frames_unlabelled': 'frames without truth',
    'frame_rate_hz': 'frames per second',
    't_e_frames': 'DR window, frames either side',
}
#: Scores between 0 and 1, which are shown with more digits.
_FRACTIONS = {
    key
    for key in _METRICS
    if key.startswith(('accuracy', 'coverage', 'ece', 'brier', 'confidence'))
}
#: How many recordings or labels are named at most.
_NAMED = 8

Value = float | int | None


def to_dict(evaluation: Evaluation) -> dict[str, object]:
    """Return the evaluation as JSON types: metrics of all recordings on top, then the rest."""
    classes = evaluation.classes
    return {
        **evaluation.scores.to_dict(),
        'intervals': {name: list(ends) for name, ends in evaluation.intervals.items()},
        'resamples': evaluation.resamples,
        'level': evaluation.level,
        'background': list(evaluation.background),
        'model_ids': list(evaluation.model_ids),
        'not_labelled': list(evaluation.not_labelled),
        'without_truth': list(evaluation.without_truth),
        'unreadable': list(evaluation.unreadable),
        'labels': {
            'common': list(evaluation.labels.common),
            'only_model': list(evaluation.labels.only_model),
            'only_truth': list(evaluation.labels.only_truth),
        },
        'reliability': _bins(evaluation.reliability),
        'accuracy_kept': [None if np.isnan(a) else a for a in evaluation.accuracy_kept.tolist()],
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
    """Return the tables of recordings, metrics and classes, for a rich console."""
    parts: list[object] = [_recordings(evaluation), _metrics(evaluation), _classes(evaluation)]
    parts += _names(evaluation)
    alone = {
        'ground truth without labels': evaluation.not_labelled,
        'labels without ground truth': evaluation.without_truth,
    }
    for what, lost in alone.items():
        if lost:
            parts.append(f'{what} ({len(lost)}): {listed(lost, _NAMED)}')
    return Group(*parts)  # type: ignore[arg-type]


def _recordings(evaluation: Evaluation) -> Table:
    table = Table(title=f'{evaluation.level} labels', box=SIMPLE_HEAD, pad_edge=False)
    table.add_column('recording', overflow='fold')
    for title in _COLUMNS.values():
        table.add_column(title, justify='right', no_wrap=True)
    for name, scores in evaluation.recordings.items():
        table.add_row(name, *_cells(scores.to_dict()))
    return table


def _bins(reliability: Reliability) -> list[dict[str, float | int | None]]:
    """Return the reliability curve: bins (from, to] of confidence."""
    columns = (reliability.frames, reliability.confidence, reliability.right)
    return [
        {
            'from': low,
            'to': high,
            'frames': frames,
            'confidence': confidence / frames if frames else None,
            'accuracy': right / frames if frames else None,
        }
        for low, high, frames, confidence, right in zip(
            EDGES[:-1].tolist(), EDGES[1:].tolist(), *(c.tolist() for c in columns), strict=True
        )
    ]


def _names(evaluation: Evaluation) -> list[str]:
    """Say which labels only the model or only the truth has."""
    names = evaluation.labels
    texts = {
        'labels that only the truth has, wrong wherever they are': names.only_truth,
        'labels that only the model has': names.only_model,
    }
    return [f'{text} ({len(n)}): {listed(n, _NAMED)}' for text, n in texts.items() if n]


def _metrics(evaluation: Evaluation) -> Table:
    n = len(evaluation.recordings)
    caption = f'edit and F1 skip {", ".join(evaluation.background) or "nothing"}'
    if evaluation.intervals:
        caption += f'; intervals hold {LEVEL:.0%} of {evaluation.resamples} resamples of recordings'
    table = Table(
        title='all recordings' if n > 1 else 'all metrics',
        caption=caption,
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_header=False,
    )
    table.add_column('metric')
    table.add_column('value', justify='right', no_wrap=True)
    table.add_column('interval', no_wrap=True)
    scores = evaluation.scores.to_dict()
    for key, title in _METRICS.items():
        ends = [_cell(key, end) for end in evaluation.intervals.get(key, ())]
        table.add_row(title, _cell(key, scores[key]), ' to '.join(ends))
    return table


def metric_rows(evaluation: Evaluation) -> list[list[str]]:
    """Return the title and value of every metric over all recordings, as text."""
    scores = evaluation.scores.to_dict()
    return [[title, _cell(key, scores[key])] for key, title in _METRICS.items()]


def _cells(scores: Mapping[str, Value]) -> list[str]:
    return [_cell(key, scores[key]) for key in _COLUMNS]


def _cell(key: str, value: Value) -> str:
    if value is None:
        return '-'
    if isinstance(value, int):
        return str(value)
    return f'{value:.4f}' if key in _FRACTIONS else f'{value:.2f}'


def _classes(evaluation: Evaluation) -> Table:
    table = Table(title='classes', box=SIMPLE_HEAD, pad_edge=False)
    table.add_column('label', overflow='fold')
    for title in ('frames', 'precision', 'recall'):
        table.add_column(title, justify='right', no_wrap=True)
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
