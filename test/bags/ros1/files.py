# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags, written by rosbags."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

BEGIN = 1_500_000_000_000_000_000
#: A type that ROS 2 does not have.
GAUGE = """\
Header header
time since
duration taken
float32[] values
Cell[2] cells
string unit
================================================================================
MSG: std_msgs/Header
uint32 seq
time stamp
string frame_id
================================================================================
MSG: my_msgs/Cell
int8 kind
float64 charge
"""
#: One that ROS 2 has with another field.
RANGE = 'sensor_msgs/msg/Range'


def ros1() -> Typestore:
    """Return the types of ROS 1 and the one above."""
    store = get_typestore(Stores.ROS1_NOETIC)
    types = get_types_from_msg(GAUGE, 'my_msgs/msg/Gauge')
    store.register({n: f for n, f in types.items() if n not in store.fielddefs})
    return store


def header(store: Typestore, time: int, frame: str = 'base') -> Any:
    """Return a header with a running number."""
    sec, nanosec = divmod(time, 10**9)
    stamp = store.types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
    return store.types['std_msgs/msg/Header'](seq=77, stamp=stamp, frame_id=frame)


def messages(count: int) -> list[tuple[str, str, int, Any]]:
    """Return topics, types, times and messages: three topics at a time, in order."""
    store = ros1()
    types = store.types
    vector = types['geometry_msgs/msg/Vector3']
    found: list[tuple[str, str, int, Any]] = []
    for k in range(count):
        time = BEGIN + k * 10_000_000
        wrench = types['geometry_msgs/msg/Wrench'](vector(k, 1, 2), vector(3, 4, 5))
        stamped = types['geometry_msgs/msg/WrenchStamped'](header(store, time - 500), wrench)
        found.append(('/ft', 'geometry_msgs/msg/WrenchStamped', time, stamped))
        cells = [types['my_msgs/msg/Cell'](kind=j, charge=k / 3) for j in (1, 2)]
        since, taken = (types[f'builtin_interfaces/msg/{n}'](5, k) for n in ('Time', 'Duration'))
        values = np.arange(k % 4, dtype=np.float32)
        gauge = types['my_msgs/msg/Gauge'](header(store, time), since, taken, values, cells, 'ü')
        found.append(('/gauge', 'my_msgs/msg/Gauge', time + 1, gauge))
        seen = types[RANGE](header(store, time), 1, 0.5, 0.1, 4.0, float(k))
        found.append(('range', RANGE, time + 2, seen))
    return found


def write_bag(
    path: Path,
    content: Sequence[tuple[str, str, int, Any]],
    packed: str = '',
    threshold: int = 4096,
) -> Path:
    """Write a bag of small chunks."""
    store = ros1()
    writer = Writer(path)
    if packed:
        writer.set_compression(Writer.CompressionFormat[packed])
    writer.chunk_threshold = threshold
    with writer:
        found = {}
        for topic, kind, time, message in content:
            if topic not in found:
                latched = 1 if topic == '/gauge' else None
                found[topic] = writer.add_connection(topic, kind, typestore=store, latching=latched)
            writer.write(found[topic], time, store.serialize_ros1(message, kind))
    return path
