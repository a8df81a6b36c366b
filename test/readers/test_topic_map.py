# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a topic map declares: modalities and the topics that they come from."""

from dataclasses import replace
from pathlib import Path

import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import BUILTIN, Modality
from m2r2_ros.readers.topic_map import TopicMap, read_topic_map
from m2r2_ros.readers.topics import TopicSpec, as_trained, expected_topic, fitted, topics_of


def read(folder: Path, text: str) -> TopicMap:
    path = folder / 'map.yaml'
    path.write_text(text)
    return read_topic_map(path)


def test_the_name_of_a_topic_is_enough_for_what_is_built_in(tmp_path: Path) -> None:
    found = read(tmp_path, 'wrench: /ft\nimage: /camera\n')
    assert found.modalities == {'wrench': BUILTIN['wrench'], 'image': BUILTIN['image']}
    assert found.topics == {
        'wrench': TopicSpec('wrench', '/ft'),
        'image': TopicSpec('image', '/camera'),
    }


def test_null_switches_off_and_declares_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, 'wrench: null\nleft_wrench: {like: wrench, topic: null}\npose: /p\n')
    assert set(found.modalities) == {'pose'}
    assert {name: spec.topic for name, spec in found.topics.items()} == {
        'wrench': '', 'left_wrench': '', 'pose': '/p',
    }  # fmt: skip
    assert read(tmp_path, '') == TopicMap()


def test_several_of_a_kind_are_like_what_is_built_in(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        'left: {like: wrench, topic: /l, max_age: 0.5}\n'
        'right: {like: wrench, topic: /r, encoder: left, max_rate: 100}\n',
    )
    assert found.modalities == {
        'left': replace(BUILTIN['wrench'], name='left', max_age=0.5),
        'right': replace(BUILTIN['wrench'], name='right', encoder='left', max_rate=100),
    }
    assert found.topics['right'] == TopicSpec('right', '/r', like='wrench')
    assert found.topics['right'].convention == 'wrench'


def test_a_twist_that_is_made_of_a_pose_has_no_topic(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        'arm: {like: pose, topic: /tf, frames: [base, tool]}\n'
        'turning: {like: twist, derived_from: arm}\n'
        'moving: {like: twist, derived_from: arm, topic: /twist}\n'
        'twist: {}\n',
    )
    assert set(found.topics) == {'arm', 'moving'}
    assert found.modalities['turning'].derived_from == 'arm'
    assert found.modalities['moving'].derived_from == 'arm'
    assert found.modalities['twist'] == BUILTIN['twist']
    assert found.topics['arm'].frames == ('base', 'tool')
    with pytest.raises(ConfigError, match=r'map.yaml: wrist.topic: expected a topic name'):
        read(tmp_path, 'wrist: {like: twist}\n')


def test_frames_come_of_transforms_and_of_descriptions() -> None:
    moving = TopicSpec('pose', '/tf', 'tf2_msgs/msg/TFMessage', frames=('a', 'b'))
    assert topics_of(moving) == ('/tf', '/tf_static')
    described = TopicSpec('pose', '/joint_states', frames=('a', 'b'), urdf='/robot_description')
    assert topics_of(described) == ('/joint_states', '/robot_description')
    assert topics_of(replace(described, urdf='robots/arm.urdf')) == ('/joint_states',)


def test_a_vector_of_its_own(tmp_path: Path) -> None:
    text = (
        "tactile: {kind: vector, topic: /t, fields: ['data[0:16]'], unit: N, scale: 0.01, dims: 16,"
        ' min_rate: 20, max_rate: 300, max_age: 0.3, time_offset: -0.02}\n'
    )
    found = read(tmp_path, text)
    assert found.modalities['tactile'] == Modality(
        'tactile', dims=16, unit='N', max_age=0.3, min_rate=20, max_rate=300
    )
    spec = found.topics['tactile']
    assert (spec.fields, spec.dims, spec.scale, spec.unit) == (('data[0:16]',), 16, 0.01, 'N')
    assert (spec.time_offset_ns, spec.kind, spec.convention) == (-20_000_000, 'vector', '')


def test_what_is_built_in_keeps_its_unit_and_the_topic_has_its_own(tmp_path: Path) -> None:
    found = read(tmp_path, 'gripper: {topic: /g, unit: mm}\n')
    assert found.modalities['gripper'].unit == 'm'
    assert found.topics['gripper'].unit == 'mm'
    spec = fitted(found.topics['gripper'], found.modalities['gripper'])
    assert spec.scale == pytest.approx(1e-3)
    assert (spec.unit, spec.dims) == ('m', 1)


