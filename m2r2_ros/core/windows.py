# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frame windows: what the robot sensed between two frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.core.samples import EncodedImage


@dataclass(frozen=True, slots=True)
class FrameWindows:
    """N consecutive frame windows [t(i-1), t(i)); a single one is a slice of length 1.

    Attributes:
        starts: int64 (N,), t(i-1), nanoseconds.
        stamps: int64 (N,), t(i), nanoseconds; the frame stamps.
        sensors: For each sensor float32 (N, T, D_s) in SI units, resampled to 300 Hz. What is
            masked holds zeros and means nothing.
        present: bool (N, 6), which modality has data, in the order of MODALITIES.
        restarts: bool (N,), True where a window does not follow on the one before it: the first
            of a stream, and the first after the clock jumped.
        sound: float32 (N, samples), the trailing sound at 16 kHz; None without a microphone.
        images: The newest image of each window; None without a camera.
    """

    starts: NDArray[np.int64]
    stamps: NDArray[np.int64]
    sensors: dict[str, NDArray[np.float32]]
    present: NDArray[np.bool_]
    restarts: NDArray[np.bool_]
    sound: NDArray[np.float32] | None = None
    images: list[EncodedImage | None] | None = None

    def __len__(self) -> int:
        return len(self.stamps)

    def __getitem__(self, part: slice) -> 'FrameWindows':
        return FrameWindows(
            self.starts[part],
            self.stamps[part],
            {name: values[part] for name, values in self.sensors.items()},
            self.present[part],
            self.restarts[part],
            None if self.sound is None else self.sound[part],
            None if self.images is None else self.images[part],
        )

    @classmethod
    def join(cls, parts: Sequence['FrameWindows']) -> 'FrameWindows':
        """Put consecutive runs of windows of one source together; there must be at least one."""
        first = parts[0]
        if len(parts) == 1:
            return first
        return cls(
            np.concatenate([p.starts for p in parts]),
            np.concatenate([p.stamps for p in parts]),
            {name: np.concatenate([p.sensors[name] for p in parts]) for name in first.sensors},
            np.concatenate([p.present for p in parts]),
            np.concatenate([p.restarts for p in parts]),
            None
            if first.sound is None
            else np.concatenate([p.sound for p in parts if p.sound is not None]),
            None if first.images is None else [i for p in parts for i in p.images or []],
        )

    @property
    def masks(self) -> NDArray[np.uint8]:
        """uint8 (N,): the modality mask of each window."""
        bits: NDArray[np.uint8] = (self.present << np.arange(len(MODALITIES))).sum(1, np.uint8)
        return bits
