# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frame windows: what the robot sensed between two frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import MODALITIES, Modalities, column, declared
from m2r2_ros.core.samples import EncodedImage


@dataclass(frozen=True, slots=True)
class FrameWindows:
    """N consecutive frame windows [t(i-1), t(i)); a single one is a slice of length 1.

    Attributes:
        starts: int64 (N,), t(i-1), nanoseconds.
        stamps: int64 (N,), t(i), nanoseconds; the frame stamps.
        sensors: For each vector float32 (N, T, D_s), resampled to 300 Hz. What is masked holds
            zeros and means nothing.
        present: bool (N, M), which modality has data.
        restarts: bool (N,), True where a window does not follow on the one before it: the first
            of a stream, and the first after the clock jumped.
        sounds: For each microphone float32 (N, samples), the trailing sound at 16 kHz.
        images: For each camera the newest image of each window.
        modalities: What the columns of `present` stand for.
    """

    starts: NDArray[np.int64]
    stamps: NDArray[np.int64]
    sensors: dict[str, NDArray[np.float32]]
    present: NDArray[np.bool_]
    restarts: NDArray[np.bool_]
    sounds: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    images: dict[str, list[EncodedImage | None]] = field(default_factory=dict)
    modalities: Modalities = field(default_factory=lambda: declared(MODALITIES))

    def __len__(self) -> int:
        return len(self.stamps)

    def __getitem__(self, part: slice) -> 'FrameWindows':
        return replace(
            self,
            starts=self.starts[part],
            stamps=self.stamps[part],
            sensors={name: values[part] for name, values in self.sensors.items()},
            present=self.present[part],
            restarts=self.restarts[part],
            sounds={name: values[part] for name, values in self.sounds.items()},
            images={name: frames[part] for name, frames in self.images.items()},
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
            {name: np.concatenate([p.sounds[name] for p in parts]) for name in first.sounds},
            {name: [i for p in parts for i in p.images[name]] for name in first.images},
            first.modalities,
        )

    def runs(self) -> Iterator['FrameWindows']:
        """Yield the parts between which the clock jumped, in order; none where there is no window.

        A part begins with a restart, or goes on from windows before these.
        """
        edges = sorted({0, *np.flatnonzero(self.restarts).tolist(), len(self)})
        for lo, hi in pairwise(edges):
            yield self[lo:hi]

    def has(self, name: str) -> NDArray[np.bool_]:
        """Return which windows have a modality, bool (N,), a view; none where it is no column."""
        if name not in self.modalities:
            return np.zeros(len(self), np.bool_)
        there: NDArray[np.bool_] = self.present[:, column(self.modalities, name)]
        return there

    @property
    def masks(self) -> NDArray[np.uint32]:
        """uint32 (N,): the modality mask of each window."""
        return masks_of(self.present)


def masks_of(present: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Return modality masks, uint32 (N,), of bool (N, M)."""
    bits: NDArray[np.uint32] = (
        present.astype(np.uint32) << np.arange(present.shape[1], dtype=np.uint32)
    ).sum(axis=1, dtype=np.uint32)
    return bits