def test_a_topic_is_read_in_the_unit_of_the_model() -> None:
    tactile = Modality('tactile', dims=4, unit='N')
    spec = TopicSpec('tactile', '/t', unit='mN', scale=2.0, offset=500.0)
    found = fitted(spec, tactile)
    assert (found.scale, found.offset) == pytest.approx((2e-3, 0.5))
    assert found.dims == 4
    assert fitted(found, tactile) == found  # is what it is
    # A pose is read as seven numbers, whatever enters windows.
    assert fitted(TopicSpec('pose', '/p'), BUILTIN['pose']).dims == 7
    left = replace(BUILTIN['wrench'], name='left')
    assert fitted(TopicSpec('left', '/l'), left).like == 'wrench'


@pytest.mark.parametrize(
    ('spec', 'modality', 'expected'),
    [
        (TopicSpec('x', '/x', unit='mm'), Modality('x', dims=1, unit='N'), 'is a length, expected'),
        (TopicSpec('x', '/x', unit='yd'), Modality('x', dims=1, unit='m'), 'cannot be converted'),
        (TopicSpec('x', '/x', like='image'), Modality('x', dims=1), 'x: expected vector, but the'),
        (TopicSpec('sound', '/x'), Modality('sound', dims=1), 'sound: expected vector, but the'),
    ],
)
def test_a_topic_that_does_not_fit_the_model_is_refused(
    spec: TopicSpec, modality: Modality, expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        fitted(spec, modality)


def test_fields_of_the_training_set_are_read_where_nobody_says_others() -> None:
    joints = 'sensor_msgs/msg/JointState'
    trained = TopicSpec('joints', '/a', joints, fields=('position',), joints=('j2', 'j1'))
    entry = trained.to_entry()
    assert expected_topic('joints', entry) == trained
    found = as_trained(TopicSpec('joints', '/b', joints), entry)
    assert (found.topic, found.fields, found.joints) == ('/b', ('position',), ('j2', 'j1'))
    mine = TopicSpec('joints', '/b', joints, fields=('velocity',))
    assert as_trained(mine, entry) == mine
    other = TopicSpec('joints', '/b', 'control_msgs/msg/JointTrajectoryControllerState')
    assert as_trained(other, entry) == other


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('wrench: [/ft]', r'wrench.topic: expected a topic name, or null for off, found \[./ft.\]'),
        ('wrench: {topic: [/ft]}', 'wrench.topic: expected a topic name'),
        ('wrench: {topic: /ft, dims: six}', 'wrench.dims: expected a whole number above 0'),
        ('wrench: {topic: /ft, max_rate: fast}', 'wrench.max_rate: expected a number'),
        ('wrench: {topic: /ft, fields: wrench.force.x}', 'wrench.fields: expected a list of paths'),
        ('wrench: {topic: /ft, fields: [1]}', 'wrench.fields: expected a list of paths'),
        ('pose: {topic: /tf, frames: [a, b, c]}', 'pose.frames: expected two frames'),
        ('pose: {topic: /tf, frames: [a, a]}', 'pose.frames: expected two frames'),
        ('pose: {topic: /tf, urdf: 3}', 'pose.urdf: expected a file, or the topic'),
        ('gripper: {topic: /g, sum: 1}', 'gripper.sum: expected true or false'),
        ('sound: {topic: /a, fields: [x]}', 'sound: unknown entries fields'),
        ('image: {topic: /a, rate: 5}', 'image: unknown entries rate'),
        ('x: {kind: vector}', 'x.topic: expected a topic name'),
        ('x: {topic: /x, like: wrench, derived_from: pose}', 'x.derived_from'),
        ('x: {like: wrench, derived_from: pose}', 'x.derived_from'),
        ('x: {topic: /x, like: wrench, encoder: y}', "x.encoder: .*found 'y'"),
        ('3: /x', 'cannot be read as YAML: .*a key that is no text'),
        ('3x: /x', '.*expected a .*name of small letters'),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=rf'map\.yaml: {expected}'):
        read(tmp_path, text)


def test_too_many_are_refused(tmp_path: Path) -> None:
    lines = [f'x{k}: {{like: wrench, topic: /x{k}}}' for k in range(33)]
    assert len(read(tmp_path, '\n'.join(lines[:32])).modalities) == 32
    with pytest.raises(ConfigError, match=r'map\.yaml: 33 modalities, expected 1 to 32'):
        read(tmp_path, '\n'.join(lines))
