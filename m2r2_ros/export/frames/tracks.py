# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What sensors gave lately, looked up at the stamps of frames."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.samples import EncodedImage

#: Data sets hold float32.
_MOST: Final = float(np.finfo(np.float32).max)


class VectorTrack:
    """The samples of a vector about the frames that are due.

    Attributes:
        first: Stamp of the first sample, nanoseconds; None before there is one.
        newest: Stamp of the newest one.
        held: Frames that no sample is near of, so that the one before it was held.
        unusable: Samples that were left out: numbers beyond float32 or none, rotations of length 0.
    """

    def __init__(self, max_age: int, *, pose: bool = False, steps: bool = False) -> None:
        """Begin without samples.

        Args:
            max_age: Samples further apart are not joined by a line, nanoseconds.
            pose: The numbers are position and quaternion.
            steps: Each sample counts until the next, as those of a command do.
        """
        self._max_age, self._pose, self._steps = max_age, pose, steps
        self.first: int | None = None
        self.newest: int | None = None
        self.held = self.unusable = 0
        self._stamps = np.empty(0, np.int64)
        self._values = np.empty((0, 0))
        self._before: NDArray[np.float64] | None = None

    def add(self, stamps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Take samples that are newer than all before.

        Args:
            stamps: int64 (n,), increasing, nanoseconds.
            values: float64 (n, D).
        """
        # What is not finite is none of these either.
        usable = (np.abs(values) <= _MOST).all(axis=1)
        if self._pose:
            usable &= np.linalg.norm(np.nan_to_num(values[:, 3:]), axis=1) > 1e-6
        if not usable.all():
            self.unusable += int(np.count_nonzero(~usable))
            stamps, values = stamps[usable], values[usable]
        if not len(stamps):
            return
        if self.first is None:
            self.first = int(stamps[0])
            self._stamps, self._values = stamps.copy(), values.copy()
        else:
            self._stamps = np.concatenate([self._stamps, stamps])
            self._values = np.concatenate([self._values, values])
        self.newest = int(stamps[-1])

    def at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the value at each of some frames, none of them before the first sample.

        Args:
            times: int64 (n,), increasing, nanoseconds.

        Returns:
            float64 (n, D).
        """
        right = np.searchsorted(self._stamps, times, side='left')
        exact = right < len(self._stamps)
        exact[exact] = self._stamps[right[exact]] == times[exact]
        left = np.where(exact, right, right - 1)
        right = np.minimum(right, len(self._stamps) - 1)
        spans = self._stamps[right] - self._stamps[left]
        # After the newest sample there is nothing to go to.
        ages = np.where(right > left, spans, times - self._stamps[left])
        far = ages > self._max_age
        if not self._steps:
            self.held += int(np.count_nonzero(far))
        share = (times - self._stamps[left]) / np.maximum(spans, 1)
        share[far | (right <= left) | self._steps] = 0.0
        found = _between(self._values[left], self._values[right], share, pose=self._pose)
        return self._continuous(found) if self._pose else found

    def forget(self, time: int) -> None:
        """Drop what no frame from `time` on needs."""
        keep = int(np.searchsorted(self._stamps, time, side='right')) - 1
        if keep > 0:
            # Copies, since a view would keep all that was read with it.
            self._stamps, self._values = self._stamps[keep:].copy(), self._values[keep:].copy()

    def _continuous(self, poses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Choose of both quaternions of a rotation the one that is near that of the frame before.

        So that no network sees it jump; the first has w >= 0.
        """
        if not len(poses):
            return poses
        before = np.array([0.0, 0.0, 0.0, 1.0]) if self._before is None else self._before
        quaternions = np.concatenate([before[None], poses[:, 3:]])
        turns = np.where((quaternions[1:] * quaternions[:-1]).sum(axis=1) < 0, -1.0, 1.0)
        poses[:, 3:] *= np.cumprod(turns)[:, None]
        self._before = poses[-1, 3:].copy()
        return poses


class ImageTrack:
    """The images of a camera about the frames that are due.

    Attributes:
        first: Stamp of the first image, nanoseconds; None before there is one.
        newest: Stamp of the newest one.
        held: Frames without an image of their own, which have that of the frame before.
    """

    def __init__(self, reach: int, *, clock: bool) -> None:
        """Begin without images.

        Args:
            reach: An image further from a frame is not its own, nanoseconds.
            clock: Frames are at the stamps of this camera; of others the nearest image is taken.
        """
        self._reach, self._clock = reach, clock
        self.first: int | None = None
        self.newest: int | None = None
        self.held = 0
        self._stamps: list[int] = []
        self._images: list[EncodedImage] = []

    def add(self, stamps: NDArray[np.int64], images: Sequence[EncodedImage]) -> None:
        """Take images that are newer than all before; stamps int64 (n,), nanoseconds."""
        if not len(stamps):
            return
        self._stamps += stamps.tolist()
        self._images += images
        if self.first is None:
            self.first = self._stamps[0]
        self.newest = self._stamps[-1]

    def at(self, times: NDArray[np.int64]) -> list[EncodedImage]:
        """Return the image of each of some frames, increasing, nanoseconds (n,)."""
        stamps = np.array(self._stamps, np.int64)
        left = np.maximum(np.searchsorted(stamps, times, side='right') - 1, 0)
        if not self._clock:
            right = np.minimum(left + 1, len(stamps) - 1)
            left = np.where(
                np.abs(stamps[right] - times) < np.abs(times - stamps[left]), right, left
            )
        self.held += int(np.count_nonzero(np.abs(times - stamps[left]) > self._reach))
        return [self._images[k] for k in left.tolist()]

    def forget(self, time: int) -> None:
        """Drop what no frame from `time` on needs."""
        keep = int(np.searchsorted(np.array(self._stamps, np.int64), time, side='right')) - 1
        if keep > 0:
            del self._stamps[:keep], self._images[:keep]


def _between(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    share: NDArray[np.float64],
    *,
    pose: bool,
) -> NDArray[np.float64]:
    """Return what lies between two rows of numbers each, (n, D); share 0 to 1 of the way, (n,)."""
    # Where numbers are beyond all measure their difference is none.
    with np.errstate(over='ignore', invalid='ignore'):
        found: NDArray[np.float64] = start + share[:, None] * (end - start)
    lost = ~np.isfinite(found)
    found[lost] = start[lost]
    if pose:
        found[:, 3:] = _slerp(start[:, 3:], end[:, 3:], share)
    return found


def _slerp(
    start: NDArray[np.float64], end: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return unit quaternions on the shortest way between two each, (n, 4)."""
    start = start / np.linalg.norm(start, axis=1, keepdims=True)
    end = end / np.linalg.norm(end, axis=1, keepdims=True)
    cosine = (start * end).sum(axis=1)
    end = np.where(cosine[:, None] < 0, -end, end)
    angle = np.arccos(np.clip(np.abs(cosine), 0.0, 1.0))
    sine = np.sin(angle)
    near = sine < 1e-6
    safe = np.where(near, 1.0, sine)
    first = np.where(near, 1.0 - share, np.sin((1.0 - share) * angle) / safe)
    second = np.where(near, share, np.sin(share * angle) / safe)
    found: NDArray[np.float64] = first[:, None] * start + second[:, None] * end
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found
