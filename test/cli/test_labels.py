# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 labels`: stats, diff and convert, of every kind of labels."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.layers import Provenance, layers_of, write_layer
from m2r2_ros.bags.labels.origin import Origin, facts_of_labels
from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.labels.topics import GROUND_TRUTH, SEGMENT_TOPIC
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.share import share_path
from m2r2_ros.simulation.parts import action_labels
from test.cli.run import digest, done, m2r2
from test.replay.recordings import ACTIONS, robot_bag

SECOND = 10**9
MAP = """
labels: {reach: move, push: work, grip: work}
unmapped: refused
"""
TAXONOMY = """
name: two
version: '1'
classes:
  rest: {parent: none}
  work: {parent: act, colour: '#102030'}
  move: {parent: act}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two recordings that have ground truth."""
    robot_bag(tmp_path / 'recs' / 'one', 8.0, seed=1)
    robot_bag(tmp_path / 'recs' / 'zwei ü', 6.0, seed=2)
    (tmp_path / 'map.yaml').write_text(MAP)
    (tmp_path / 'two.yaml').write_text(TAXONOMY)
    return tmp_path


def truth(folder: Path, name: str = 'one') -> list[Segment]:
    return read_truth(folder / 'recs' / name).segments


def labelled(path: Path, segments: list[Segment], model: str) -> Path:
    labels = LabelSet.of(ACTIONS)
    with BagWriter(path) as bag:
        writer = LabelWriter(bag, frame_labels=False)
        writer.write_label_set(labels, model, segments[0].start)
        for k, segment in enumerate(segments):
            writer.write_segment(segment, labels.id_of(segment.label), k, model)
    return path


def as_json(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done(*arguments, '--json').out)
    return found


def test_stats_count_and_say_where_labels_come_from(folder: Path) -> None:
    found = as_json('labels', 'stats', folder / 'recs')
    every = truth(folder) + truth(folder, 'zwei ü')
    assert {n: c['segments'] for n, c in found['classes'].items()} == {
        name: sum(s.label == name for s in every) for name in ACTIONS
    }
    assert sum(t['count'] for t in found['transitions']) == len(every) - 2
    assert [layer['origin'] for layer in found['layers']] == ['imported', 'imported']
    shown = done('labels', 'stats', folder / 'recs').out
    assert 'origin: imported, 2 recordings' in shown
    assert 'reach' in shown


def test_stats_take_a_layer_before_the_truth_and_a_bag_before_its_table(folder: Path) -> None:
    write_layer(
        folder / 'recs' / 'one', truth(folder)[:1], LabelSet.of(ACTIONS), Provenance('A', '', 't')
    )
    found = as_json('labels', 'stats', folder / 'recs')
    assert {n['recording']: n['origin'] for n in found['layers']} == {
        'one': 'manual',
        'zwei ü': 'imported',
    }
    out = folder / 'out'
    labelled(out / 'one_labels', truth(folder), 'f00')
    write_segments_csv(out / 'one_segments.csv', truth(folder), truth(folder)[0].start)
    (layer,) = as_json('labels', 'stats', out)['layers']
    assert (layer['origin'], layer['by']) == ('automatic', 'f00')


def test_a_mapping_makes_a_new_layer_and_changes_nothing_else(folder: Path) -> None:
    before = digest(folder)
    report = as_json(
        'labels', 'convert', folder / 'recs', '--mapping', folder / 'map.yaml',
        '--to', folder / 'two.yaml',
    )  # fmt: skip
    after = digest(folder)
    assert {path: after[path] for path in before} == before
    assert {m['from'] for m in report['mapped']} == set(ACTIONS)
    assert len(report['written']) == 2
    (layer,) = layers_of(folder / 'recs' / 'one')
    made = read_truth(layer.path)
    assert made.label_set == LabelSet(('rest', 'work', 'move'), ('none', 'act', 'act'))
    assert made.label_set.colours[1] == pytest.approx([16 / 255, 32 / 255, 48 / 255])
    assert {s.label for s in made.segments} <= {'work', 'move'}
    assert made.segments[0].start == truth(folder)[0].start
    facts = facts_of_labels(layer.path)
    assert (facts.origin, facts.started_from) == (Origin.IMPORTED, 'labels one')
    assert facts.tool.startswith('m2r2 labels convert')
    # Once more there is nothing that could be mapped.
    failed = m2r2('labels', 'convert', folder / 'recs', '--mapping', folder / 'map.yaml')
    assert 'no rule of map holds for segments of' in failed.error
    assert len(layers_of(folder / 'recs' / 'one')) == 1


