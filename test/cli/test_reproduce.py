# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a folder in the layout of REASSEMBLE to the paper's tables, in one command."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from m2r2_ros.cli import reproduce
from m2r2_ros.evaluation.published import TABLE_1, TABLE_2, comparison
from m2r2_ros.network.bundle import load_bundle
from m2r2_ros.training import scoring
from test.bags.reassemble.files import Action, Shape, write_file
from test.cli.run import done, m2r2

QUICK = ('--preset', 'proprio', '--epochs', 1, '--head-epochs', 1, '--seeds', 1, '--jobs', 1)


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four recordings: two to train on, one that validates, one of the test."""
    folder = tmp_path_factory.mktemp('reassemble')
    for k, names in enumerate([('USB', 'BNC'), ('BNC', 'USB'), ('USB', 'BNC'), ('BNC', 'USB')]):
        write_file(folder / f'2025-01-1{k}-10-00-00.h5', Shape(seconds=4.0, actions=steps(names)))
    (folder / 'splits').mkdir()
    listed = [f'2025-01-1{k}-10-00-00\n' for k in range(4)]
    (folder / 'splits' / 'train_split1.txt').write_text(''.join(listed[:3]))
    (folder / 'splits' / 'test_split1.txt').write_text(listed[3])
    return folder


def steps(things: Sequence[str]) -> list[Action]:
    actions = [Action('No action.', 0.0, 0.5)]
    for k, thing in enumerate(things):
        start = 0.5 + 1.5 * k
        actions += [
            Action(f'Pick {thing}.', start, start + 0.7),
            Action(f'Insert {thing}.', start + 0.7, start + 1.5),
        ]
    return [*actions, Action('No action.', 3.5, 4.0)]


def test_table_one_from_the_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Figures that stand in no table, and that heads of the published sizes take long for.
    monkeypatch.setattr(scoring, 'PREFIXES', 2)
    monkeypatch.setattr(scoring, 'TIMED', 2)
    done('reproduce', data, '--out', tmp_path, '--table', 1, *QUICK)
    table = (tmp_path / 'tables.md').read_text()
    for head in ('ms_tcn', 'asrf', 'diffact'):
        for level in ('fine', 'coarse'):
            assert f'| M2R2 (all) | {head} | {level} | paper |' in table
            assert f'| M2R2 (all) | {head} | {level} | ours, last epoch, 1 seeds |' in table
            assert f'| M2R2 (all) | {head} | {level} | ours, best epoch, 1 seeds |' in table
    bundle = load_bundle(tmp_path / 'all' / 'extractor' / 'best')
    assert bundle.training['recordings'] == ['2025-01-10-10-00-00', '2025-01-11-10-00-00']
    assert bundle.scores['recordings'] == ['2025-01-12-10-00-00']
    assert len(bundle.labels.names) == 69
    rows = json.loads((tmp_path / 'all' / 'heads' / 'rows.json').read_text())
    assert {r['scores']['recordings'] for r in rows} == {1}
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / 'all').rglob('*.json*')}
    before.pop(tmp_path / 'all' / 'heads' / 'rows.json')
    done('reproduce', data, '--out', tmp_path, '--table', 1, *QUICK)
    assert all(p.stat().st_mtime_ns == t for p, t in before.items())


def test_rows_of_table_two_take_away_what_they_say() -> None:
    assert [row.row for row in TABLE_2] == list(reproduce.ROWS)
    assert reproduce.ROWS['no F/T'] == ('image', 'sound', 'pose', 'twist', 'gripper')
    assert reproduce.ROWS['only prio'] == ('wrench', 'pose', 'twist', 'gripper')


def test_ours_stand_below_the_papers_and_are_means() -> None:
    scores = {'f1@10': 1.0, 'f1@25': 2.0, 'f1@50': 3.0, 'accuracy': 0.5, 'edit': 5.0, 'dr': None}
    row = {'head': 'asrf', 'level': 'fine', 'hold': None, 'epoch': 'best (3)', 'scores': scores}
    other = {**row, 'scores': {**scores, 'f1@50': 5.0}}
    held = {**row, 'hold': {'lag': 0}, 'scores': {**scores, 'f1@50': 99.0}}
    text = comparison('Table I', TABLE_1, {'M2R2 (all)': [row, other, held]})
    lines = text.splitlines()
    paper = lines.index(
        '| M2R2 (all) | asrf | fine | paper | 83.5 | 83.4 | 82.4 | 82.7 | 82.5 | 95.1 |'
    )
    assert lines[paper + 1] == (
        '| M2R2 (all) | asrf | fine | ours, best epoch, 2 seeds '
        '| 1.0 | 2.0 | 4.0 | 50.0 | 5.0 | 0.0 |'
    )
    assert sum('ours' in line for line in lines) == 1


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (('--table', 3), "'3' is not one of '1', '2'"),
        (('--preset', 'huge'), 'huge'),
    ],
)
def test_what_is_wrong_is_said_first(
    data: Path, options: tuple[object, ...], expected: str, tmp_path: Path
) -> None:
    assert expected in m2r2('reproduce', data, '--out', tmp_path, *QUICK, *options).error
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_was_not_downloaded_is_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / 'splits').mkdir()
    for file in (data / 'splits').iterdir():
        (tmp_path / 'splits' / file.name).write_text(file.read_text())
    error = m2r2('reproduce', tmp_path, '--out', tmp_path / 'out', *QUICK).error
    assert '2025-01-10-10-00-00' in error
