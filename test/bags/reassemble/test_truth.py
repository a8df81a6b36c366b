# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth of REASSEMBLE files, and what is known to be bad in which."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

from m2r2_ros.bags.labels.reader import read_segments, read_truth
from m2r2_ros.bags.reassemble.facts import action_labels, defect_of, phase_labels
from m2r2_ros.bags.reassemble.layout import SENSORS
from m2r2_ros.bags.reassemble.truth import label_of
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.share import share_path
from m2r2_ros.readers.definitions import typestore
from test.bags.reassemble.files import ACTIONS, BEGIN, Action, Shape, stamps, write_file

SEGMENT = 'm2r2_ros/msg/ActionSegment'
PHASES = '/ground_truth/phase/action_segment'


def write(path: Path, actions: Sequence[Action]) -> Path:
    """Write a recording of which nothing but the labels matters."""
    return write_file(path, Shape(seconds=0.1, size=(16, 16), actions=actions))


def test_the_69_labels_are_in_their_order() -> None:
    labels = action_labels()
    assert len(labels.names) == 69
    assert labels.names[0] == 'no_action'
    for k, verb in enumerate(('pick', 'insert', 'remove', 'place')):
        names = labels.names[1 + 17 * k : 18 + 17 * k]
        assert len(names) == 17
        assert {name.partition('_')[0] for name in names} == {verb}
        assert set(labels.parents[1 + 17 * k : 18 + 17 * k]) == {verb}
        assert names[0] == f'{verb}_round_peg_1'
        assert names[-1] == f'{verb}_small_gear'
    assert set(labels.parents) == {'no_action', 'pick', 'insert', 'remove', 'place'}
    assert len(phase_labels().names) == 9


@pytest.mark.parametrize(
    ('text', 'label'),
    [
        ('No action.', 'no_action'),
        ('Pick USB.', 'pick_usb'),
        ('Remove D-SUB.', 'remove_d_sub'),
        ('Place BNC.', 'place_bnc'),
        ('Insert bolt 4.', 'insert_bolt_4'),
        ('Pick large gear.', 'pick_large_gear'),
        ('Pick square peg 3.', 'pick_square_peg_3'),
        ('  Insert   Ethernet ', 'insert_ethernet'),
    ],
)
def test_texts_become_labels(text: str, label: str) -> None:
    assert label_of(text) == label
    assert label in action_labels().names


