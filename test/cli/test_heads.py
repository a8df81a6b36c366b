# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From recordings to features, to heads, to labels, as a user would do it."""

import json
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.network.bundle import load_bundle
from m2r2_ros.training.feature_set import read_feature_set
from test.cli.run import digest, done, m2r2
from test.replay.recordings import ACTIONS, robot_bag
from test.training.feature_sets import toy_set

QUICK = ('--epochs', 2, '--seeds', 2, '--heads', 'causal_tcn:layers=3,ms_tcn:layers=3:stages=2')


@pytest.fixture(scope='module')
def third(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return robot_bag(tmp_path_factory.mktemp('held_out') / 'third', 5.0, seed=3)


@pytest.fixture(scope='module')
def features(
    tmp_path_factory: pytest.TempPathFactory, robots: Path, third: Path, bundle: Path
) -> Path:
    """Features of first to train on, second to validate on, third to test on."""
    out = tmp_path_factory.mktemp('features') / 'm2r2'
    before = digest([robots, third, bundle])
    done(*command(robots, third, bundle, out))
    assert digest([robots, third, bundle]) == before
    return out


def command(robots: Path, third: Path, bundle: Path, out: Path) -> tuple[object, ...]:
    return (
        *('features', robots / 'first', '--validate', robots / 'second', '--test', third),
        *('--model', bundle, '--out', out),
    )


@pytest.fixture(scope='module')
def offline(tmp_path_factory: pytest.TempPathFactory, features: Path, bundle: Path) -> Path:
    out = tmp_path_factory.mktemp('head') / 'ms_tcn'
    head = ('--head', 'ms_tcn:layers=4:stages=2', '--epochs', 30)
    done('train-head', features, '--model', bundle, '--out', out, *head)
    assert sorted(p.name for p in out.parent.iterdir()) == ['ms_tcn']
    return out


def test_rules_are_learnt_for_an_online_head(
    features: Path, bundle: Path, third: Path, tmp_path: Path
) -> None:
    online = ('--head', 'causal_tcn:layers=3:lags=[0,2]', '--epochs', 5)
    done('train-head', features, '--model', bundle, '--out', tmp_path / 'lags', *online)
    first = load_bundle(tmp_path / 'lags')
    assert [rule['lag'] for rule in first.decoding['learnt']] == [0, 2, 3, 5, 10]
    assert {row['lag'] for row in first.training['rules']} == {0, 2, 3, 5, 10}
    done('label', third, '--model', tmp_path / 'lags', '--out', tmp_path, '--as-live', '--lag', 2)
    assert set(read_label_track(tmp_path / 'third_labels').revision_lags) == {2}


def test_features_lie_as_the_field_wants_them(features: Path, bundle: Path) -> None:
    data = read_feature_set(features)
    assert data.labels == load_bundle(bundle).labels
    assert data.width == load_bundle(bundle).model.width
    assert data.facts['model'] == load_bundle(bundle).id
    names = {part: [t.name for t in tracks] for part, tracks in data.parts.items()}
    assert names == {'train': ['first'], 'val': ['second'], 'test': ['third']}
    assert sorted(p.name for p in features.iterdir() if not p.name.startswith('.')) == [
        'features', 'features.yaml', 'groundTruth', 'mapping.txt', 'splits',
    ]  # fmt: skip


def test_an_interrupted_run_continues(
    features: Path, robots: Path, third: Path, bundle: Path
) -> None:
    before = digest(features)
    lost = features / 'features' / 'second.npy'
    lost.unlink()
    done(*command(robots, third, bundle, features))
    assert digest(features) == before


def test_a_recording_that_cannot_be_read_stops_no_other(
    tmp_path: Path, robots: Path, third: Path, bundle: Path
) -> None:
    (tmp_path / 'broken.mcap').write_text('hello')
    out = tmp_path / 'features'
    train = ('features', tmp_path / 'broken.mcap', robots / 'first', '--test', third)
    error = m2r2(*train, '--model', bundle, '--out', out).error
    assert '1 of 3 recordings have no features' in error
    assert 'broken.mcap is not an MCAP file' in error
    assert sorted(p.name for p in (out / 'features').iterdir()) == ['first.npy', 'third.npy']


def test_features_of_two_models_are_not_mixed(
    features: Path, robots: Path, third: Path, offline: Path
) -> None:
    assert 'another --out' in m2r2(*command(robots, third, offline, features)).error


def test_raw_features_are_the_windows(
    robots: Path, third: Path, bundle: Path, tmp_path: Path
) -> None:
    done(*command(robots, third, bundle, tmp_path / 'raw'), '--raw')
    data = read_feature_set(tmp_path / 'raw')
    windows = load_bundle(bundle).windows
    assert data.width == 4 + windows.points * (6 + 9 + 6 + 1)
    first = data.parts['train'][0].features.numpy()
    np.testing.assert_array_equal(first[:, :4], np.ones((len(first), 4)))
    assert np.abs(first[:, 4:].mean()) < 0.5  # z-scores
    assert 0.5 < first[:, 4:].std() < 2


def test_a_benchmark_prints_means_and_keeps_rows(tmp_path: Path) -> None:
    features = toy_set(tmp_path / 'm2r2').folder
    again = (features, '--out', tmp_path / 'b', *QUICK, '--level', 'both', '--jobs', 1)
    result = done('benchmark', *again[:-1], 2)
    assert 'ms_tcn' in result.out
    rows = json.loads((tmp_path / 'b' / 'rows.json').read_text())
    keys = {(r['head'], r['seed'], r['level'], r['epoch'][:4], bool(r['hold'])) for r in rows}
    assert len(rows) == len(keys) == 2 * 2 * 2 * 2 + 2 * 2 * 2  # online heads once more, held
    table = (tmp_path / 'b' / 'table.md').read_text()
    assert '| causal_tcn:layers=3 | fine | coarse | last | validated | 2 |' in table
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / 'b' / 'm2r2').iterdir()}
    done('benchmark', *again)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / 'b' / 'm2r2').iterdir()} == kept
    array = np.load(features / 'features' / 'r4.npy')
    np.save(features / 'features' / 'r4.npy', array + 1)  # other features, other scores
    done('benchmark', *again)
    rows_now = {p: p.stat().st_mtime_ns for p in (tmp_path / 'b' / 'm2r2').iterdir()}
    assert all(rows_now[p] != kept[p] for p in kept)


