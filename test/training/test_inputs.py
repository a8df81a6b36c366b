# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training takes in: preset, topic map, recordings."""

from pathlib import Path

import pytest
import yaml

from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.modalities import SENSORS
from m2r2_ros.model.config import preset
from m2r2_ros.readers.kinematics import KinematicsReader
from m2r2_ros.readers.topic_map import TopicMap, read_topic_map
from m2r2_ros.readers.topics import expected_topic
from m2r2_ros.training.inputs import SettledInputs, settle_inputs
from test.readers.descriptions import ARM
from test.replay.recordings import GRIPPER, POSE, TWIST, TYPES, WRENCH, robot, write_bag


def topic_map(path: Path, text: str) -> TopicMap:
    path.write_text(text)
    return read_topic_map(path)


def settle(bag: Path, text: str = '', name: str = 'proprio') -> SettledInputs:
    return settle_inputs(preset(name), topic_map(bag.with_suffix('.yaml'), text), [bag])


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bag(tmp_path_factory.mktemp('bags') / 'robot', robot(1.0))


def test_without_a_map_a_preset_stays_as_it_is(bag: Path) -> None:
    found = settle_inputs(preset('proprio'), TopicMap(), [bag])
    assert list(found.model.modalities) == ['sound', *SENSORS]
    assert found.topics == {}


def test_what_is_declared_is_added_and_what_is_off_left_out(bag: Path) -> None:
    text = (
        'twist: null\nsound: null\nfingers: {kind: vector, topic: /gripper/joint_states, '
        'fields: [position], joints: [right, left]}\nleft: {like: wrench, topic: /wrench}\n'
    )
    found = settle(bag, text)
    assert list(found.model.modalities) == ['wrench', 'pose', 'gripper', 'fingers', 'left']
    assert found.model.modalities['fingers'].dims == 2
    assert found.model.modalities['left'].dims == 6
    assert found.topics['fingers'].joints == ('right', 'left')


def test_cameras_need_a_preset_that_sees(bag: Path) -> None:
    text = 'hand: {like: image, topic: /hand}\nimage: /camera\n'
    assert 'hand' not in settle(bag, text).model.modalities
    seeing = settle(bag, text, 'lite').model
    assert [m for m in seeing.modalities if seeing.modalities[m].kind == 'image'] == [
        'image',
        'hand',
    ]


def test_joints_stand_in_where_there_is_neither_pose_nor_twist(tmp_path: Path) -> None:
    states = GRIPPER.replace('gripper', 'arm')
    entries = [
        e._replace(topic=states) if e.topic == GRIPPER else e
        for e in robot(1.0, topics=[WRENCH, GRIPPER])
    ]
    found = settle_inputs(preset('proprio'), TopicMap(), [write_bag(tmp_path / 'arm', entries)])
    assert found.model.modalities['joints'].dims == 2
    assert found.topics['joints'].topic == states
    assert found.topics['joints'].fields == ('position',)
    assert found.topics['joints'].joints == ('left', 'right')
    posed = write_bag(
        tmp_path / 'posed',
        sorted([*entries, *robot(1.0, topics=[POSE, TWIST])], key=lambda e: e.log_time),
    )
    assert 'joints' not in settle_inputs(preset('proprio'), TopicMap(), [posed]).model.modalities


def test_a_recording_where_a_topic_is_silent_does_not_say_what_it_holds(
    bag: Path, tmp_path: Path
) -> None:
    with BagWriter(tmp_path / 'silent') as writer:
        writer.add_topic(GRIPPER, 'sensor_msgs/msg/JointState')
    declared = f'fingers: {{kind: vector, topic: {GRIPPER}, fields: [position]}}'
    given = topic_map(tmp_path / 'topics.yaml', declared)
    found = settle_inputs(preset('proprio'), given, [tmp_path / 'silent', bag])
    assert found.model.modalities['fingers'].dims == 2
    with pytest.raises(MessageError, match='it has no messages'):
        settle_inputs(preset('proprio'), given, [tmp_path / 'silent'])


def test_a_description_goes_with_the_model(bag: Path, tmp_path: Path) -> None:
    pytest.importorskip('pinocchio', reason="pip install '.[kinematics]'")
    file = tmp_path / 'arm.urdf'
    file.write_text(ARM)
    text = f'pose: {{topic: {GRIPPER}, frames: [base, tool], urdf: {file}}}\n'
    spec = settle(bag, text).topics['pose']
    file.unlink()
    assert spec.urdf == ARM
    again = expected_topic('pose', yaml.safe_load(yaml.safe_dump(spec.to_entry())))
    KinematicsReader(again, TYPES[GRIPPER])  # needs no file
    on_topic = settle(bag, text.replace(str(file), '/robot_description')).topics['pose']
    assert on_topic.urdf == '/robot_description'


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('skin: {topic: /skin, fields: [data]}', 'none of the recordings has the topic /skin'),
        ('skin: {topic: /wrench, fields: [wrench.mass]}', 'there is no mass'),
        ('skin: {topic: /wrench, fields: [header.frame_id]}', 'it holds text'),
        ('skin: {topic: /wrench, fields: [wrench], dims: 5}', 'are 6 numbers|give 6 numbers'),
        (f'arm: {{like: joints, topic: {GRIPPER}, joints: [thumb]}}', 'thumb not found'),
        (f'arm: {{like: joints, topic: {GRIPPER}, fields: [effort]}}', 'effort .* is empty'),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_recordings_is_refused(bag: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        settle(bag, text)
