# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of seeds become means and spreads."""

from typing import Any

from m2r2_ros.evaluation.benchmark_table import COLUMNS, summarise, to_markdown, to_table


def row(seed: int, accuracy: float, **others: Any) -> dict[str, Any]:
    names = ('edit', 'f1@10', 'f1@25', 'f1@50', 'dr', 'dr_one_to_one', 'boundary_delay_median_s')
    return {
        'features': 'm2r2',
        'head': 'ms_tcn',
        'seed': seed,
        'level': 'fine',
        'online': True,
        'epoch': 'last',
        'hold': None,
        'parameters': 1234,
        'revised': 0.25,
        'ms_per_frame': float(seed),
        'scores': {'accuracy': accuracy, **dict.fromkeys(names, 50.0)},
        **others,
    }


def cells(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [dict(zip(COLUMNS, r, strict=True)) for r in summarise(rows)]


def test_seeds_become_a_mean_and_a_sample_standard_deviation() -> None:
    (one,) = cells([row(0, 0.5), row(1, 0.6), row(2, 0.7)])
    assert (one['seeds'], one['accuracy %'], one['F1@50']) == ('3', '60.0 ± 10.0', '50.0 ± 0.0')
    assert (one['taken back %'], one['ms a frame'], one['parameters']) == (
        '25.0 ± 0.0',
        '1.00',
        '1,234',
    )


def test_one_seed_has_no_spread_and_nothing_defined_is_a_dash() -> None:
    scores = {**row(0, 0.5)['scores'], 'edit': None}
    (one,) = cells([row(0, 0.5, scores=scores)])
    assert (one['accuracy %'], one['edit']) == ('50.0', '-')


def test_the_delay_of_an_offline_head_means_nothing() -> None:
    online, offline = cells([row(0, 0.5), row(0, 0.5, head='x', online=False)])
    assert (online['delay s'], offline['delay s']) == ('50.00', '-')


def test_levels_epochs_rules_and_features_are_rows_of_their_own() -> None:
    coarse = row(0, 0.5)['scores']
    rows = [
        row(0, 0.5, coarse=coarse),
        row(1, 0.5, coarse=coarse),
        row(0, 0.5, epoch='best (7)'),
        row(1, 0.5, epoch='best (9)'),
        row(0, 0.5, hold={'min_duration': 0.3}),
        row(0, 0.5, features='raw'),
        row(0, 0.5, level='coarse'),
    ]
    keys = ('features', 'trained on', 'scored', 'epoch', 'hold rule', 'seeds')
    assert [tuple(r[k] for k in keys) for r in cells(rows)] == [
        ('m2r2', 'fine', 'fine', 'last', '-', '2'),
        ('m2r2', 'fine', 'coarse', 'last', '-', '2'),
        ('m2r2', 'fine', 'fine', 'best', '-', '2'),
        ('m2r2', 'fine', 'fine', 'last', 'validated', '1'),
        ('raw', 'fine', 'fine', 'last', '-', '1'),
        ('m2r2', 'coarse', 'coarse', 'last', '-', '1'),
    ]


def test_tables_have_a_column_for_each_cell() -> None:
    summary = summarise([row(0, 0.5)])
    lines = to_markdown(summary).splitlines()
    assert {line.count('|') for line in lines} == {len(COLUMNS) + 1}
    assert to_table(summary).row_count == 1
