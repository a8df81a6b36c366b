# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of a REASSEMBLE file becomes which topic.

Layout of the data set: REASSEMBLE (RSS 2025, arXiv 2502.05086), DOI 10.48436/0ewrv-8cb44.
"""

from dataclasses import dataclass
from typing import Final

from m2r2_ros.bags.tables.spec import JOINTS, POSE, TWIST, WRENCH

IMAGE: Final = 'sensor_msgs/msg/CompressedImage'
SOUND: Final = 'foxglove_msgs/msg/RawAudio'

_BASE: Final = 'fr3_link0'


@dataclass(frozen=True, slots=True)
class VectorTopic:
    """A topic of rows of numbers.

    Attributes:
        topic: Topic name.
        type_name: Message type.
        frame_id: Frame of the header.
        datasets: Of robot_state, side by side in a message; the first gives the stamps.
        widths: Columns of each.
        columns: Which of all columns the message holds, in its order; () for all as they are.
        joints: Names of the joints of a JointState.
        groups: What each dataset of a JointState is; all but the first may be missing.
    """

    topic: str
    type_name: str
    frame_id: str
    datasets: tuple[str, ...]
    widths: tuple[int, ...]
    columns: tuple[int, ...] = ()
    joints: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaTopic:
    """A camera or a microphone.

    Attributes:
        topic: Topic name.
        dataset: Name in the file.
        frame_id: Frame of the header; sound has no header.
        camera: The camera whose first image a microphone begins with.
    """

    topic: str
    dataset: str
    frame_id: str = ''
    camera: str = ''


def _joint_states(topic: str, part: str, joints: tuple[str, ...]) -> VectorTopic:
    kinds = ('positions', 'velocities', 'efforts')
    return VectorTopic(
        topic,
        JOINTS,
        '',
        tuple(f'{part}_{kind}' for kind in kinds),
        (len(joints),) * 3,
        joints=joints,
        groups=('position', 'velocity', 'effort'),
    )


SENSORS: Final = (
    VectorTopic(
        '/ft_sensor/wrench', WRENCH, 'ft_sensor', ('measured_force', 'measured_torque'), (3, 3)
    ),
    VectorTopic(
        '/ft_sensor/wrench_base',
        WRENCH,
        _BASE,
        ('compensated_base_force', 'compensated_base_torque'),
        (3, 3),
    ),
    # The file has the quaternion as w x y z, messages have it as x y z w.
    VectorTopic('/robot/pose', POSE, _BASE, ('pose',), (7,), columns=(0, 1, 2, 4, 5, 6, 3)),
    # The data set does not say in which frame the velocity is.
    VectorTopic('/robot/twist', TWIST, '', ('velocity',), (6,)),
    _joint_states('/robot/joint_states', 'joint', tuple(f'fr3_joint{k}' for k in range(1, 8))),
    _joint_states('/gripper/joint_states', 'gripper', ('fr3_finger_joint1', 'fr3_finger_joint2')),
)
CAMERAS: Final = (
    MediaTopic('/hama1/image/compressed', 'hama1', 'hama1'),
    MediaTopic('/hama2/image/compressed', 'hama2', 'hama2'),
    MediaTopic('/hand/image/compressed', 'hand', 'hand'),
    MediaTopic('/capture_node/camera/image/compressed', 'capture_node-camera-image', 'davis346'),
)
MICROPHONES: Final = (
    MediaTopic('/hama1/audio', 'hama1_audio', camera='hama1'),
    MediaTopic('/hama2/audio', 'hama2_audio', camera='hama2'),
    MediaTopic('/hand/audio', 'hand_audio', camera='hand'),
)
#: Of the event camera; its images are read as those of any other camera.
EVENTS: Final = 'events'
STATE: Final = 'robot_state'
STAMPS: Final = 'timestamps'
SEGMENTS: Final = 'segments_info'
