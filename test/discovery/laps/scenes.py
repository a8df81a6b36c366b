# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small scenes: a square that moves and rests, an arm that does."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import SENSORS, declared
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.method import Setting

SIDE = 96
POINTS = 6
IMAGES = Setting(declared(('image',)), 10.0)
ARM = Setting(declared(SENSORS), 10.0)


def on_and_off(lengths: Sequence[int]) -> NDArray[np.bool_]:
    """Return rest, motion, rest, ..., each for so many frames."""
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)


def videos(moving: NDArray[np.bool_], seed: int = 0) -> list[NDArray[np.uint8]]:
    """Return images of a textured square on a textured ground, in circles while it moves."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 120, (SIDE, SIDE, 3)).astype(np.uint8)
    square = rng.integers(100, 255, (40, 40, 3)).astype(np.uint8)
    frames = []
    for angle in 0.35 * np.cumsum(moving):
        frame = ground.copy()
        x, y = (28 + np.round(12 * np.array([np.cos(angle), np.sin(angle)]))).astype(int)
        frame[y : y + 40, x : x + 40] = square
        frames.append(frame)
    return frames


def _decode(payload: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(payload, np.uint8).reshape(SIDE, SIDE, 3)


def camera(frames: Sequence[NDArray[np.uint8] | None]) -> FrameWindows:
    """Return the windows of a recording with these images."""
    images = [None if f is None else EncodedImage(f.tobytes(), _decode) for f in frames]
    present = np.array([[f is not None] for f in frames])
    return windows_of(present, images={'image': images}, setting=IMAGES)


def arm(moving: NDArray[np.bool_], seed: int = 0) -> FrameWindows:
    """Return the windows of an arm that swings while it moves, with noise and without a gripper."""
    rng = np.random.default_rng(seed)
    n = len(moving)
    phase = np.cumsum(np.repeat(moving, POINTS) / POINTS).reshape(n, POINTS, 1)
    swing = np.concatenate([np.sin(phase * (1 + k / 9)) for k in range(9)], axis=2)
    sensors = {
        'wrench': 5 * swing[..., :6] + 0.02 * rng.standard_normal((n, POINTS, 6)),
        'pose': 0.2 * swing + 1e-5 * rng.standard_normal((n, POINTS, 9)),
        'twist': np.gradient(0.2 * swing[..., :6].reshape(-1, 6), axis=0).reshape(n, POINTS, 6),
        'gripper': np.zeros((n, POINTS, 1)),
    }
    present = np.ones((n, 4), np.bool_)
    present[:, 3] = False
    floats = {name: values.astype(np.float32) for name, values in sensors.items()}
    return windows_of(present, sensors=floats, setting=ARM)


def windows_of(
    present: NDArray[np.bool_],
    setting: Setting,
    sensors: dict[str, NDArray[np.float32]] | None = None,
    images: dict[str, list[EncodedImage | None]] | None = None,
) -> FrameWindows:
    stamps = np.arange(1, len(present) + 1, dtype=np.int64) * 100_000_000
    restarts = np.arange(len(present)) == 0
    return FrameWindows(
        stamps - 100_000_000,
        stamps,
        sensors or {},
        present,
        restarts,
        images=images or {},
        modalities=setting.modalities,
    )
