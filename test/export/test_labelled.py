# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which labels are exported with which recording."""

from dataclasses import replace
from pathlib import Path

import pytest

from m2r2_ros.core.errors import BagError, LabelError, NoTruthError
from m2r2_ros.core.labels import UNKNOWN_LABEL, LabelSet
from m2r2_ros.export.labelled import (
    Labelled,
    common_label_set,
    label_sources,
    labelled_recordings,
    layer_sources,
)
from test.export.workshop import LABELS, SEGMENTS, label_bag, segment, workshop
from test.replay.recordings import SECOND, START, robot, write_bag


def test_own_truth_counts_where_no_labels_are_given(shop: Path) -> None:
    (one,) = labelled_recordings([shop])
    assert (one.recording, one.name, one.source) == (shop, shop.name, shop)
    assert one.segments == SEGMENTS
    assert one.label_set == LABELS
    assert one.parent_of('wait') == ''
    assert one.parent_of('reach') == 'move'


def test_labels_that_are_given_come_first(shop: Path, tmp_path: Path) -> None:
    plain = write_bag(tmp_path / 'plain', robot(4.0))
    label_bag(tmp_path / 'labels' / f'{shop.name}_labels', SEGMENTS[:1], 'model-7')
    table = tmp_path / 'labels' / 'plain.csv'
    table.write_text('start_s,end_s,label\n1,2,zoo\n2,3,ant\n3,4,unknown\n')
    one, other = labelled_recordings([shop, plain], [tmp_path / 'labels'])
    assert [s.label for s in one.segments] == ['reach']
    assert [s.start for s in other.segments] == [START + SECOND, START + 2 * SECOND]
    assert other.label_set == LabelSet.of(('ant', 'zoo'))
    with pytest.raises(LabelError, match='no labels of elsewhere there, but of plain'):
        labelled_recordings([write_bag(tmp_path / 'elsewhere', robot(1.0))], [table])


def test_what_has_no_labels_fails_when_it_is_read(tmp_path: Path) -> None:
    plain = write_bag(tmp_path / 'plain', robot(1.0))
    (source,) = label_sources([plain])
    with pytest.raises(NoTruthError, match='plain has no labels: give some with --labels'):
        source.read()
    empty = workshop(tmp_path / 'empty', [segment(0, 1, UNKNOWN_LABEL)], seconds=1.0)
    (one,) = labelled_recordings([empty])
    assert one.segments == ()
    with pytest.raises(BagError, match='have one name'):
        label_sources([plain, tmp_path / 'other' / 'plain'])


def test_own_truth_does_not_slip_in_between_labels_that_are_given(
    shop: Path, tmp_path: Path
) -> None:
    plain = write_bag(tmp_path / 'plain', robot(4.0))
    table = tmp_path / 'plain.csv'
    table.write_text('start_s,end_s,label\n1,2,zoo\n')
    own, other = label_sources([shop, plain], [table])
    assert [s.label for s in other.read().segments] == ['zoo']
    with pytest.raises(NoTruthError, match=f'{shop.name}: what --labels gives has no labels of it'):
        own.read()


def test_layers_are_called_after_their_paths(shop: Path, tmp_path: Path) -> None:
    for who, count in (('anna', 2), ('bo', 3)):
        label_bag(tmp_path / who / f'{shop.name}_labels', SEGMENTS[:count], 'm')
    plain = write_bag(tmp_path / 'plain', robot(1.0))
    one, other = layer_sources([shop, plain], [tmp_path / 'anna', tmp_path / 'bo'])
    assert {name: len(own.segments) for name, own in one.read().items()} == {'anna': 2, 'bo': 3}
    with pytest.raises(NoTruthError, match='plain: no layer'):
        other.read()


def test_one_label_set_for_several_recordings(labelled: Labelled) -> None:
    other = replace(labelled, label_set=LabelSet(('new', 'wait'), ('move', '')))
    names = (*LABELS.names, 'new')
    assert common_label_set([labelled, other]) == LabelSet(names, (*LABELS.parents, 'move'))
    assert common_label_set([]) == LabelSet.of(())
    wrong = replace(labelled, label_set=LabelSet(('wait',), ('move',)))
    with pytest.raises(LabelError, match=r'label wait has the parent move, elsewhere \(none\)'):
        common_label_set([labelled, wrong])
