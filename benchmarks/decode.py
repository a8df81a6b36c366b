# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages decoded per second, ours and rosbags', from the same MCAP file in the same run.

Ends with exit code 1 where ours is not at least five times as fast.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from mcap.writer import Writer
from rosbags.highlevel import AnyReader

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.readers.definitions import message_definition, typestore
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec

MESSAGES = 60_000
REPEATS = 3
WANTED = 5.0
TYPES = {
    '/pose': ('pose', 'geometry_msgs/msg/PoseStamped'),
    '/wrench': ('wrench', 'geometry_msgs/msg/WrenchStamped'),
    '/joints': ('joints', 'sensor_msgs/msg/JointState'),
}
JOINTS = [f'fr3_joint{k}' for k in range(1, 8)]


def make_message(topic: str, stamp: int, values: Any) -> Any:  # noqa: ANN401
    """Return a pose, a wrench or joint states, with a stamp."""
    types = typestore().types
    time = types['builtin_interfaces/msg/Time'](stamp // 10**9, stamp % 10**9)
    header = types['std_msgs/msg/Header'](time, 'fr3_link0')
    if topic == '/joints':
        numbers = np.array(values)
        return types['sensor_msgs/msg/JointState'](header, JOINTS, numbers, numbers, numbers)
    vector = types['geometry_msgs/msg/Vector3']
    if topic == '/wrench':
        wrench = types['geometry_msgs/msg/Wrench'](vector(*values[:3]), vector(*values[3:6]))
        return types['geometry_msgs/msg/WrenchStamped'](header, wrench)
    position = types['geometry_msgs/msg/Point'](*values[:3])
    pose = types['geometry_msgs/msg/Pose'](
        position, types['geometry_msgs/msg/Quaternion'](*values[3:])
    )
    return types['geometry_msgs/msg/PoseStamped'](header, pose)


def write(path: Path) -> None:
    """Write poses, wrenches and joint states, 1 kHz each."""
    values = np.random.default_rng(0).normal(size=(MESSAGES, 7)).cumsum(0) / 1000
    with path.open('wb') as file:
        writer = Writer(file)
        writer.start('ros2')
        channels = {}
        for topic, (_, name) in TYPES.items():
            text = message_definition(name).encode()
            schema = writer.register_schema(name, 'ros2msg', text)
            channels[topic] = writer.register_channel(topic, 'cdr', schema)
        for k in range(MESSAGES // len(TYPES)):
            stamp = 1_700_000_000_000_000_000 + k * 1_000_000
            for topic, channel in channels.items():
                message = make_message(topic, stamp, values[k].tolist())
                raw = bytes(typestore().serialize_cdr(message, TYPES[topic][1]))
                writer.add_message(channel, stamp, raw, stamp)
        writer.finish()


def ours(path: Path) -> int:
    """Decode with this package; returns how many messages."""
    recording = open_recording(path)
    readers = {
        topic: make_reader(TopicSpec(modality, topic), name)
        for topic, (modality, name) in TYPES.items()
    }
    return sum(
        len(readers[block.topic].decode(block).stamps)
        for blocks in recording.blocks(TYPES)
        for block in blocks
    )


def theirs(path: Path) -> int:
    """Decode with rosbags; returns how many messages."""
    with AnyReader([path], default_typestore=typestore()) as reader:
        messages = (
            reader.deserialize(raw, connection.msgtype) for connection, _, raw in reader.messages()
        )
        return sum(1 for _ in messages)


def rate(decode: Callable[[Path], int], path: Path) -> float:
    """Return messages per second, the best of a few runs."""
    best = 0.0
    for _ in range(REPEATS):
        start = perf_counter()
        count = decode(path)
        best = max(best, count / (perf_counter() - start))
        if count != MESSAGES:
            sys.exit(f'{decode.__name__} decoded {count} of {MESSAGES} messages')
    return best


def main() -> None:
    """Print both rates and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'decode.mcap')
        write(path)
        our_rate, their_rate = rate(ours, path), rate(theirs, path)
    ratio = our_rate / their_rate
    print(f'ours    {our_rate:12,.0f} messages/s')
    print(f'rosbags {their_rate:12,.0f} messages/s')
    print(f'ratio   {ratio:12.1f} (at least {WANTED:.0f} wanted)')
    sys.exit(ratio < WANTED)


if __name__ == '__main__':
    main()
