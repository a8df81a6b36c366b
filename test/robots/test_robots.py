# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the topic maps of known robots read out of messages of the drivers' own types."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from m2r2_ros.core.messages import single_message
from m2r2_ros.core.samples import ImageSamples, Samples, SoundSamples
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topic_map import load_topics
from test.robots.layouts import GENUINE, definition, store
from test.robots.messages import end_pose, filled, joint_state, leaves, transforms

FOLDER = Path(__file__).resolve().parents[2] / 'config' / 'robots'
#: Entry of a topic map -> a message of its topic, and what is to be read out of it.
Given = dict[str, tuple[Any, Any]]

POSE, WRENCH = 'geometry_msgs/msg/PoseStamped', 'geometry_msgs/msg/WrenchStamped'
FR3 = [f'fr3_joint{k}' for k in range(1, 8)]
FR3_FINGERS = [f'fr3_finger_joint{k}' for k in (1, 2)]
UR = [
    f'{name}_joint'
    for name in ('shoulder_pan', 'shoulder_lift', 'elbow', 'wrist_1', 'wrist_2', 'wrist_3')
]
SO101 = ['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper']
VX300S = ['waist', 'shoulder', 'elbow', 'forearm_roll', 'wrist_angle', 'wrist_rotate', 'gripper']


def moving(numbers: list[float]) -> list[float]:
    """Return what joints at these positions read as: their velocities are 100 more."""
    return numbers + [n + 100 for n in numbers]


def wrench() -> tuple[Any, list[float]]:
    message = filled(WRENCH)
    return message, leaves(message.wrench)


def pose() -> tuple[Any, list[float]]:
    message = filled(POSE)
    return message, leaves(message.pose)


def photo() -> tuple[Any, bytes]:
    """Make a compressed image."""
    _, jpeg = cv2.imencode('.jpg', np.full((8, 8, 3), 90, np.uint8))
    return filled('sensor_msgs/msg/CompressedImage', format='jpeg', data=jpeg), jpeg.tobytes()


def picture() -> tuple[Any, bytes]:
    """Make an image of RealSense."""
    pixels = np.arange(2 * 4 * 3, dtype=np.uint8)
    layout = {'height': 2, 'width': 4, 'step': 12, 'encoding': 'rgb8', 'is_bigendian': 0}
    message = filled('sensor_msgs/msg/Image', data=pixels, **layout)
    return message, pixels.tobytes()


def sound() -> tuple[Any, list[float]]:
    """Make a chunk of two channels, whose means are one and two eighths of full scale."""
    data = np.array([0x0800, 0x1800, 0x1000, 0x3000], '<i2').view(np.uint8)
    return filled('audio_common_msgs/msg/AudioData', data=data), [0.125, 0.25]


def franka() -> Given:
    return {
        'wrench': wrench(),
        'pose': pose(),
        'joints': (joint_state(FR3), moving([1, 2, 3, 4, 5, 6, 7])),
        'gripper': (joint_state(FR3_FINGERS, 0.02), [0.02 + 1.02]),
    }


def franka_robot_state() -> Given:
    state = filled(
        'franka_msgs/msg/FrankaRobotState',
        measured_joint_state=joint_state(FR3),
        desired_joint_state=joint_state(FR3, 1000.0),
    )
    return franka() | {
        'wrench': (state, leaves(state.o_f_ext_hat_k.wrench)),
        'pose': (state, leaves(state.o_t_ee.pose)),
        'joints': (state, moving([1, 2, 3, 4, 5, 6, 7])),
    }


def universal_robots() -> Given:
    tool = filled('ur_msgs/msg/ToolDataMsg')
    # Not in the order of the arm, as joint_state_broadcaster may give them.
    joints = joint_state([UR[k] for k in (2, 1, 0, 3, 4, 5)])
    return {
        'wrench': wrench(),
        'pose': pose(),
        'joints': (joints, moving([3, 2, 1, 4, 5, 6])),
        'tool_current': (tool, [tool.tool_current]),
    }


def kinova() -> Given:
    arm = [f'joint_{k}' for k in range(1, 8)]
    joints = joint_state(['robotiq_85_left_knuckle_joint', *arm], 0.4)
    positions = [0.4 + k for k in range(1, 8)]
    tree = transforms(['base_link', 'shoulder_link', 'bracelet_link', 'end_effector_link'])
    return {
        'pose': (tree, end_pose()),
        'joints': (joints, moving(positions)),
        'torque': (joints, [p + 200 for p in positions]),
        'gripper': (joints, [0.043]),
        'image': picture(),
    }


