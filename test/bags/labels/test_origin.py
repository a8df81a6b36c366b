# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where labels come from, as whatever holds them says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.layers import Provenance, annotations_of, read_layer, write_layer
from m2r2_ros.bags.labels.origin import LayerFacts, Origin, facts_of_labels
from m2r2_ros.bags.labels.origin_marks import origin_columns, origin_entries
from m2r2_ros.bags.labels.reader import Truth, read_truth
from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.rosbag2 import METADATA
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import LabelError, M2R2Error
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.pages.document import labels_of
from m2r2_ros.training.naming import Clustered, write_named
from test.replay.recordings import START, robot_bag

LABELS = LabelSet.of(['reach', 'lift'])
ONE = [Segment(START, START + 10**9, 'reach')]
FACTS = LayerFacts(Origin.HEURISTIC, 'k2', '2026-11-27T15:30:12.345Z', 'rules 3', 'labels x')


def label_bag(path: Path, model: str, facts: LayerFacts | None = None, prefix: str = '') -> Path:
    with BagWriter(path) as bag:
        bag.custom |= origin_entries(facts) if facts else {'someone': 'else'}
        writer = LabelWriter(bag, prefix, frame_labels=False)
        writer.write_label_set(LABELS, model, START)
        writer.write_segment(ONE[0], 0, 0, model)
    return path


@pytest.mark.parametrize('origin', list(Origin))
def test_a_layer_says_its_origin(tmp_path: Path, origin: Origin) -> None:
    recording = robot_bag(tmp_path / 'rec', 2.0)
    made = Provenance('Anna', '', 'tool 1', 'truth', origin=origin)
    layer = write_layer(recording, ONE, LABELS, made)
    assert read_layer(layer.path) == layer
    wanted = LayerFacts(origin, 'Anna', layer.provenance.time, 'tool 1', 'truth')
    assert facts_of_labels(layer.path) == wanted
    assert facts_of_labels(layer.path.with_suffix('.csv')) == wanted
    assert facts_of_labels(annotations_of(recording)) == wanted


@pytest.mark.parametrize(('before', 'origin'), [('', Origin.MANUAL), ('x', Origin.CORRECTED)])
def test_layers_from_before_were_made_by_people(
    tmp_path: Path, before: str, origin: Origin
) -> None:
    layer = write_layer(
        robot_bag(tmp_path / 'rec', 2.0), ONE, LABELS, Provenance('A', '', 't', before)
    )
    file = layer.path / METADATA
    lines = [line for line in file.read_text().splitlines() if 'annotation.origin' not in line]
    file.write_text('\n'.join(lines))
    assert read_layer(layer.path).provenance.origin == origin


def test_an_origin_that_is_none_is_refused(tmp_path: Path) -> None:
    layer = write_layer(robot_bag(tmp_path / 'rec', 2.0), ONE, LABELS, Provenance('A', '', 't'))
    file = layer.path / METADATA
    file.write_text(file.read_text().replace('origin: manual', 'origin: magic'))
    with pytest.raises(LabelError, match='origin is magic, expected manual, corrected'):
        read_layer(layer.path)


def test_a_label_bag_says_it_or_the_id_of_its_model_does(tmp_path: Path) -> None:
    assert facts_of_labels(label_bag(tmp_path / 'a', 'f00')) == LayerFacts(Origin.AUTOMATIC, 'f00')
    assert facts_of_labels(label_bag(tmp_path / 'b', 'f00', FACTS)) == FACTS
    assert facts_of_labels(label_bag(tmp_path / 'c', '')) == LayerFacts()
    bare = next((tmp_path / 'b').glob('*.mcap')).rename(tmp_path / 'bare.mcap')
    assert facts_of_labels(bare) == LayerFacts(Origin.AUTOMATIC, 'f00')


def test_ground_truth_came_with_its_recording(tmp_path: Path) -> None:
    truth = label_bag(tmp_path / 'a', '', prefix=GROUND_TRUTH)
    assert facts_of_labels(truth) == LayerFacts(Origin.IMPORTED)
    with BagWriter(tmp_path / 'b') as bag:
        bag.add_topic('/a', 'std_msgs/msg/Empty')
    assert facts_of_labels(tmp_path / 'b') == LayerFacts()


def test_a_table_says_it_or_the_bag_beside_it_does(tmp_path: Path) -> None:
    plain = tmp_path / 'rec.csv'
    write_segments_csv(plain, ONE, START)
    assert facts_of_labels(plain) == LayerFacts(Origin.IMPORTED)
    write_segments_csv(plain, ONE, START, origin_columns(FACTS))
    assert facts_of_labels(plain) == FACTS
    label_bag(tmp_path / 'rec_labels', 'f00')
    beside = tmp_path / 'rec_segments.csv'
    write_segments_csv(beside, ONE, START)
    assert facts_of_labels(beside) == LayerFacts(Origin.AUTOMATIC, 'f00')


@pytest.mark.parametrize(
    'damage',
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('m2r2_ros.labels.origin: heuristic', 'm2r2_ros.labels.origin: 7'),
        lambda text: text.replace('custom_data:', 'custom_data: !x'),
        lambda text: '',
    ],
)
def test_damaged_metadata_says_nothing(tmp_path: Path, damage: Callable[[str], str]) -> None:
    bag = label_bag(tmp_path / 'a', 'f00', FACTS)
    file = bag / METADATA
    file.write_text(damage(file.read_text()))
    try:
        found = facts_of_labels(bag)
    except M2R2Error:
        return
    assert found == LayerFacts(Origin.AUTOMATIC, 'f00')


def test_what_is_missing_is_an_error(tmp_path: Path) -> None:
    for name in ('none', 'none.csv', 'none.mcap'):
        with pytest.raises(M2R2Error, match='none'):
            facts_of_labels(tmp_path / name)


def test_named_clusters_are_heuristic(tmp_path: Path) -> None:
    recording = robot_bag(tmp_path / 'rec', 2.0)
    label_bag(tmp_path / 'rec_labels', 'f00')
    clustered = Clustered('rec', recording, Truth(ONE, LABELS))
    write_named(clustered, {'reach': 'move'}, tmp_path / 'named')
    facts = facts_of_labels(tmp_path / 'named' / 'rec_truth')
    assert (facts.origin, facts.started_from) == (Origin.HEURISTIC, 'labels rec')
    assert facts.tool.startswith('m2r2 name')


def test_colours_of_a_taxonomy_are_read_back(tmp_path: Path) -> None:
    recording = robot_bag(tmp_path / 'rec', 2.0)
    red, white = (1.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    labels = LabelSet(('reach', 'lift'), ('', ''), (red, white))
    layer = write_layer(recording, ONE, labels, Provenance('A', '', 't'))
    found = read_truth(layer.path).label_set
    assert found is not None
    assert found.colours == (red, white)
    plain = write_layer(recording, ONE, LABELS, Provenance('A', '', 't'))
    usual = read_truth(plain.path).label_set
    assert usual is not None
    assert not usual.chosen
    assert labels_of([], found).colours == (red, white)
    assert labels_of([], usual).colours == LABELS.colours
