# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latent vectors of frames: the energy that detection looks at, and what is kept of primitives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.laps.controller import ControllerOptions
from m2r2_ros.discovery.laps.detector import EnergyDetector
from m2r2_ros.discovery.laps.energy import latent_energy
from m2r2_ros.discovery.laps.hops import Hops
from m2r2_ros.discovery.laps.motion import MotionReader
from m2r2_ros.discovery.laps.shape import Encode

Row = TypeVar('Row')


@dataclass(frozen=True, slots=True)
class Latents:
    """The latent sequence of a stretch of frames.

    Attributes:
        z_q: float32 (m, d), quantised vectors.
        codes: int32 (m,), their numbers.
        frames: int64 (m,), the frame that the motion of each leads to, counted from the first of
            the run; ascending. Frames without data, and the last ones up to the next window, have
            none.
    """

    z_q: NDArray[np.float32]
    codes: NDArray[np.int32]
    frames: NDArray[np.int64]

    @classmethod
    def join(cls, parts: 'Sequence[Latents]') -> 'Latents':
        """Put parts that follow on each other together; there must be at least one."""
        return cls(
            np.concatenate([p.z_q for p in parts]),
            np.concatenate([p.codes for p in parts]),
            np.concatenate([p.frames for p in parts]),
        )

    def between(self, first: int, end: int) -> 'Latents':
        """Return the part of the frames first .. end - 1."""
        lo, hi = np.searchsorted(self.frames, [first, end])
        return Latents(self.z_q[lo:hi], self.codes[lo:hi], self.frames[lo:hi])


class LatentSource(Generic[Row]):
    """Latent energies of windows; see EnergySource.

    Attributes:
        keeps: Whether latent vectors are kept until they are drained.
    """

    def __init__(
        self, reader: MotionReader[Row], encode: Encode, window: int, stride: int, width: int
    ) -> None:
        """Make a source.

        Args:
            reader: Makes velocities of frames.
            encode: Of a trained tokenizer.
            window: Frames of a window.
            stride: Frames from window to window.
            width: d, of latent vectors.
        """
        self.window, self.stride = window, stride
        self._reader, self._encode, self.width = reader, encode, width
        self._hops: Hops[Row] = Hops(window, stride)
        self.keeps = False
        self.reset()

    def reset(self) -> None:
        """Begin a run of frames."""
        self._hops.reset()
        self._frames, self._following = 0, 1  # the first frame has none before it
        self._kept = [self.none()]

    def extend(self, windows: FrameWindows) -> list[float | None]:
        """Return the energies of the windows that end in these frames."""
        found: list[float | None] = []
        for row in self._reader.rows(windows):
            self._frames += 1
            if self._hops.push(row):
                rows = self._hops.window
                found.append(None if rows is None else self._take(rows))
                self._following = self._frames
        return found

    def drain(self) -> Latents:
        """Return the latent vectors of the frames since the last call, where `keeps` is set.

        Each is from the first window that its frame lies in.
        """
        kept, self._kept = self._kept, [self.none()]
        return Latents.join(kept)

    def _take(self, rows: list[Row]) -> float:
        z, codes = self._encode(self._reader.velocities(rows))
        if self.keeps:
            new = min(self._frames - self._following, len(z))
            frames = np.arange(self._frames - new, self._frames)
            self._kept.append(Latents(z[-new:], codes[-new:], frames))
        return latent_energy(z)

    def none(self) -> Latents:
        """Return the latent sequence of no frames."""
        z = np.zeros((0, self.width), np.float32)
        return Latents(z, np.zeros(0, np.int32), np.zeros(0, np.int64))


class LatentDetector(EnergyDetector, Generic[Row]):
    """Finds primitives in the latent energy, and gives the latent vectors of its frames.

    Attributes:
        latents: Gives them, once `keeps` is set there.
    """

    def __init__(
        self, source: LatentSource[Row], options: ControllerOptions, frame_rate: float
    ) -> None:
        """Make a detector; see EnergyDetector."""
        super().__init__(source, options, frame_rate)
        self.latents = source
