# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What frame windows say of motion: points in images, channels of vectors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.modalities import Modalities
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.laps.tracker import PointTracker
from m2r2_ros.discovery.signals import frame_means

Row = TypeVar('Row')

#: Changes from frame to frame that sensors show at rest, in the units of their kind: what is
#: smaller is not made larger by scaling. Other vectors have none.
REST: Final[Mapping[str, float]] = {
    'pose': 1e-3, 'twist': 5e-3, 'gripper': 1e-3, 'wrench': 0.5, 'joints': 2e-3, 'imu': 0.05,
}  # fmt: skip


class MotionReader(Protocol[Row]):
    """Makes rows of frames, and velocities of the rows of a window."""

    @property
    def axes(self) -> int:
        """Numbers that belong together: 2 for points, 1 for channels."""

    def rows(self, windows: FrameWindows) -> Iterator[Row | None]:
        """Yield the row of each frame; None where it has no data."""

    def velocities(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        """Return displacements from frame to frame, float32 (T - 1, P)."""


def grey_images(
    windows: FrameWindows, camera: str, size: int
) -> Iterator[NDArray[np.uint8] | None]:
    """Yield the image of each frame, uint8 (size, size), grey; None where there is none.

    An image that cannot be decoded is as none.
    """
    there = windows.has(camera)
    images = windows.images.get(camera) or [None] * len(windows)
    for image, present in zip(images, there, strict=True):
        yield _grey(image, size) if image is not None and present else None


def _grey(image: EncodedImage, size: int) -> NDArray[np.uint8] | None:
    try:
        pixels = image.decode()
    except MessageError:
        return None
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small: Any = cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


class TrackedPoints:
    """Points that are tracked in the images of a camera; half the image is 1."""

    axes = 2

    def __init__(self, camera: str, size: int, tracker: PointTracker) -> None:
        """Make a reader.

        Args:
            camera: Name of the modality.
            size: Width and height that images are brought to, pixels.
            tracker: Follows the points.
        """
        self._camera, self._size, self._tracker = camera, size, tracker

    def rows(self, windows: FrameWindows) -> Iterator[NDArray[np.uint8] | None]:
        """Yield grey images."""
        return grey_images(windows, self._camera, self._size)

    def velocities(self, rows: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return how far each point moves from frame to frame, x and y beside each other."""
        tracks = self._tracker.track(np.stack(rows)) / (self._size / 2)
        return np.diff(tracks, axis=0).reshape(len(rows) - 1, -1).astype(np.float32)


class Channels:
    """The numbers of proprioceptive vectors, beside each other."""

    axes = 1

    def __init__(self, modalities: Modalities, dims: Mapping[str, int]) -> None:
        """Make a reader.

        Args:
            modalities: What the windows hold.
            dims: The vectors to read, and how many numbers each has.
        """
        self._dims = dict(dims)
        kinds = [modalities[n].like if n in modalities else '' for n in dims]
        sizes = list(dims.values())
        # A twist is a velocity already.
        self._is_velocity = np.repeat([k == 'twist' for k in kinds], sizes)
        self.rest = np.repeat([REST.get(k, 1e-6) for k in kinds], sizes).astype(np.float32)

    def rows(self, windows: FrameWindows) -> Iterator[NDArray[np.float64] | None]:
        """Yield the means of each frame window, NaN where a vector is masked."""
        for row in np.concatenate([self._means(windows, n) for n in self._dims], axis=1):
            yield row if np.isfinite(row).any() else None

    def velocities(self, rows: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
        """Return how much each number changes from frame to frame; 0 where it is not known."""
        values = np.stack(rows)
        moved = np.where(self._is_velocity, values[1:], np.diff(values, axis=0))
        return np.nan_to_num(moved, nan=0.0).astype(np.float32)

    def _means(self, windows: FrameWindows, name: str) -> NDArray[np.float64]:
        size = self._dims[name]
        if name in windows.sensors and windows.sensors[name].shape[2] == size:
            return frame_means(windows, name)
        return np.full((len(windows), size), np.nan)