def test_an_offline_head_labels_recordings_and_says_what_it_is(
    offline: Path, third: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(offline)
    assert bundle.model.offline_head is not None
    assert bundle.model.offline_head.name == 'ms_tcn'
    assert bundle.scores['recordings'] == ['third']
    told = done('label', third, '--model', offline, '--out', tmp_path)
    assert 'with the whole recording in view' in told.err
    lagging = ('label', third, '--model', offline, '--out', tmp_path, '--lag', 2)
    assert 'add --as-live' in m2r2(*lagging).error
    track = read_label_track(tmp_path / 'third_labels')
    assert track.revision_lags.tolist() == list(range(len(track.stamps) - 1, -1, -1))
    assert set(track.labels) <= set(ACTIONS)
    result = done('evaluate', tmp_path, '--truth', third, '--json')
    expected = bundle.scores['offline']['accuracy']
    assert json.loads(result.out)['accuracy'] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (('--head', 'lstm'), 'lstm'),
        (('--head', 'ms_tcn:depth=3'), 'depth'),
        (('--head', 'ms_tcn:layers'), 'name:option=value'),
        (('--head', 'ms_tcn:layers=many'), 'many'),
        (('--head', 'ms_tcn:layers=99'), '1 to 16'),
        (('--head', 'none'), 'none'),
        (('--head', 'ms_tcn', '--epoch', 'test'), "'test' is not one of"),
    ],
)
def test_what_is_wrong_with_a_head_is_said(
    features: Path, bundle: Path, options: tuple[object, ...], expected: str, tmp_path: Path
) -> None:
    start = ('train-head', features, '--model', bundle, '--out', tmp_path / 'x')
    assert expected in m2r2(*start, *options).error
    assert list(tmp_path.iterdir()) == []


def test_a_head_belongs_to_the_extractor_of_its_features(
    features: Path, offline: Path, tmp_path: Path
) -> None:
    start = ('train-head', features, '--model', offline, '--out', tmp_path / 'x')
    assert 'not those that' in m2r2(*start, '--head', 'ms_tcn').error


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (('--level', 'middle'), "'middle' is not one of"),
        (('--level', 'both'), 'no coarse level'),
        (('--heads', 'lstm'), 'lstm'),
        (('--split', 2), 'split2'),
    ],
)
def test_what_is_wrong_with_a_benchmark_is_said(
    features: Path, options: tuple[object, ...], expected: str, tmp_path: Path
) -> None:
    start = ('benchmark', features, '--out', tmp_path / 'x')
    assert expected in m2r2(*start, *options).error


def test_a_folder_that_is_not_ours_is_not_worked_in(
    features: Path, bundle: Path, tmp_path: Path
) -> None:
    kept = tmp_path / 'x.training' / 'thesis.txt'
    kept.parent.mkdir()
    kept.write_text('all of it')
    start = ('train-head', features, '--model', bundle, '--out', tmp_path / 'x')
    assert 'thesis.txt' in m2r2(*start, '--head', 'ms_tcn').error
    assert kept.read_text() == 'all of it'
