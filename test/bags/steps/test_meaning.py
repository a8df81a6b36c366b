# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What features of numbers become, and what topics are called."""

import pytest

from m2r2_ros.bags.steps.meaning import ARRAY, number_topics
from m2r2_ros.bags.steps.names import TopicNames, part_of_topic
from m2r2_ros.bags.tables.spec import JOINTS, NUMBER, POSE, TWIST, WRENCH

POSE_NAMES = ['x', 'y', 'z', 'qx', 'qy', 'qz', 'qw']


@pytest.mark.parametrize(
    ('feature', 'width', 'names', 'expected'),
    [
        ('observation.state', 7, (), JOINTS),
        ('observation.state', 2, ('a', 'a'), JOINTS),
        ('action', 3, ('a', 'b', 'c'), JOINTS),
        ('observation.pressure', 4, (), ARRAY),
        ('observation.pressure', 4, ('a', 'b', 'c', 'd'), JOINTS),
        ('observation.gripper', 1, (), NUMBER),
        ('observation.tcp', 7, POSE_NAMES, POSE),
        ('observation.tcp_pose', 7, (), POSE),
        ('observation.cartesian_position', 6, (), POSE),
        ('observation.cartesian_velocity', 6, (), TWIST),
        ('observation.ft', 6, (), WRENCH),
        ('observation.leftWrench', 6, (), WRENCH),
        ('observation.x', 6, ('fx', 'fy', 'fz', 'tx', 'ty', 'tz'), WRENCH),
    ],
)
def test_the_type_follows_from_names(
    feature: str, width: int, names: tuple[str, ...], expected: str
) -> None:
    found = number_topics(feature, width, names)
    assert [topic.type_name for topic in found] == [expected]
    assert found[0].columns == tuple(range(width))


def test_a_quaternion_that_begins_with_w_is_turned_round() -> None:
    names = ['x', 'y', 'z', 'qw', 'qx', 'qy', 'qz']
    assert number_topics('observation.tcp', 7, names)[0].columns == (0, 1, 2, 4, 5, 6, 3)


def test_what_was_assumed_is_told() -> None:
    assert 'quaternion x y z w' in number_topics('ee_pose', 7, ())[0].note
    assert 'roll, pitch and yaw' in number_topics('cartesian_position', 6, ())[0].note


def test_angles_and_a_gripper_behind_a_pose_are_topics() -> None:
    names = ['x', 'y', 'z', 'roll', 'pitch', 'yaw', 'gripper']
    pose, gripper = number_topics('observation.state', 7, names)
    assert (pose.type_name, pose.euler, pose.columns) == (POSE, True, (0, 1, 2, 3, 4, 5))
    assert (gripper.type_name, gripper.below, gripper.columns) == (NUMBER, ('gripper',), (6,))


def test_quantities_within_a_state_are_topics_besides() -> None:
    wrench = [f'wrench.{part}_{axis}' for part in ('force', 'torque') for axis in 'xyz']
    poses = [f'{side}.{name}' for side in ('left_arm', 'right_arm') for name in POSE_NAMES]
    names = ['joint1', *wrench, *poses, 'gripper.width']
    found = number_topics('observation.state', len(names), names)
    assert [(t.below, t.type_name, t.columns) for t in found] == [
        ((), JOINTS, tuple(range(22))),
        (('wrench',), WRENCH, tuple(range(1, 7))),
        (('left_arm',), POSE, tuple(range(7, 14))),
        (('right_arm',), POSE, tuple(range(14, 21))),
        (('gripper.width',), NUMBER, (21,)),
    ]
    assert [t.below for t in number_topics('action', len(names), names)] == [()]


def test_velocities_and_efforts_are_no_positions() -> None:
    assert number_topics('observation.joint_velocities', 3, ())[0].group == 'velocity'
    assert number_topics('observation.motor_torques', 3, ())[0].group == 'effort'
    assert number_topics('observation.qpos', 3, ())[0].joints == ('qpos_0', 'qpos_1', 'qpos_2')


def test_topic_names_are_plain_and_differ() -> None:
    names = TopicNames()
    features = ('observation.état', 'observation/_tat', 'a.1', '..', 'ac tion')
    found = [names.take(feature) for feature in features]
    assert found == ['/observation/tat', '/observation/tat_2', '/a/_1', '/unnamed', '/ac_tion']
    assert names.take('action') == '/action/command'
    assert len(names.take('x' * 5000)) <= 201
    assert part_of_topic('') == '_'