def xarm() -> Given:
    arm = [f'joint{k}' for k in range(1, 8)]
    state = filled('xarm_msgs/msg/RobotMsg', angle=np.arange(7, dtype=np.float32))
    tree = transforms(['link_base', 'link7', 'link_eef'])
    return {
        'wrench': wrench(),
        'pose': (tree, end_pose()),
        'joints': (joint_state(arm), moving([1, 2, 3, 4, 5, 6, 7])),
        'tcp': (state, (state.pose[:3] / 1000).tolist()),
        'gripper': (joint_state(['drive_joint', *arm], 0.25), [0.06]),
    }


def so101() -> Given:
    links = ['base_link', 'shoulder_link', 'gripper_link', 'gripper_frame_link']
    tree = transforms(*([f'{arm}/{link}' for link in links] for arm in ('leader', 'follower')))
    return {
        'joints': (joint_state(SO101), moving([1, 2, 3, 4, 5, 6])),
        'pose': (tree, end_pose(1)),
        'image': photo(),
        'static_image': photo(),
    }


def aloha() -> Given:
    sides = {'left': 1.0, 'right': 21.0}
    links = ['base_link', 'shoulder_link', 'fingers_link', 'ee_gripper_link']
    tree = transforms(*([f'follower_{side}/{link}' for link in links] for side in sides))
    given: Given = {name: picture() for name in ('image', 'low_image', 'left_image', 'right_image')}
    for k, (side, first) in enumerate(sides.items()):
        joints = joint_state([*VX300S, 'left_finger', 'right_finger'], first)
        joints.position[7:] = 0.03 + k, -0.03 - k
        given[f'{side}_joints'] = joints, moving([first + i for i in range(6)])
        given[f'{side}_gripper'] = joints, [0.06 + 2 * k]
        given[f'{side}_pose'] = tree, end_pose(k)
    return given


def reassemble() -> Given:
    return {
        'image': photo(),
        'cam2': photo(),
        'hand': photo(),
        'wrench': wrench(),
        'joints': (joint_state(FR3), moving([1, 2, 3, 4, 5, 6, 7])),
        'gripper': (joint_state(FR3_FINGERS, 0.02), [0.02 + 1.02]),
        'sound': sound(),
    }


ROBOTS: dict[str, Callable[[], Given]] = {
    'aloha': aloha,
    'franka': franka,
    'franka_robot_state': franka_robot_state,
    'kinova': kinova,
    'reassemble': reassemble,
    'so101': so101,
    'universal_robots': universal_robots,
    'xarm': xarm,
}
ENTRIES = [(robot, entry) for robot, given in ROBOTS.items() for entry in given()]


def rows(samples: Samples) -> Any:
    """Return what one message gave."""
    assert not samples.dropped
    if isinstance(samples, ImageSamples):
        (frame,) = samples.frames
        return frame.payload
    if isinstance(samples, SoundSamples):
        (chunk,) = samples.chunks
        return chunk
    (row,) = samples.values
    return row


@pytest.mark.parametrize('type_name', GENUINE)
def test_layouts_are_those_of_the_drivers(type_name: str) -> None:
    assert store().hash_rihs01(type_name) == GENUINE[type_name]


def test_every_map_is_tested() -> None:
    assert ROBOTS.keys() == {path.stem for path in FOLDER.glob('*.yaml')}


@pytest.mark.parametrize('robot', ROBOTS)
def test_every_topic_of_a_map_is_tested(robot: str) -> None:
    topics = load_topics(FOLDER / f'{robot}.yaml')
    assert ROBOTS[robot]().keys() == {entry for entry, spec in topics.items() if spec.topic}


@pytest.mark.parametrize(('robot', 'entry'), ENTRIES)
def test_a_map_reads_the_right_numbers(robot: str, entry: str) -> None:
    message, expected = ROBOTS[robot]()[entry]
    spec = load_topics(FOLDER / f'{robot}.yaml')[entry]
    kind = message.__msgtype__
    raw = bytes(store().serialize_cdr(message, kind))

    samples = make_reader(spec, kind, definition(kind)).decode(
        single_message(spec.topic, raw, 1, 1)
    )

    found = rows(samples)
    if isinstance(expected, bytes):
        assert bytes(found) == expected
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-6)