@pytest.mark.parametrize('form', ['bags', 'tables'])
def test_a_mapping_writes_bags_or_tables(folder: Path, form: str) -> None:
    out = folder / 'out'
    arguments = (
        'labels', 'convert', folder / 'recs', '--mapping', folder / 'map.yaml',
        '--out', out, '--as', form,
    )  # fmt: skip
    shown = done(*arguments).out
    assert 'push' in shown
    assert not layers_of(folder / 'recs' / 'one')
    names = [path.name for path in sorted(out.iterdir())]
    end = '_truth' if form == 'bags' else '.csv'
    assert names == [f'one{end}', f'zwei ü{end}']
    agreed = as_json('labels', 'diff', folder / 'recs', out, '--recordings', folder / 'recs')
    assert {c['kind'] for c in agreed['changes']} <= {'renamed', 'moved', 'only first', 'joined'}
    edges = agreed['pairs'][0]['edges']
    assert (edges['median'], edges['only_second']) == (0, 0)
    before = digest(out)
    assert 'exists' in m2r2(*arguments).error
    assert digest(out) == before
    done(*arguments, '--overwrite')
    assert facts_of_labels(out / names[0]).origin == Origin.IMPORTED


def test_a_converted_manual_layer_stays_manual(folder: Path) -> None:
    recording = folder / 'recs' / 'one'
    made = Provenance('Anna', '', 'hand', done=True)
    write_layer(recording, truth(folder), LabelSet.of(ACTIONS), made)
    done('labels', 'convert', recording, '--mapping', folder / 'map.yaml')
    new = layers_of(recording)[-1].provenance
    assert (new.annotator, new.origin, new.done) == ('Anna', Origin.MANUAL, True)
    assert new.corrected_from.startswith('layer 20')


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    before = digest(folder)
    report = as_json(
        'labels', 'convert', folder / 'recs', '--mapping', folder / 'map.yaml', '--dry-run'
    )
    assert report['mapped']
    assert not report['written']
    assert digest(folder) == before


def test_labels_of_a_recording_elsewhere_need_it_or_out(folder: Path) -> None:
    bag = labelled(folder / 'l' / 'one_labels', truth(folder), 'f00')
    arguments = ('labels', 'convert', bag, '--mapping', folder / 'map.yaml')
    assert 'give --recordings, or --out' in m2r2(*arguments).error
    done(*arguments, '--recordings', folder / 'recs')
    provenance = layers_of(folder / 'recs' / 'one')[-1].provenance
    assert (provenance.origin, provenance.annotator) == (Origin.AUTOMATIC, 'f00')
    done(*arguments, '--out', folder / 'out')
    assert (folder / 'out' / 'one_truth').is_dir()


