# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Live messages that were made to do harm: bytes, numbers, stamps, images and sound."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import numpy as np

from m2r2_ros.bags.tables.spec import JOINTS, POSE, TWIST, WRENCH
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.definitions import typestore
from m2r2_ros.simulation.messages import SOUND, sound_message

IMAGE: Final = 'sensor_msgs/msg/Image'
COMPRESSED: Final = 'sensor_msgs/msg/CompressedImage'
#: Topics by modality, and the type of each.
TOPICS: Final = {
    'wrench': ('/wrench', WRENCH),
    'pose': ('/pose', POSE),
    'twist': ('/twist', TWIST),
    'gripper': ('/gripper', JOINTS),
    'sound': ('/sound', SOUND),
    'image': ('/image', IMAGE),
}
START: Final = 1_800_000_000 * SECOND
HOUR: Final = 3600 * SECOND

#: Stamps, nanoseconds: none, before 1970, the ends of what a message can hold, hours away.
STAMPS: Final = (0, 1, -1, -HOUR, -(2**31) * SECOND, (2**31 - 1) * SECOND, START - HOUR,
                 START + HOUR, START - 1, START + 365 * 24 * HOUR)  # fmt: skip
NUMBERS: Final = (float('nan'), float('inf'), -float('inf'), 1e308, -1e308, 1e39, 1e-320, -0.0, 1e6)
SIZES: Final = (0, 1, 2**16, 2**31 - 1, 2**32 - 1)
TEXTS: Final = ('', 'rgb8', 'bgr8', 'mono16', '32FC1', 'bayer_rggb8', 'yuv422', 'jpeg', 'h264',
                '../../etc', 'a' * 5000, '\U0001f980', 'rgb8; jpeg compressed bgr8')  # fmt: skip


def stamp_of(nanoseconds: int) -> tuple[int, int]:
    sec, nanosec = divmod(nanoseconds, SECOND)
    return sec, nanosec


def message(kind: str, stamp: int, number: float = 0.0, size: int = 2, text: str = 'rgb8') -> bytes:
    """Return a message; numbers, sizes and texts are put wherever the type has any."""
    store = typestore()
    types = store.types
    time = types['builtin_interfaces/msg/Time'](*stamp_of(stamp))
    header = types['std_msgs/msg/Header'](time, text if kind in (WRENCH, POSE) else '')

    def vector() -> Any:
        return types['geometry_msgs/msg/Vector3'](number, number, number)

    made: Any
    if kind == WRENCH:
        made = types[kind](header, types['geometry_msgs/msg/Wrench'](vector(), vector()))
    elif kind == TWIST:
        made = types[kind](header, types['geometry_msgs/msg/Twist'](vector(), vector()))
    elif kind == POSE:
        point = types['geometry_msgs/msg/Point'](number, number, number)
        rotation = types['geometry_msgs/msg/Quaternion'](number, number, number, number)
        made = types[kind](header, types['geometry_msgs/msg/Pose'](point, rotation))
    elif kind == JOINTS:
        few = min(size, 50)
        values = np.full(few, number)
        made = types[kind](header, [text[:20]] * few, values, values, values[:0])
    elif kind == IMAGE:
        made = types[kind](header, size, size, text, 0, size, np.zeros(16, np.uint8))
    elif kind == COMPRESSED:
        made = types[kind](header, text, np.zeros(16, np.uint8))
    else:
        return sound_message(np.full(160, number, np.float32), max(size, 1) % 2**31, max(stamp, 0))
    return bytes(store.serialize_cdr(made, kind))


def damaged(raw: bytes, chance: Random) -> bytes:
    """Return a message that is cut, flipped, overwritten, something else or too long."""
    at = chance.randrange(len(raw))
    way = chance.randrange(5)
    if way == 0:
        return raw[:at]
    if way == 1:
        return raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
    if way == 2:
        at -= at % 4
        word = chance.choice([b'\xff\xff\xff\xff', b'\xff\xff\xff\x7f', b'\0\0\0\x80'])
        return raw[:at] + word + raw[at + 4 :]
    if way == 3:
        return chance.randbytes(chance.randrange(200))
    return raw + chance.randbytes(chance.randrange(50))


def hostile(modality: str, stamp: int, chance: Random) -> bytes:
    """Return a message of the given stamp, or of another, hostile in some way or in none."""
    kind = TOPICS[modality][1]
    if chance.random() < 0.3:
        stamp = chance.choice(STAMPS)
    number = chance.choice((0.1, *NUMBERS))
    raw = message(kind, stamp, number, chance.choice(SIZES), chance.choice(TEXTS))
    return damaged(raw, chance) if chance.random() < 0.3 else raw


def steady(modality: str, seconds: float, first: int = START) -> Iterator[tuple[bytes, int]]:
    """Harmless messages and their stamps, 100 ms apart."""
    kind = TOPICS[modality][1]
    for k in range(round(seconds * 10)):
        stamp = first + k * SECOND // 10
        yield message(kind, stamp, 0.1, 16_000, 'rgb8'), stamp


def every_number(modality: str) -> list[bytes]:
    """Messages in a row with every number there is."""
    kind = TOPICS[modality][1]
    stamps = (START + k * SECOND // 50 for k in range(len(NUMBERS)))
    return [message(kind, t, n) for t, n in zip(stamps, NUMBERS, strict=True)]
