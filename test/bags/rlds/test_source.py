# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Episodes of RLDS datasets opened where they are."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.labels.reader import read_segments, read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.rlds.source import open_rlds
from m2r2_ros.bags.source import Span
from m2r2_ros.bags.steps.stamps import EPOCH
from m2r2_ros.core.errors import BagError
from test.bags.lerobot.test_source import read
from test.bags.rlds.files import BEGIN, episode, numbers, picture, write_rlds

IMAGE = '/observation/image/compressed'
STEPS = 30


@pytest.fixture(scope='module')
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('data') / 'toy/1.0.0'
    train = [episode(k, STEPS + k, subtasks=True, stamps=True) for k in range(5)]
    return write_rlds(
        folder, {'train': train, 'val': [episode(9, 3, subtasks=True, stamps=True)]}, 2
    )


def test_all_episodes_are_found_by_split(dataset: Path) -> None:
    names = [p.name for p in find_recordings([dataset.parents[1]])]
    assert names == [*(f'train_{k:06d}' for k in range(5)), 'val_000000']


def test_topics_say_what_the_features_are(dataset: Path) -> None:
    recording = open_recording(dataset / 'train_000000')
    assert {name: (t.type_name, t.count) for name, t in recording.topics.items()} == {
        '/action/command': ('sensor_msgs/msg/JointState', STEPS),
        IMAGE: ('sensor_msgs/msg/CompressedImage', STEPS),
        '/observation/state': ('sensor_msgs/msg/JointState', STEPS),
        '/observation/gripper': ('std_msgs/msg/Float64', STEPS),
        '/observation/depth': ('std_msgs/msg/Float64MultiArray', STEPS),
        '/is_terminal': ('std_msgs/msg/Float64', STEPS),
        '/reward': ('std_msgs/msg/Float64', STEPS),
        '/ground_truth/label_set': ('m2r2_ros/msg/LabelSet', 1),
        '/ground_truth/action_segment': ('m2r2_ros/msg/ActionSegment', 2),
        '/ground_truth/coarse/label_set': ('m2r2_ros/msg/LabelSet', 1),
        '/ground_truth/coarse/action_segment': ('m2r2_ros/msg/ActionSegment', 1),
    }
    assert recording.notes == ()


def test_values_are_those_of_the_records(dataset: Path) -> None:
    # Files are read one after the other, of which each has every second episode.
    for place, number in enumerate([0, 2, 4, 1, 3]):
        recording = open_recording(dataset / f'train_{place:06d}')
        steps = STEPS + number
        states = read(recording, '/observation/state')
        assert [time for time, _ in states] == [BEGIN + k * 100_000_003 for k in range(steps)]
        got = np.array([message.position for _, message in states]).ravel()
        assert got.tolist() == numbers(number, steps)
        images = [bytes(message.data) for _, message in read(recording, IMAGE)]
        assert images == [picture(number, k) for k in range(steps)]
        depths = np.array([m.data for _, m in read(recording, '/observation/depth')]).ravel()
        assert depths.tolist() == [*range(4 * steps)]


def test_a_span_is_read_as_the_whole_is(dataset: Path) -> None:
    recording = open_recording(dataset / 'train_000001')
    span = Span(BEGIN + 10**9, BEGIN + 2 * 10**9)
    for topic in (IMAGE, '/observation/state'):
        whole = [(t, str(m)) for t, m in read(recording, topic) if span.since <= t < span.until]
        assert [(t, str(m)) for t, m in read(recording, topic, span)] == whole
        assert len(whole) == 10


def test_subtasks_are_labels_and_instructions_lie_beside_them(dataset: Path) -> None:
    path = dataset / 'train_000000'
    edges = [BEGIN + k * 100_000_003 for k in (0, 10, 20)]
    rows = [(s.start, s.end, s.label) for s in read_truth(path).segments]
    assert rows == [(edges[0], edges[1], 'reach'), (edges[1], edges[2], 'grasp, über')]
    coarse = read_segments(path, '/ground_truth/coarse/action_segment')
    assert [(s.label, s.success) for s in coarse] == [('tidy 0', True)]


def test_steps_without_stamps_follow_at_a_rate_that_is_told(tmp_path: Path) -> None:
    folder = write_rlds(tmp_path / 'toy', {'train': [episode(0, STEPS, success=False)]})
    recording = open_recording(folder / 'train_000000')
    assert [t - EPOCH for t, _ in read(recording, IMAGE)] == [k * 10**8 for k in range(STEPS)]
    assert 'steps have no stamps: 10 a second are assumed; m2r2 import rlds' in recording.notes[0]
    truth = read_truth(folder / 'train_000000').segments
    assert [(s.label, s.success) for s in truth] == [('tidy 0', None)]
    source = open_rlds(folder, 'train', 0, Fraction(3))
    assert source.start == EPOCH
    assert source.end == EPOCH + 10 * 10**9
    assert source.notes == ('steps have no stamps: 3 a second are assumed',)


@pytest.mark.parametrize(('number', 'success'), [(1, True), (0, False), (-1, None)])
def test_success_is_what_the_episode_says(
    tmp_path: Path, number: int, success: bool | None
) -> None:
    told = {**episode(0, STEPS), 'success': [number]}
    folder = write_rlds(tmp_path / 'toy', {'train': [told]})
    path = folder / 'features.json'
    features = json.loads(path.read_text())
    flag = {'tensor': {'dtype': 'int64', 'shape': {}}}
    features['featuresDict']['features']['success'] = flag
    path.write_text(json.dumps(features))
    assert [s.success for s in read_truth(folder / 'train_000000').segments] == [success]


def test_episodes_behind_a_file_that_is_missing_are_told(tmp_path: Path) -> None:
    content = [episode(number, 4) for number in range(6)]
    folder = write_rlds(tmp_path / 'toy', {'train': content}, shards=3)
    (folder / 'toy-train.tfrecord-00001-of-00003').unlink()
    said: list[str] = []
    found = find_recordings([folder], said.append)
    assert [path.name for path in found] == ['train_000000', 'train_000001']
    assert said == [f'train of {folder.absolute()} from file 1 of 3 on, not there']


def test_whole_numbers_of_any_size_are_read(tmp_path: Path) -> None:
    content = episode(0, 4)
    values = [0, 127, 128, 2**14, 2**35, 2**62, 2**63 - 1, -1, -(2**63), 5, 6, 7, 8, 9, 10, 11]
    content['steps/observation/depth'] = values
    folder = write_rlds(tmp_path / 'toy', {'train': [content]})
    found = read(open_recording(folder / 'train_000000'), '/observation/depth')
    got = np.array([message.data for _, message in found]).ravel()
    assert got.tolist() == [float(v) for v in values]


def test_an_episode_that_is_not_there_is_refused(dataset: Path) -> None:
    with pytest.raises(BagError, match='no episode 7 of train; it has 5 of train, 1 of val'):
        open_recording(dataset / 'train_000007')
    with pytest.raises(BagError, match='are called train_000000'):
        open_recording(dataset / 'other')
    with pytest.raises(BagError, match='is a dataset of many recordings'):
        open_recording(dataset)
