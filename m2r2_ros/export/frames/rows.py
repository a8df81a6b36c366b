# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames as exports take them: images, numbers and labels of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.samples import EncodedImage


@dataclass(frozen=True, slots=True)
class FrameRows:
    """Some frames of a recording, in order.

    Attributes:
        stamps: int64 (n,), nanoseconds.
        vectors: By sensor, float64 (n, D).
        images: By camera, n images each.
        action: float64 (n, A); None without one.
    """

    stamps: NDArray[np.int64]
    vectors: dict[str, NDArray[np.float64]]
    images: dict[str, list[EncodedImage]]
    action: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.stamps)

    def between(self, start: int, end: int) -> 'FrameRows':
        """Return the frames from one place to another."""
        return FrameRows(
            self.stamps[start:end],
            {name: values[start:end] for name, values in self.vectors.items()},
            {name: images[start:end] for name, images in self.images.items()},
            None if self.action is None else self.action[start:end],
        )

    def with_action(self, action: NDArray[np.float64]) -> 'FrameRows':
        """Return the same frames with another action."""
        return replace(self, action=action)

    @property
    def state(self) -> NDArray[np.float64]:
        """The numbers of all sensors side by side, float64 (n, D)."""
        return self.numbers(self.vectors)

    def numbers(self, sensors: Iterable[str]) -> NDArray[np.float64]:
        """Return the numbers of some sensors side by side, float64 (n, D)."""
        return np.concatenate(
            [np.empty((len(self), 0)), *(self.vectors[n] for n in sensors)], axis=1
        )


def joined(parts: Sequence[FrameRows]) -> FrameRows:
    """Return the frames of several runs, which have the same sensors, as one."""
    first = parts[0]
    actions = [part.action for part in parts if part.action is not None]
    return FrameRows(
        np.concatenate([part.stamps for part in parts]),
        {n: np.concatenate([part.vectors[n] for part in parts]) for n in first.vectors},
        {n: [image for part in parts for image in part.images[n]] for n in first.images},
        np.concatenate(actions) if actions else None,
    )