def test_one_damaged_recording_is_told_and_the_others_are_converted(folder: Path) -> None:
    bad = next((folder / 'recs' / 'one').glob('*.mcap'))
    bad.write_bytes(bad.read_bytes()[:100])
    assert 'without labels, left out: one' in done('labels', 'stats', folder / 'recs').err
    labels = LabelSet.of(ACTIONS)
    with BagWriter(folder / 'recs' / 'two') as bag:
        writer = LabelWriter(bag, GROUND_TRUTH, frame_labels=False)
        writer.write_label_set(labels, '', 0)
        writer.write_segment(Segment(9, 5, 'push'), 1, 0, '')
    failed = m2r2(
        'labels', 'convert', folder / 'recs', '--mapping', folder / 'map.yaml',
        '--out', folder / 'out',
    )  # fmt: skip
    assert '1 of 2 recordings are not converted' in failed.error
    assert 'becomes' in failed.out
    assert 'no segment matched' not in failed.out  # which the others may have
    assert [path.name for path in (folder / 'out').iterdir()] == ['zwei ü_truth']
    none = m2r2(
        'labels', 'convert', folder / 'recs' / 'two', '--mapping', folder / 'map.yaml',
        '--out', folder / 'out',
    )  # fmt: skip
    assert none.code == 2
    assert not none.out


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        (('--mapping', 'none.yaml'), 'none.yaml: no such file'),
        (('--mapping', 'map.yaml', '--to', 'other.yaml'), 'maps to move, work'),
        (('--mapping', 'drop.yaml'), 'drops all of its labels'),
        (('--mapping', 'kept.yaml', '--to', 'two.yaml'), 'not in the taxonomy two 1'),
        (('--mapping', 'map.yaml', '--out', 'recs/one'), 'never changed'),
    ],
)
def test_what_cannot_be_done_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(folder)
    Path('other.yaml').write_text('labels: [a]')
    Path('drop.yaml').write_text('labels: {reach: , push: , grip: }\nunmapped: kept')
    Path('kept.yaml').write_text('labels: {reach: move}\nunmapped: kept')
    before = digest(folder)
    assert says in m2r2('labels', 'convert', 'recs', *options).error
    assert digest(folder) == before


