# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of a robot with two arms and two cameras, and the topic map that declares it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from m2r2_ros.readers.definitions import typestore
from m2r2_ros.readers.topic_map import TopicMap, read_topic_map
from test.network.networks import make_image
from test.replay.recordings import (
    GRIPPER,
    POSE,
    RATE,
    SECOND,
    START,
    TYPES,
    WRENCH,
    Entry,
    cdr,
    header,
    joints,
    robot,
    truth_of,
    write_bag,
)

ARRAY: Final = 'std_msgs/msg/Float32MultiArray'
PICTURE: Final = 'sensor_msgs/msg/CompressedImage'
TACTILE_RATE: Final = 200
#: The last of the array's numbers is a checksum, and the first a count.
MAP: Final = """
front: {like: image, topic: /front/image/compressed}
hand: {like: image, topic: /hand/image/compressed, encoder: front}
left_wrench: {like: wrench, topic: /left/wrench}
right_wrench: {like: wrench, topic: /right/wrench, encoder: left_wrench}
left_pose: {like: pose, topic: /left/pose}
right_pose: {like: pose, topic: /right/pose}
left_twist: {like: twist, derived_from: left_pose}
right_twist: {like: twist, derived_from: right_pose}
left_gripper: {like: gripper, topic: /left/gripper/joint_states}
right_gripper: {like: gripper, topic: /right/width, joints: [width], unit: mm}
tactile:
  kind: vector
  topic: /tactile
  fields: ['data[1:17]']
  dims: 16
  unit: N
  scale: 0.01
  min_rate: 20
  max_rate: 50
  max_age: 0.3
"""
CAMERAS: Final = ('front', 'hand')


def declarations(folder: Path, text: str = MAP) -> TopicMap:
    """Return what the topic map says."""
    path = folder / 'two_arms.yaml'
    path.write_text(text)
    return read_topic_map(path)


def two_arms(seconds: float, seed: int = 0, *, cameras: bool = True) -> list[Entry]:
    """Make messages of both arms, in log-time order; what the left one does is the action."""
    entries = []
    for side, own in (('left', seed), ('right', seed + 50)):
        topics = (WRENCH, POSE, GRIPPER) if side == 'left' else (WRENCH, POSE)
        entries += [
            e._replace(topic=f'/{side}{e.topic}') for e in robot(seconds, own, topics=topics)
        ]
    rng = np.random.default_rng(seed)
    for k in range(int(seconds * RATE)):
        stamp = START + k * SECOND // RATE + 3000
        width = joints(stamp, [20 + 10 * np.sin(k / 9)], ['width'])
        entries.append(Entry('/right/width', TYPES[GRIPPER], stamp, width))
    for k in range(int(seconds * TACTILE_RATE)):
        numbers = 100 * np.sin(k / 50 + np.arange(18)) + rng.normal(size=18)
        entries.append(Entry('/tactile', ARRAY, START + k * SECOND // TACTILE_RATE, array(numbers)))
    if cameras:
        for name, rate in zip(CAMERAS, (10, 30), strict=True):
            entries += [
                picture(f'/{name}/image/compressed', START + k * SECOND // rate + 5, k)
                for k in range(int(seconds * rate))
            ]
    return sorted(entries, key=lambda e: e.log_time)


def array(numbers: Sequence[float] | Any) -> bytes:
    """Serialise a row of numbers."""
    layout = typestore().types['std_msgs/msg/MultiArrayLayout'](dim=[], data_offset=0)
    return cdr(ARRAY, layout=layout, data=np.asarray(numbers, np.float32))


def picture(topic: str, stamp: int, seed: int) -> Entry:
    """Make a message with a small image."""
    data = np.frombuffer(make_image(seed, 12, 16).payload, np.uint8)
    return Entry(topic, PICTURE, stamp, cdr(PICTURE, header=header(stamp), format='png', data=data))


def two_arms_bag(path: Path, seconds: float, seed: int = 0, **options: Any) -> Path:
    """Write a recording of both arms with ground truth."""
    return write_bag(path, two_arms(seconds, seed, **options), truth_of(seconds, seed))