def test_both_levels_with_success(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.h5', ACTIONS)
    truth = read_truth(path)
    assert truth.label_set == action_labels()
    assert [(s.label, s.success) for s in truth.segments] == [
        ('no_action', True),
        ('pick_round_peg_1', True),
        ('insert_d_sub', False),
        ('no_action', True),
    ]
    spans = [((s.start - BEGIN * 1e9) * 1e-9, (s.end - BEGIN * 1e9) * 1e-9) for s in truth.segments]
    assert np.allclose(spans, [(a.start, a.end) for a in ACTIONS], atol=1e-6)
    phases = read_segments(path, PHASES)
    assert [(s.label, s.success) for s in phases] == [
        ('approach', True),
        ('grasp', True),
        ('push', False),
    ]
    assert phases[0].start == truth.segments[1].start


def test_segments_are_sorted_by_start_not_by_name(tmp_path: Path) -> None:
    actions = [Action('Pick USB.', float(k), k + 1.0) for k in range(12)]
    actions[3] = Action('Pick BNC.', 3.0, 4.0)
    path = write(tmp_path / 'a.h5', [*actions[6:], *actions[:6]])
    found = read_truth(path).segments
    assert [s.label for s in found] == ['pick_usb'] * 3 + ['pick_bnc'] + ['pick_usb'] * 8
    assert found == sorted(found, key=lambda s: s.start)
    blocks = open_recording(path).blocks(['/ground_truth/action_segment'])
    raw = [b.message(k).tobytes() for bs in blocks for b in bs for k in range(len(b))]
    written: list[Any] = [typestore().deserialize_cdr(r, SEGMENT) for r in raw]
    assert [m.segment_index for m in written] == list(range(12))


def test_a_label_of_none_of_the_69_is_kept_and_told_of(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.h5', [Action('Pick nose.', 0, 1), Action('Pick nose.', 1, 2)])
    truth = read_truth(path)
    assert [s.label for s in truth.segments] == ['pick_nose'] * 2
    assert truth.label_set == action_labels()
    assert 'label pick_nose (2 times) is not one of the data set' in open_recording(path).notes


@pytest.mark.parametrize('end', [1.0, 0.5, np.nan])
def test_a_segment_without_length_is_left_out_and_told_of(tmp_path: Path, end: float) -> None:
    path = write(tmp_path / 'a.h5', [Action('Pick USB.', 1.0, end), Action('Pick BNC.', 2, 3)])
    assert [s.label for s in read_truth(path).segments] == ['pick_bnc']
    notes = open_recording(path).notes
    assert [n for n in notes if n.startswith('segments_info/0 (pick_usb)')]


def test_a_file_without_segments_has_no_truth(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.h5', [])
    recording = open_recording(path)
    assert not [topic for topic in recording.topics if topic.startswith('/ground_truth')]
    assert 'no segments_info: there is no ground truth' in recording.notes


def test_text_has_to_be_text(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.h5', [Action('Pick USB.', 0, 1)])
    for content, expected in ((b'Pick \xff.', 'UTF-8'), (b'..', 'an action')):
        with h5py.File(path, 'a') as file:
            del file['segments_info/0/text']
            file['segments_info/0/text'] = np.bytes_(content)
        with pytest.raises(BagError, match=f'segments_info/0/text.*{expected}'):
            open_recording(path)


@pytest.mark.parametrize('field', ['start', 'end', 'text', 'success'])
def test_a_segment_has_to_be_whole(tmp_path: Path, field: str) -> None:
    path = write(tmp_path / 'a.h5', [Action('Pick USB.', 0, 1)])
    with h5py.File(path, 'a') as file:
        del file[f'segments_info/0/{field}']
    with pytest.raises(BagError, match=f'segments_info/0/{field}'):
        open_recording(path)


def test_variable_length_text_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.h5', [Action('Pick USB.', 0, 1)])
    with h5py.File(path, 'a') as file:
        del file['segments_info/0/text']
        file['segments_info/0/text'] = 'Insert USB.'
    assert read_truth(path).segments[0].label == 'insert_usb'


def test_the_list_of_bad_recordings_is_well_formed() -> None:
    known = yaml.safe_load(share_path('config', 'reassemble', 'known_bad.yaml').read_text())
    assert len(known) == 10
    topics = {sensor.topic for sensor in SENSORS}
    for name in known:
        defect = defect_of(str(name))
        assert defect.note
        assert set(defect.leave_out) <= topics
    assert not defect_of('2025-01-09-13-59-54').note


@pytest.mark.parametrize(
    ('name', 'topics'),
    [
        ('2025-01-11-14-45-48', {'/ft_sensor/wrench': 1000, '/ft_sensor/wrench_base': 465}),
        ('2025-01-11-15-27-19', {'/ft_sensor/wrench': 1000, '/ft_sensor/wrench_base': 465}),
        ('2025-01-13-11-16-17', {'/gripper/joint_states': 970}),
    ],
)
def test_bad_data_end_where_the_last_action_begins(
    tmp_path: Path, name: str, topics: dict[str, int]
) -> None:
    usual = open_recording(write_file(tmp_path / 'usual.h5', Shape(size=(16, 16))))
    path = write_file(tmp_path / f'{name}.h5', Shape(size=(16, 16)))
    recording = open_recording(path)
    assert recording.notes[0].startswith('known defect: ')
    # The last action, insert_d_sub, begins at 1.4 s; what comes after it is no action.
    cut = read_truth(path).segments[2].start
    streams = {'/ft_sensor/wrench': 'measured_force', '/gripper/joint_states': 'gripper_positions',
               '/ft_sensor/wrench_base': 'compensated_base_force'}  # fmt: skip
    for topic, rate in topics.items():
        before = stamps(streams[topic], 2 * rate, rate) * 1e9 < cut
        times = [b.log_times for blocks in recording.blocks([topic]) for b in blocks]
        assert len(np.concatenate(times)) == before.sum() == recording.topics[topic].count
        assert max(map(max, times)) < cut
        lost = 2 * rate - int(before.sum())
        note = f'{topic}: {lost} messages from the last action on are left out'
        assert note in recording.notes
    for topic, known in usual.topics.items():
        if topic not in topics:
            assert recording.topics[topic].count == known.count
