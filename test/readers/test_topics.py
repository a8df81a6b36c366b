# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.core.share import share_path
from m2r2_ros.readers.guessing import guess_topics
from m2r2_ros.readers.topic_map import load_topics
from m2r2_ros.readers.topics import TopicSpec

WRENCH = 'geometry_msgs/msg/WrenchStamped'
POSE = 'geometry_msgs/msg/PoseStamped'
TWIST = 'geometry_msgs/msg/TwistStamped'
JOINTS = 'sensor_msgs/msg/JointState'
IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
FRANKA = {
    '/franka/current_pose': POSE,
    '/franka/last_desired_pose': POSE,
    '/franka/desired_end_effector_twist': TWIST,
    '/franka/external_wrench_in_base_frame': WRENCH,
    '/franka/external_wrench_in_stiffness_frame': WRENCH,
    '/franka/measured_joint_states': JOINTS,
    '/fr3_gripper/joint_states': JOINTS,
    '/camera/color/image_raw': IMAGE,
    '/camera/color/image_raw/compressed': COMPRESSED,
    '/camera/depth/image_raw/compressed': COMPRESSED,
    '/tf': 'tf2_msgs/msg/TFMessage',
}


def load(tmp_path: Path, text: str) -> dict[str, TopicSpec]:
    path = tmp_path / 'topics.yaml'
    path.write_text(text)
    return load_topics(path)


def guess(available: dict[str, str], **given: TopicSpec) -> dict[str, str]:
    return {name: spec.topic for name, spec in guess_topics(available, given).items()}


def test_the_example_uses_every_modality() -> None:
    topics = load_topics(share_path('config', 'topics.yaml'))
    assert set(topics) == {*MODALITIES, 'joints', 'second_camera', 'fingertip'}
    assert topics['gripper'].joints == ('finger_joint1', 'finger_joint2')
    assert topics['sound'].rate == 16000


def test_names_and_mappings_and_null(tmp_path: Path) -> None:
    text = 'wrench: /ft\nimage: null\npose: {topic: null}\ngripper: {topic: /g, scale: 2}\n'
    topics = load(tmp_path, text)
    assert topics['wrench'] == TopicSpec('wrench', '/ft')
    assert topics['image'].topic == topics['pose'].topic == ''
    assert topics['gripper'] == TopicSpec('gripper', '/g', scale=2)
    assert load(tmp_path, '') == {}


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('wrenches: /ft', 'wrenches: expected a mapping with topic, .*did you mean wrench'),
        ('wrench: {topic: /ft, joint: [a]}', 'wrench: unknown entries joint; known: topic, type'),
        ('image: {topic: /i, joints: [a]}', 'image: unknown entries joints; known: '),
        ('Wrist: {topic: /ft}', 'expected a mapping of modalities.* a name of small letters'),
        ('features: {topic: /ft}', 'a name .* none of features'),
        ('tactile: /tactile', 'tactile: expected a mapping with topic, and like or fields'),
        ('tactile: {topic: /t, like: touch}', 'tactile.like: expected one of image'),
        ('tactile: {topic: /t, kind: smell}', 'tactile.kind: expected one of image'),
        ('left: {topic: /t, like: wrench, dims: 7}', 'left.dims: expected 6, as wrench has'),
        ('left: {topic: /t, like: wrench, kind: sound}', 'left.kind: expected vector, as wrench'),
        ('pose: {topic: /tf, frames: [a]}', 'pose.frames: expected two frames, base and tool'),
        ('wrench: {topic: /tf, frames: [a, b]}', 'wrench.frames: expected none'),
        ('joints: {topic: /j, max_age: 0}', 'joints.max_age: expected .* found 0'),
        ('hand: {topic: /i, like: image, encoder: image}', 'hand.encoder: expected a modality of'),
        ('left: {like: twist, derived_from: arm}', "left.derived_from: expected a pose .*'arm'"),
        ('left: {like: wrench}', 'left.topic: expected a topic name'),
        ('sound: {topic: /a, rate: fast}', r'sound.rate: expected a whole number.*, found .fast.'),
        ('sound: {topic: /a, rate: true}', r'sound.rate: .*found True'),
        ('sound: {topic: /a, format: mp3}', r'sound.format: expected one of S8.*, found .mp3.'),
        ('sound: {topic: /a, format: []}', r'sound.format'),
        ('sound: {topic: /a, stamp_reference: middle}', 'expected one of start, end'),
        ('gripper: {topic: /g, joints: finger}', 'gripper.joints'),
        ('gripper: {topic: /g, scale: .nan}', 'gripper.scale: expected a number, found nan'),
        ('gripper: {scale: 2}', 'gripper.topic: expected a topic name.*missing'),
        ('pose: 3', 'pose.topic: expected a topic name, or null for off, found 3'),
        ('- wrench', 'expected a mapping'),
        ('wrench: [', 'cannot be read as YAML'),
    ],
)
def test_errors_name_file_and_field(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=rf'topics.yaml.*{expected}'):
        load(tmp_path, text)