def test_diff_tells_what_moved_and_how_far_layers_agree(folder: Path) -> None:
    own = truth(folder)
    late = replace(own[0], end=own[0].end + SECOND // 5)
    other = [late, replace(own[1], start=late.end), *own[2:-1]]
    labelled(folder / 'l' / 'one_labels', other, 'f00')
    found = as_json('labels', 'diff', folder / 'recs', folder / 'l')
    assert [(c['kind'], c['recording']) for c in found['changes']] == [
        ('moved', 'one'), ('moved', 'one'), ('only first', 'one'),
    ]  # fmt: skip
    assert found['changes'][0]['moved_s'] == [0, 0.2]
    assert found['recordings'] == ['one']
    (pair,) = found['pairs']
    assert 0.9 < pair['kappa'] < 1
    assert pair['kappa'] == pytest.approx(found['alpha'], abs=0.01)
    assert pair['only_first'] == 1
    assert {n['origin'] for n in found['layers']} == {'imported', 'automatic'}
    within = as_json('labels', 'diff', folder / 'recs', folder / 'l', '--tolerance', 0.25)
    assert [c['kind'] for c in within['changes']] == ['only first']
    shown = done('labels', 'diff', folder / 'recs', folder / 'l')
    assert "Krippendorff's alpha" in shown.out
    assert '+0.200' in shown.out
    assert 'in one layer alone, left out: zwei ü' in shown.err


def test_diff_takes_three_layers_and_annotators_of_one_folder(folder: Path) -> None:
    labelled(folder / 'a' / 'one_labels', truth(folder), 'f00')
    labelled(folder / 'b' / 'one_labels', truth(folder)[1:], 'f01')
    found = as_json('labels', 'diff', folder / 'recs', folder / 'a', folder / 'b')
    assert [(p['first'], p['second']) for p in found['pairs']] == [
        ('recs', 'a'), ('recs', 'b'), ('a', 'b'),
    ]  # fmt: skip
    recording = folder / 'recs' / 'one'
    for who in ('Anna', 'Ben'):
        write_layer(recording, truth(folder), LabelSet.of(ACTIONS), Provenance(who, '', 't'))
    found = as_json('labels', 'diff', folder / 'recs')
    assert [(p['first'], p['second'], p['kappa']) for p in found['pairs']] == [('Anna', 'Ben', 1)]
    assert not found['changes']


def test_diff_takes_two_files_whatever_they_are_called(folder: Path) -> None:
    for name in ('x.csv', 'y.csv'):
        write_segments_csv(folder / name, truth(folder), 0)
    assert as_json('labels', 'diff', folder / 'x.csv', folder / 'y.csv')['alpha'] == 1


def test_diff_tells_what_it_cannot_compare(folder: Path) -> None:
    assert 'expected two annotators' in m2r2('labels', 'diff', folder / 'recs').error
    shutil.copytree(folder / 'recs' / 'zwei ü', folder / 'other' / 'drei')
    labelled(folder / 'other' / 'vier_labels', truth(folder), 'x')
    assert (
        'no recording has two of these layers'
        in m2r2('labels', 'diff', folder / 'recs', folder / 'other').error
    )
    late = [replace(s, start=s.start + 10**15, end=s.end + 10**15) for s in truth(folder)]
    write_segments_csv(folder / 'now.csv', truth(folder), 0)
    write_segments_csv(folder / 'late.csv', late, 0)
    apart = m2r2('labels', 'diff', folder / 'now.csv', folder / 'late.csv')
    assert 'no time in common' in apart.error
    empty = folder / 'empty'
    with BagWriter(empty / 'rec') as bag:
        bag.add_topic('/a', 'std_msgs/msg/Empty')
    assert 'no labels there' in m2r2('labels', 'stats', empty).error
    with BagWriter(empty / 'other') as bag:
        bag.add_topic(SEGMENT_TOPIC, 'std_msgs/msg/Empty')
    assert 'holds std_msgs/msg/Empty' in m2r2('labels', 'stats', empty / 'other').error


def test_gamma_needs_its_library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled(folder / 'l' / 'one_labels', truth(folder), 'f00')
    monkeypatch.setattr('m2r2_ros.evaluation.gamma.find_spec', lambda name: None)
    failed = m2r2('labels', 'diff', folder / 'recs', folder / 'l', '--gamma')
    assert 'pip install pygamma-agreement' in failed.error


def test_labels_of_a_model_say_so(bundle: Path, robots: Path, tmp_path: Path) -> None:
    done('label', robots / 'second', '--model', bundle, '--out', tmp_path)
    for name in ('second_labels', 'second_segments.csv'):
        facts = facts_of_labels(tmp_path / name)
        assert facts.origin == Origin.AUTOMATIC
        assert facts.by
        assert facts.tool.startswith('m2r2 label ')


def test_the_shipped_mapping_of_the_cell_maps_every_action(tmp_path: Path) -> None:
    labels, bag = action_labels(), tmp_path / 'cell'
    with BagWriter(bag) as written:
        writer = LabelWriter(written, GROUND_TRUTH, frame_labels=False)
        writer.write_label_set(labels, '', 0)
        for k, name in enumerate(labels.names * 2):
            start, success = 2 * k * SECOND, k < len(labels.names)
            segment = Segment(start, start + 2 * SECOND, name, success=success)
            writer.write_segment(segment, labels.id_of(name), k, '')
    config = share_path('config')
    report = as_json(
        'labels', 'convert', bag, '--mapping', config / 'mappings' / 'cell_to_steps.yaml',
        '--to', config / 'taxonomies' / 'cell_steps.yaml', '--out', tmp_path / 'out',
    )  # fmt: skip
    assert (report['unmapped'], report['failed']) == ({}, [])
    assert report['rules_without_a_match'] == ['labels.no_action[1]']
    made = read_truth(tmp_path / 'out' / 'cell_truth')
    assert made.label_set is not None
    assert made.label_set.names == ('take', 'put', 'failed_attempt', 'pause')
    assert {(s.label, s.success) for s in made.segments} == {
        ('take', True), ('put', True), ('failed_attempt', False), ('pause', True), ('pause', False),
    }  # fmt: skip
