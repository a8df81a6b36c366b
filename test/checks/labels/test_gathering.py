# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels are gathered from wherever they lie, with what lies beside them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.layers import Provenance, write_layer
from m2r2_ros.bags.labels.sources import find_truths
from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.checks.labels.gathering import labels_of
from m2r2_ros.core.errors import LabelError, NoTruthError
from m2r2_ros.core.labels import FrameLabel, LabelSet, Segment
from m2r2_ros.core.origin import Origin
from m2r2_ros.core.taxonomy import LabelClass, Taxonomy
from test.checks.labels.made import LABELS, SECOND, START, made

ANNA = Provenance('Anna', '2026-11-27T15:30:12.345Z', 'test 1')
SEGMENTS = list(made(0)[0].segments)
END = SEGMENTS[-1].end


def write(path: Path, prefix: str = GROUND_TRUTH, *, frames: bool = False) -> Path:
    """Write labels, their parents and phases into a bag."""
    levels = {
        '': (LABELS, SEGMENTS),
        '/coarse': (
            LabelSet.of(('pick', 'insert', 'pause')),
            [replace(s, label=LABELS.parents[LABELS.id_of(s.label)]) for s in SEGMENTS],
        ),
        '/phase': (LABELS, SEGMENTS),
    }
    with BagWriter(path) as bag:
        for level, (label_set, segments) in levels.items():
            frame_labels = frames and not level
            writer = LabelWriter(bag, prefix + level, frame_labels=frame_labels)
            writer.write_label_set(label_set, 'm', START, ('pose', 'wrench'))
            for k, s in enumerate(segments):
                writer.write_segment(s, label_set.id_of(s.label), k, 'm')
            for k in range(100 if frame_labels else 0):
                stamp = START + k * SECOND // 10
                one = np.ones(5, np.float32)
                label = FrameLabel(stamp, 0, 'pick_a', 0.9, one, 0.0, 0, START, 0, 3)
                writer.write_label(label, 'm', 0.0, stamp)
    return path


def test_the_truth_of_a_recording_comes_with_its_levels(tmp_path: Path) -> None:
    recording = write(tmp_path / 'réc 1')
    labels = labels_of(recording)
    assert (labels.recording, labels.source, labels.name) == (recording, recording, 'réc 1')
    assert list(labels.segments) == SEGMENTS
    assert labels.span == (START, END)
    assert labels.label_set == LABELS
    assert labels.coarse is not None
    assert {s.label for s in labels.coarse} == {'pick', 'insert', 'pause'}
    assert labels.phases == labels.segments
    assert (labels.track, labels.facts, labels.others, labels.frame) == (None, None, {}, 0)
    link = tmp_path / 'link'
    link.symlink_to(recording)
    assert labels_of(link).key == labels.key


def test_a_taxonomy_goes_before_the_label_set(tmp_path: Path) -> None:
    taxonomy = Taxonomy('t', '1', (LabelClass('pick_a', 'take'),))
    labels = labels_of(write(tmp_path / 'rec'), taxonomy=taxonomy)
    assert labels.taxonomy is taxonomy
    assert labels.parents == {'pick_a': 'take'}


def test_a_label_bag_comes_with_its_frames_and_the_truth_beside_it(tmp_path: Path) -> None:
    recording = write(tmp_path / 'rec')
    bag = write(tmp_path / 'labels' / 'rec_labels', '', frames=True)
    labels = labels_of(recording, find_truths([bag], ['rec'])['rec'])
    assert labels.source == bag
    assert labels.track is not None
    assert labels.track.modalities == ('pose', 'wrench')
    assert labels.frame == SECOND // 10
    assert labels.facts is not None
    assert (labels.facts.origin, labels.facts.by) == (Origin.AUTOMATIC, 'm')
    assert labels.others == {'the truth in it': SEGMENTS}
    assert labels.coarse is not None


def test_the_newest_layer_of_each_annotator_is_compared(tmp_path: Path) -> None:
    recording = write(tmp_path / 'rec')
    write_layer(recording, SEGMENTS[:1], LABELS, ANNA)
    ben = write_layer(recording, SEGMENTS[:2], LABELS, replace(ANNA, annotator='Ben'))
    last = write_layer(recording, SEGMENTS[:3], LABELS, replace(ANNA, time='2026-11-28T00:00:00Z'))
    labels = labels_of(recording)
    assert labels.source == last.path
    assert list(labels.segments) == SEGMENTS[:3]
    assert (labels.coarse, labels.phases) == (None, None)
    assert labels.facts is not None
    assert labels.facts.by == 'Anna'
    assert labels.others == {ben.path.name: SEGMENTS[:2], 'the truth in it': SEGMENTS}


def test_a_table_and_a_second_layer_are_read(tmp_path: Path) -> None:
    recording = write(tmp_path / 'rec')
    table = tmp_path / 'tables' / 'rec.csv'
    table.parent.mkdir()
    write_segments_csv(table, SEGMENTS[:4], START)
    bag = write(tmp_path / 'labels' / 'rec_labels', '')
    given = [find_truths([path], ['rec'])['rec'] for path in (table, bag)]
    labels = labels_of(recording, given[0], others=given[1:])
    assert [(s.start, s.label) for s in labels.segments] == [
        (s.start, s.label) for s in SEGMENTS[:4]
    ]
    assert labels.label_set is None
    assert labels.facts is not None
    assert labels.facts.origin is Origin.IMPORTED
    assert set(labels.others) == {'the truth in it', 'rec_labels'}


def test_labels_that_are_missing_or_damaged_are_told(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'empty') as bag:
        bag.add_topic('/x', 'std_msgs/msg/String')
    with pytest.raises(NoTruthError):
        labels_of(tmp_path / 'empty')
    recording = write(tmp_path / 'rec')
    table = tmp_path / 'rec.csv'
    table.write_text('start_s,end_s,label\n3,2,pick_a\n')
    with pytest.raises(LabelError, match='end after'):
        labels_of(recording, find_truths([table], ['rec'])['rec'])


def test_a_recording_with_a_camera_says_how_long_a_frame_is(tmp_path: Path) -> None:
    path = tmp_path / 'rec'
    with BagWriter(path) as bag:
        writer = LabelWriter(bag, GROUND_TRUTH, frame_labels=False)
        writer.write_label_set(LABELS, '', START)
        writer.write_segment(Segment(START, START + 2 * SECOND, 'rest'), 4, 0, '')
        bag.add_topic('/camera', 'sensor_msgs/msg/CompressedImage')
        for k in range(40):
            bag.write('/camera', b'\0\1\0\0' + bytes(40), START + k * SECOND // 20)
    assert labels_of(path).frame == pytest.approx(SECOND / 20, rel=0.05)
