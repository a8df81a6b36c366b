# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.reader import read_truth
from test.cli.run import digest, done, m2r2
from test.replay.recordings import (
    START,
    robot,
    robot_bag,
    truth_of,
    with_states,
    write_bag,
)


@pytest.fixture(scope='module')
def labels(tmp_path_factory: pytest.TempPathFactory, robots: Path, bundle: Path) -> Path:
    """Label bags and merged copies of both recordings."""
    folder = tmp_path_factory.mktemp('labels')
    done('label', robots, '--model', bundle, '--out', folder, '--merge')
    return folder


def test_json_has_the_metrics_of_the_papers(robots: Path, labels: Path) -> None:
    before = digest([robots, labels])
    scores = json.loads(done('evaluate', labels, '--truth', robots, '--json').out)
    for key in ('accuracy', 'edit', 'f1@10', 'f1@25', 'f1@50', 'dr', 'dr_one_to_one'):
        assert 0 < scores[key] <= (1 if key == 'accuracy' else 100)
    assert 0 < scores['boundary_delay_median_s'] < 1
    assert scores['accuracy'] > 0.8
    assert list(scores['by_recording']) == ['first', 'second']
    assert scores['by_recording']['first']['frames'] == 79
    assert digest([robots, labels]) == before


def test_bags_and_tables_are_matched_by_name(robots: Path, labels: Path, tmp_path: Path) -> None:
    for name in ('first', 'second'):
        write_segments_csv(tmp_path / f'{name}.csv', read_truth(robots / name).segments, START)
    bags = (labels / 'second_labels', labels / 'first_labels')
    by_folder = done('evaluate', labels, '--truth', robots, '--json').out
    by_bag = done(
        'evaluate', *bags, '--truth', robots / 'first', '--truth', robots / 'second', '--json'
    ).out
    by_table = done('evaluate', *bags, '--truth', tmp_path, '--json').out
    assert by_bag == by_folder
    assert json.loads(by_table)['by_recording'] == json.loads(by_folder)['by_recording']


def test_merged_copies_below_the_recordings_are_no_second_truth(
    robots: Path, labels: Path, tmp_path: Path
) -> None:
    shutil.copytree(robots, tmp_path / 'data')
    shutil.copytree(labels, tmp_path / 'data' / 'labels')
    inside = done('evaluate', tmp_path / 'data' / 'labels', '--truth', tmp_path / 'data', '--json')
    assert inside.out == done('evaluate', labels, '--truth', robots, '--json').out


def test_tables_are_printed(robots: Path, labels: Path) -> None:
    shown = done('evaluate', labels, '--truth', robots, '--background', 'grip').out
    for word in ('first', 'second', 'reach', 'push', 'grip'):
        assert word in shown


def test_intervals_and_the_picture(robots: Path, labels: Path, tmp_path: Path) -> None:
    picture = tmp_path / 'reliability.png'
    options = ('--bootstrap', 50, '--reliability', picture)
    out = done('evaluate', labels, '--truth', robots, *options, '--json').out
    scores = json.loads(out)
    for key in ('accuracy', 'f1@50', 'ece', 'brier', 'confidence_auroc', 'accuracy_kept@90'):
        low, high = scores['intervals'][key]
        assert low <= scores[key] <= high
    assert sum(bin['frames'] for bin in scores['reliability']) == scores['frames']
    assert picture.read_bytes()[:4] == b'\x89PNG'
    again = done('evaluate', labels, '--truth', robots, '--bootstrap', 50, '--json').out
    assert again == out


def test_one_recording_has_no_interval(robots: Path, labels: Path) -> None:
    bag = labels / 'first_labels'
    assert 'two recordings' in m2r2('evaluate', bag, '--truth', robots, '--bootstrap', 9).error


def test_truth_with_other_labels_is_refused(robots: Path, labels: Path, tmp_path: Path) -> None:
    found = read_truth(robots / 'first').segments
    write_segments_csv(tmp_path / 'first.csv', [replace(s, label='wave') for s in found], START)
    error = m2r2('evaluate', labels / 'first_labels', '--truth', tmp_path / 'first.csv').error
    assert 'nothing in common' in error
    for word in ('reach', 'push', 'grip', 'wave'):
        assert word in error


def test_recordings_without_labels_are_told(robots: Path, labels: Path) -> None:
    scores = json.loads(done('evaluate', labels / 'first_labels', '--truth', robots, '--json').out)
    assert scores['not_labelled'] == ['second']


def test_labels_without_truth_are_told_and_left_out(robots: Path, labels: Path) -> None:
    shown = done('evaluate', labels, '--truth', robots / 'first')
    assert 'labels without ground truth (1): second' in shown.out
    scores = json.loads(done('evaluate', labels, '--truth', robots / 'first', '--json').out)
    assert list(scores['by_recording']) == ['first']
    assert scores['without_truth'] == ['second']
    error = m2r2('evaluate', labels / 'second_labels', '--truth', robots / 'first').error
    assert 'no ground truth for second' in error
    assert str(labels / 'second_labels') in error


