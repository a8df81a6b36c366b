# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from m2r2_ros.readers.uses import uses_of

TACTILE = 'std_msgs/Header header\nfloat32[16] taxels\nstring name\n' + '=' * 80 + (
    '\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n'
) + '=' * 80 + '\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n'  # fmt: skip
STATE = 'geometry_msgs/Wrench force\nfloat64 load\n' + '=' * 80 + (
    '\nMSG: geometry_msgs/Wrench\ngeometry_msgs/Vector3 force\ngeometry_msgs/Vector3 torque\n'
) + '=' * 80 + '\nMSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n'  # fmt: skip


@pytest.mark.parametrize(
    ('topic', 'kind', 'definition', 'modalities', 'why'),
    [
        ('/ft', 'geometry_msgs/msg/WrenchStamped', '', ('wrench',), ''),
        ('/odom', 'nav_msgs/msg/Odometry', '', ('pose', 'twist'), ''),
        ('/joint_states', 'sensor_msgs/msg/JointState', '', ('gripper', 'joints'), ''),
        ('/leader/joint_states', 'sensor_msgs/msg/JointState', '', ('gripper', 'joints'), 'leader'),
        ('/imu', 'sensor_msgs/msg/Imu', '', ('imu',), ''),
        ('/tf', 'tf2_msgs/msg/TFMessage', '', ('pose',), 'name frames'),
        ('/tf_static', 'tf2_msgs/msg/TFMessage', '', (), 'read with /tf'),
        ('/skin', 'my_msgs/msg/Tactile', TACTILE, ('vector',), 'name fields'),
        ('/state', 'my_msgs/msg/State', STATE, ('wrench',), 'name fields'),
        ('/words', 'std_msgs/msg/String', '', (), 'no numbers in it'),
        ('/other', 'my_msgs/msg/Other', '', (), 'no definition'),
        ('/rosout', 'rcl_interfaces/msg/Log', '', (), 'says nothing'),
        ('/action_label', 'm2r2_ros/msg/ActionLabel', '', (), 'labels'),
    ],
)
def test_what_topics_could_serve(
    topic: str, kind: str, definition: str, modalities: tuple[str, ...], why: str
) -> None:
    found = uses_of(topic, kind, definition)
    assert found.modalities == modalities
    assert why in found.why_not if why else not found.why_not


def test_numbers_are_listed() -> None:
    assert uses_of('/skin', 'my_msgs/msg/Tactile', TACTILE).fields == ('taxels',)
    assert 'load' in uses_of('/state', 'my_msgs/msg/State', STATE).fields
