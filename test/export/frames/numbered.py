# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small recordings whose images tell their number, whatever a video does to them."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import Segment
from test.replay.recordings import Entry, cdr, header, joints, twist, wrench
from test.review.recordings import COMPRESSED, IMAGE, compressed, write_session

SECOND = 10**9
START = 1_760_000_000 * SECOND
HAND, SIDE, RAW = '/hand_camera/image_raw/compressed', '/side/image_raw/compressed', '/raw/image'
FORCE, COMMAND, ARM = '/wrench', '/cmd_vel', '/joint_states'
RATE = 20
BITS, BLOCK = 10, 16


def picture(number: int, width: int = BITS * BLOCK, height: int = 48) -> NDArray[np.uint8]:
    """Return an image with a black or white block for each bit, RGB."""
    image = np.full((height, width, 3), 90, np.uint8)
    for bit in range(BITS):
        image[8:24, bit * BLOCK : (bit + 1) * BLOCK] = 255 * (number >> bit & 1)
    return image


def number_in(image: NDArray[np.uint8]) -> int:
    """Return the number that an image tells."""
    bits = [image[12:20, k * BLOCK + 4 : (k + 1) * BLOCK - 4].mean() > 128 for k in range(BITS)]
    return sum(1 << k for k, bit in enumerate(bits) if bit)


def jpeg(number: int, width: int = BITS * BLOCK, height: int = 48) -> bytes:
    return bytes(cv2.imencode('.jpg', picture(number, width, height))[1])


def camera(
    topic: str, stamps: Sequence[int], first: int = 0, size: tuple[int, int] = (160, 48)
) -> list[Entry]:
    """Return an image for each stamp, logged 30 ms after it."""
    return [
        Entry(topic, COMPRESSED, t + 30_000_000, compressed(t, jpeg(first + k, *size)))
        for k, t in enumerate(stamps)
    ]


def raw_camera(topic: str, stamps: Sequence[int]) -> list[Entry]:
    """Return raw images of 5 by 7 pixels with their number as the red of the first one."""
    found = []
    for k, t in enumerate(stamps):
        pixels = np.zeros((5, 7, 3), np.uint8)
        pixels[0, 0] = (k, 0, 1)
        raw = cdr(
            IMAGE, header=header(t), height=5, width=7, encoding='rgb8', is_bigendian=0, step=21,
            data=pixels.reshape(-1),
        )  # fmt: skip
        found.append(Entry(topic, IMAGE, t, raw))
    return found


def every(rate: float, seconds: float, start: int = START) -> list[int]:
    """Return the stamps of a sensor."""
    return [start + round(k * SECOND / rate) for k in range(int(seconds * rate))]


def seconds_of(stamp: int) -> float:
    return (stamp - START) / SECOND


def forces(stamps: Sequence[int]) -> list[Entry]:
    """Return forces along x that are the time, s."""
    return [
        Entry(FORCE, 'geometry_msgs/msg/WrenchStamped', t, wrench(t, [seconds_of(t)] + [0] * 5))
        for t in stamps
    ]


def commands(stamps: Sequence[int]) -> list[Entry]:
    """Return speeds along x that count."""
    return [
        Entry(COMMAND, 'geometry_msgs/msg/TwistStamped', t, twist(t, [k] + [0] * 5))
        for k, t in enumerate(stamps)
    ]


def arm(stamps: Sequence[int]) -> list[Entry]:
    """Return positions of two joints: the time, s, and less it."""
    return [
        Entry(ARM, 'sensor_msgs/msg/JointState', t, joints(t, [seconds_of(t), -seconds_of(t)]))
        for t in stamps
    ]


def part(begin: float, end: float, label: str, success: bool | None = None) -> Segment:
    """Return a segment, seconds from the start."""
    return Segment(
        START + round(begin * SECOND), START + round(end * SECOND), label, success=success
    )


TRUTH = (
    part(0.0, 1.0, 'pick', success=True),
    part(1.0, 2.0, 'ein fügen', success=False),
    part(2.5, 3.2, 'pick', success=True),
)


def messages(seconds: float = 4.0, first: int = 0) -> list[Entry]:
    """Return what a robot with a hand camera and a force sensor records."""
    return [
        *camera(HAND, every(RATE, seconds), first),
        *forces(every(100, seconds)),
        *arm(every(50, seconds)),
    ]


def write(path: Path, entries: Sequence[Entry], truth: Sequence[Segment] = TRUTH) -> Path:
    """Write a recording with ground truth."""
    return write_session(path, sorted(entries, key=lambda e: e.log_time), truth)