def test_recordings_are_no_labels(robots: Path, tmp_path: Path) -> None:
    error = m2r2('evaluate', robots / 'first', '--truth', robots).error
    assert '/action_label' in error
    assert 'm2r2 label' in error
    assert 'm2r2 label' in m2r2('evaluate', robots, '--truth', robots).error
    assert str(tmp_path) in m2r2('evaluate', tmp_path, '--truth', robots).error


def test_truth_of_another_time_is_refused(labels: Path, tmp_path: Path) -> None:
    (tmp_path / 'first.csv').write_text('start,end,label\n1700000000,1700000003,push\n')
    error = m2r2('evaluate', labels / 'first_labels', '--truth', tmp_path / 'first.csv').error
    assert 'no time in common' in error
    assert 'first.csv' in error
    assert '2023-11-14T22:13:20Z' in error  # the truth
    assert '2025-10-09T08:53:20Z' in error  # the recording


def test_two_truths_of_one_recording_are_refused(
    robots: Path, labels: Path, tmp_path: Path
) -> None:
    robot_bag(tmp_path / 'first', 2.0)
    error = m2r2('evaluate', labels, '--truth', robots, '--truth', tmp_path).error
    assert 'first' in error
    assert 'give one of them' in error


@pytest.mark.parametrize(
    ('options', 'word'),
    [
        (('--level', 'medium'), "'medium' is not one of"),
        (('--level', 'coarse'), 'parents'),
    ],
)
def test_levels_that_are_not_there_are_refused(
    robots: Path, labels: Path, options: tuple[str, ...], word: str
) -> None:
    assert word in m2r2('evaluate', labels, '--truth', robots, *options).error


def test_truth_may_be_whatever_training_takes(robots: Path, labels: Path, tmp_path: Path) -> None:
    """Seconds from the start, samples, labels of a model, and any of them in a folder."""
    bag = labels / 'first_labels'
    usual = json.loads(done('evaluate', bag, '--truth', robots, '--json').out)['by_recording']
    truth = read_truth(robots / 'first').segments
    (tmp_path / 'tables').mkdir()
    table = tmp_path / 'tables' / 'first.csv'
    rows = [f'{(s.start - START) / 1e9},{s.label}' for s in truth]
    table.write_text('\n'.join(['time_s,label', *rows, f'{(truth[-1].end - START) / 1e9},']))
    for given in (table, tmp_path / 'tables'):
        scored = done('evaluate', bag, '--truth', given, '--json')
        assert json.loads(scored.out)['by_recording'] == {'first': usual['first']}
        assert 'ground truth of first: times from the start of the recording' in scored.err
    # A recording beside the table says when it began.
    beside = done('evaluate', bag, '--truth', table, '--truth', robots / 'first', '--json').out
    assert json.loads(beside)['by_recording'] == {'first': usual['first']}
    copied = shutil.copytree(labels / 'first_labels', tmp_path / 'other' / 'first_labels')
    perfect = done('evaluate', bag, '--truth', copied, '--json').out
    assert json.loads(perfect)['accuracy'] == 1


def test_labels_are_not_scored_against_themselves(robots: Path, labels: Path) -> None:
    assert (
        'no ground truth for first'
        in m2r2('evaluate', labels / 'first_labels', '--truth', labels / 'first_labels').error
    )
    # Nor against the table that was made with them, where the recording has its truth.
    both = ('--truth', labels, '--truth', robots, '--json')
    scores = json.loads(done('evaluate', labels, *both).out)
    assert scores['accuracy'] < 1


def test_a_corrected_table_of_segments_is_truth(labels: Path, tmp_path: Path) -> None:
    table = tmp_path / 'first_segments.csv'
    text = (labels / 'first_segments.csv').read_text()
    table.write_text(text)
    bag = labels / 'first_labels'
    assert json.loads(done('evaluate', bag, '--truth', table, '--json').out)['accuracy'] == 1
    table.write_text(text.replace('grip', 'push'))
    assert json.loads(done('evaluate', bag, '--truth', table, '--json').out)['accuracy'] < 1


def test_a_topic_that_states_the_truth(bundle: Path, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bags' / 'stated', with_states(robot(6.0, 2), truth_of(6.0, 2)))
    done('label', bag, '--model', bundle, '--out', tmp_path / 'labels')
    names = "{'0': reach, '1': push, '2': grip}"
    (tmp_path / 'truth.yaml').write_text(f'topic: /phase\nfield: data\nnames: {names}\n')
    run = ('evaluate', tmp_path / 'labels', '--truth', tmp_path / 'bags', '--truth-topic')
    scores = json.loads(done(*run, tmp_path / 'truth.yaml', '--json').out)
    assert scores['accuracy'] > 0.8
    assert 'nothing in common' in m2r2(*run, '/phase').error
    assert 'no topic /state' in m2r2(*run, '/state').error


def test_recordings_with_an_empty_truth_are_left_out(
    robots: Path, labels: Path, tmp_path: Path
) -> None:
    shutil.copytree(robots / 'first', tmp_path / 'first')
    (tmp_path / 'second.csv').write_text('start,end,label\n')
    scores = json.loads(done('evaluate', labels, '--truth', tmp_path, '--json').out)
    assert scores['without_truth'] == ['second']
    assert list(scores['by_recording']) == ['first']
    error = m2r2('evaluate', labels, '--truth', tmp_path / 'second.csv').error
    assert 'second.csv: its ground truth is empty' in error
