# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Annotation layers: what was saved is read back, never replaced, and taken for the truth."""

import csv
import errno
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.csv import read_segments_csv, write_segments_csv
from m2r2_ros.bags.labels.layers import (
    Layer,
    Provenance,
    annotations_of,
    layers_of,
    read_layer,
    write_layer,
)
from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.labels.sources import TruthOptions, find_truths, own_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing import writer as bag_writer
from m2r2_ros.core.errors import LabelError, M2R2Error, NoTruthError
from m2r2_ros.core.labels import LabelSet, Segment
from test.replay.recordings import ACTIONS, START, robot_bag, truth_of

LABELS = LabelSet((*ACTIONS, '<script>'), ('move', 'work', 'work', ''))
ANNA = Provenance('Anna', '2026-11-27T15:30:12.345Z', 'test 1', 'truth', True, 12, 34.5)
BEN = replace(ANNA, annotator='Ben & Co/../x', time='2026-11-27T15:30:13.000Z', done=False)


def segments(count: int) -> list[Segment]:
    return [
        Segment(START + k * 10**9 + 7, START + (k + 1) * 10**9, LABELS.names[k % 4])
        for k in range(count)
    ]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return robot_bag(tmp_path / 'rec', 6.0)


def test_a_layer_is_read_back_with_its_provenance(recording: Path) -> None:
    layer = write_layer(recording, segments(5), LABELS, ANNA)
    assert layers_of(recording) == [Layer(layer.path, ANNA)]
    truth = read_truth(layer.path)
    assert truth.segments == segments(5)
    assert truth.label_set == LABELS
    table = layer.path.with_suffix('.csv')
    assert read_segments_csv(table, clock_of(open_recording(recording))) == segments(5)
    rows = list(csv.DictReader(table.open()))
    assert {(r['annotator'], r['annotated_at'], r['corrected_from']) for r in rows} == {
        ('Anna', ANNA.time, 'truth')
    }


def test_a_spreadsheet_runs_nothing(recording: Path) -> None:
    evil = replace(ANNA, annotator='=cmd()')
    labels = LabelSet.of(['=cmd()', '<script>'])
    made = [Segment(START + 10**9, START + 2 * 10**9, '=cmd()')]
    layer = write_layer(recording, made, labels, evil)
    (row,) = csv.DictReader(layer.path.with_suffix('.csv').open())
    assert row['label'] == row['annotator'] == "'=cmd()"
    clock = clock_of(open_recording(recording))
    assert read_segments_csv(layer.path.with_suffix('.csv'), clock) == made


def test_layers_lie_beside_each_other_and_none_is_replaced(recording: Path) -> None:
    layers = [write_layer(recording, segments(k + 1), LABELS, ANNA) for k in range(3)]
    assert len({layer.path for layer in layers}) == 3
    assert [len(read_truth(layer.path).segments) for layer in layers] == [1, 2, 3]
    assert layers_of(recording)[-1].path == layers[-1].path


def test_two_who_save_at_once_get_two_layers(recording: Path) -> None:
    barrier = threading.Barrier(4)

    def save(count: int) -> None:
        barrier.wait()
        write_layer(recording, segments(count), LABELS, ANNA)

    threads = [threading.Thread(target=save, args=(k + 1,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [len(read_truth(layer.path).segments) for layer in layers_of(recording)]
    assert sorted(found) == [1, 2, 3, 4]


def test_the_name_of_an_annotator_leads_nowhere_else(recording: Path) -> None:
    layer = write_layer(recording, segments(1), LABELS, BEN)
    assert layer.path.parent == annotations_of(recording)
    assert layers_of(recording)[0].provenance.annotator == 'Ben & Co/../x'


def test_a_full_disk_leaves_nothing(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write_layer(recording, segments(2), LABELS, ANNA)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(bag_writer, 'sync', full)
    with pytest.raises(M2R2Error, match='No space left'):
        write_layer(recording, segments(3), LABELS, ANNA)
    assert layers_of(recording) == [before]
    names = sorted(path.name for path in annotations_of(recording).iterdir())
    assert names == sorted([before.name, f'{before.name}.csv'])


def test_layers_are_no_recordings(recording: Path) -> None:
    write_layer(recording, segments(2), LABELS, ANNA)
    assert find_recordings([recording.parent]) == [recording]


def test_the_newest_layer_is_the_truth(recording: Path, tmp_path: Path) -> None:
    assert own_truth(recording).read().segments == truth_of(6.0, 0)
    write_layer(recording, segments(2), LABELS, ANNA)
    write_layer(recording, segments(3), LABELS, BEN)
    newest = own_truth(recording).read()
    assert newest.segments == segments(3)
    assert newest.note == 'annotation layer of Ben & Co/../x, who was not done'
    for given in (recording, tmp_path, annotations_of(recording)):
        found = find_truths([given], ['rec'])
        assert found['rec'].read().segments == segments(3)


def test_the_layer_of_an_annotator_is_the_truth(recording: Path) -> None:
    write_layer(recording, segments(2), LABELS, ANNA)
    write_layer(recording, segments(3), LABELS, BEN)
    options = TruthOptions(annotator='Anna')
    assert own_truth(recording, options).read().segments == segments(2)
    assert find_truths([recording], ['rec'], options)['rec'].read().segments == segments(2)
    other = own_truth(recording, TruthOptions(annotator='Cleo'))
    with pytest.raises(NoTruthError, match='there are layers of Anna, Ben & Co'):
        other.read()


def test_a_single_layer_can_be_named(recording: Path) -> None:
    first = write_layer(recording, segments(2), LABELS, ANNA)
    write_layer(recording, segments(3), LABELS, BEN)
    assert find_truths([first.path], ['rec'])['rec'].read().segments == segments(2)


def test_a_layer_corrects_a_table_beside_it(recording: Path, tmp_path: Path) -> None:
    write_segments_csv(tmp_path / 'rec.csv', segments(4), START)
    write_layer(recording, segments(2), LABELS, ANNA)
    assert find_truths([tmp_path], ['rec'])['rec'].read().segments == segments(2)


@pytest.mark.parametrize('damage', ['', 'a: [', 'rosbag2_bagfile_information: {}', '- 1'])
def test_damaged_layers_are_passed_over(recording: Path, damage: str) -> None:
    broken = write_layer(recording, segments(2), LABELS, BEN)
    good = write_layer(recording, segments(1), LABELS, ANNA)
    (broken.path / 'metadata.yaml').write_text(damage)
    assert layers_of(recording) == [good]
    with pytest.raises(LabelError, match=r'metadata\.yaml'):
        read_layer(broken.path)