def test_a_kind_alone_makes_a_camera(tmp_path: Path) -> None:
    topics = load(tmp_path, 'hand: {kind: image, topic: /hand}\nskin: {kind: vector, topic: /s}')
    assert topics['hand'].kind == topics['hand'].like == 'image'
    assert (topics['skin'].kind, topics['skin'].like) == ('vector', '')


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'none\.yaml'):
        load_topics(tmp_path / 'none.yaml')


def test_a_franka_cell_is_understood() -> None:
    assert guess(FRANKA) == {
        'image': '/camera/color/image_raw/compressed',
        'wrench': '/franka/external_wrench_in_base_frame',
        'pose': '/franka/current_pose',
        'gripper': '/fr3_gripper/joint_states',
    }


def test_names_speak_for_topics() -> None:
    available = {'/a': WRENCH, '/ft_data': WRENCH, '/b': POSE, '/c': POSE}
    assert guess(available) == {'wrench': '/ft_data', 'pose': '/b'}


@pytest.mark.parametrize('name', ['/joint_states', '/handle/joint_states', '/arm/width'])
def test_nothing_is_a_gripper_that_is_not_called_one(name: str) -> None:
    assert 'gripper' not in guess({name: JOINTS, name + '_f': 'std_msgs/msg/Float64'})


@pytest.mark.parametrize('name', ['/robotiq_gripper/state', '/panda_hand/states', '/left_finger'])
def test_what_is_called_a_gripper_is_one(name: str) -> None:
    assert guess({name: JOINTS})['gripper'] == name


def test_truth_and_labels_are_not_sensors() -> None:
    assert guess({'/ground_truth/pose': POSE, '/action_label': POSE}) == {}


def test_what_is_given_stays_and_gets_its_type() -> None:
    given = {'wrench': TopicSpec('wrench', '/mine'), 'image': TopicSpec('image', '')}
    topics = guess_topics({**FRANKA, '/mine': WRENCH}, given)
    assert topics['wrench'] == TopicSpec('wrench', '/mine', WRENCH)
    assert 'image' not in topics
    absent = guess_topics({}, {'pose': TopicSpec('pose', '/later', POSE)})
    assert absent['pose'] == TopicSpec('pose', '/later', POSE)


def test_what_is_given_under_another_name_is_not_taken_again() -> None:
    left = TopicSpec('left_pose', '/left/pose', like='pose')
    available = {'/left/pose': POSE, '/joint_states': JOINTS}
    assert guess(available, left_pose=left) == {'left_pose': '/left/pose'}
    both = {**available, '/right/pose': POSE}
    assert guess(both, left_pose=left) == {'pose': '/right/pose', 'left_pose': '/left/pose'}
    fingers = TopicSpec('fingers', '/joint_states', like='gripper')
    assert guess({'/joint_states': JOINTS}, fingers=fingers) == {'fingers': '/joint_states'}


def test_joints_and_imu_stand_in_where_nothing_else_is_there() -> None:
    imu = 'sensor_msgs/msg/Imu'
    everything = {'/tcp': POSE, '/joint_states': JOINTS, '/imu': imu}
    assert guess(everything) == {'pose': '/tcp'}
    assert guess({'/joint_states': JOINTS, '/imu': imu}) == {'joints': '/joint_states'}
    assert guess({'/imu': imu}) == {'imu': '/imu'}
    # A model that takes them gets them.
    found = guess_topics(everything, {}, ['joints', 'imu'])
    assert {m: s.topic for m, s in found.items()} == {'joints': '/joint_states', 'imu': '/imu'}


def test_a_given_type_has_to_be_that_of_the_topic() -> None:
    given = {'wrench': TopicSpec('wrench', '/ft', 'geometry_msgs/msg/Wrench')}
    with pytest.raises(ConfigError, match=r'/ft is of type geometry_msgs/msg/WrenchStamped'):
        guess_topics({'/ft': WRENCH}, given)


@given(order=st.permutations(list(FRANKA)))
def test_the_guess_does_not_depend_on_the_order_of_topics(order: list[str]) -> None:
    assert guess({name: FRANKA[name] for name in order}) == guess(FRANKA)
