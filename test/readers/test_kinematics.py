# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses out of joint states and the robot's description."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.messages import MessageBlock, single_message
from m2r2_ros.readers.definitions import typestore
from m2r2_ros.readers.kinematics import BAD_DESCRIPTION, NO_DESCRIPTION, KinematicsReader
from m2r2_ros.readers.topics import STRING, TopicSpec
from test.readers.descriptions import ARM

pytest.importorskip('pinocchio', reason="pip install '.[kinematics]'")

JOINTS = 'sensor_msgs/msg/JointState'


def spec(urdf: str = '/robot_description', **fields: Any) -> TopicSpec:
    given = {'frames': ('base', 'tool'), **fields}
    return TopicSpec('pose', '/joint_states', JOINTS, urdf=urdf, **given)


def states(arrival: int, **positions: float) -> MessageBlock:
    types = typestore().types
    header = types['std_msgs/msg/Header'](
        stamp=types['builtin_interfaces/msg/Time'](sec=5 + arrival, nanosec=0), frame_id=''
    )
    message = types[JOINTS](
        header=header,
        name=list(positions),
        position=np.array(list(positions.values()), np.float64),
        velocity=np.array([]),
        effort=np.array([]),
    )
    raw = bytes(typestore().serialize_cdr(message, JOINTS))
    return single_message('/joint_states', raw, 9, arrival)


def description(arrival: int, text: str = ARM) -> MessageBlock:
    raw = bytes(typestore().serialize_cdr(typestore().types[STRING](data=text), STRING))
    return single_message('/robot_description', raw, 9, arrival)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / 'arm.urdf'
    path.write_text(ARM)
    return str(path)


@pytest.mark.parametrize(('shoulder', 'elbow'), [(0.0, 0.0), (0.4, 1.1), (-2.0, 3.0), (1.0, 9.0)])
def test_poses_are_those_of_the_arm(file: str, shoulder: float, elbow: float) -> None:
    found = KinematicsReader(spec(file), JOINTS).decode(states(0, elbow=elbow, shoulder=shoulder))
    whole = shoulder + elbow
    place = [
        np.cos(shoulder) + 0.5 * np.cos(whole), np.sin(shoulder) + 0.5 * np.sin(whole), 0
    ]  # fmt: skip
    assert np.allclose(found.values[0, :3], place)
    turn = np.array([0, 0, np.sin(whole / 2), np.cos(whole / 2)])
    assert np.isclose(abs(found.values[0, 3:] @ turn), 1)
    assert found.stamps.tolist() == [5_000_000_000]


def test_the_description_may_come_on_a_topic_and_change() -> None:
    reader = KinematicsReader(spec(), JOINTS)
    early = reader.decode_together([states(0, shoulder=0, elbow=0)])
    assert early.dropped == {NO_DESCRIPTION: 1}
    together = reader.decode_together([states(2, shoulder=0, elbow=0), description(1)])
    assert np.allclose(together.values, [[1.5, 0, 0, 0, 0, 0, 1]])
    assert together.arrival.tolist() == [2]
    longer = ARM.replace('xyz="0.5 0 0"', 'xyz="2 0 0"')
    assert not len(reader.decode_together([description(3, longer)]).stamps)
    assert reader.decode(states(4, shoulder=0, elbow=0)).values[0, 0] == pytest.approx(3)


@pytest.mark.parametrize(
    'text',
    ['no robot', '<robot', '<!DOCTYPE r [<!ENTITY a "b">]><robot name="&a;"/>', '', ARM[:200]],
)
def test_a_bad_description_on_a_topic_is_counted_and_the_last_good_one_stays(text: str) -> None:
    reader = KinematicsReader(spec(), JOINTS)
    assert reader.decode(description(0, text)).dropped == {BAD_DESCRIPTION: 1}
    reader.decode(description(1))
    assert reader.decode(description(2, text)).dropped == {BAD_DESCRIPTION: 1}
    assert len(reader.decode(states(3, shoulder=0, elbow=0)).stamps) == 1


@pytest.mark.parametrize(
    ('content', 'frames', 'words'),
    [
        (ARM, ('base', 'hand'), r"pose.frames: .* no link 'hand'; it has .*base.*tool"),
        (ARM, ('base', 'lamp'), 'nothing moves between base and lamp'),
        (ARM.replace('continuous', 'floating'), ('base', 'tool'), 'is floating or planar'),
        ('no robot', ('base', 'tool'), 'is no URDF'),
        ('<!DOCTYPE robot>' + ARM, ('base', 'tool'), 'has a DOCTYPE'),
    ],
)
def test_a_bad_file_is_refused(
    tmp_path: Path, content: str, frames: tuple[str, str], words: str
) -> None:
    path = tmp_path / 'arm.urdf'
    path.write_text(content)
    with pytest.raises(ConfigError, match=words):
        KinematicsReader(spec(str(path), frames=frames), JOINTS)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'need pose.urdf, the file'):
        KinematicsReader(spec(''), JOINTS)
    with pytest.raises(ConfigError, match=r'none\.urdf'):
        KinematicsReader(spec(str(tmp_path / 'none.urdf')), JOINTS)
    with pytest.raises((ConfigError, MessageError), match='/joint_states'):
        KinematicsReader(spec(), 'geometry_msgs/msg/WrenchStamped')


def test_joints_that_a_message_lacks_are_counted(file: str) -> None:
    reader = KinematicsReader(spec(file), JOINTS)
    assert reader.decode(states(0, shoulder=0)).dropped == {'joint_missing': 1}
    more = reader.decode(states(1, finger=3, shoulder=0, elbow=0, wheel=1))
    assert np.allclose(more.values, [[1.5, 0, 0, 0, 0, 0, 1]])
    nan = reader.decode(states(2, shoulder=float('nan'), elbow=0))
    assert np.isnan(nan.values).all()  # dropped as all that is not finite
