# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small images of a camera, spread over a recording and about the boundaries of its labels."""

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.samples import ImageSamples
from m2r2_ros.pages.container import Container

#: Images of a camera that are spread evenly, those about boundaries, and seconds between two.
_SPREAD, _NEAR, _LEAST = 240, 500, 0.25
#: Height of a small image, pixels.
HEIGHT: Final = 108


class Thumbs:
    """Keeps the first image at or after each of some times; no other is decoded."""

    def __init__(self, origin: int, duration: float, around: Sequence[float] = ()) -> None:
        """Begin without images.

        Args:
            origin: When the recording began, nanoseconds.
            duration: Of the recording, s.
            around: Times of which there is to be an image, s.
        """
        spread = np.arange(0, max(duration, 1e-9), max(duration / _SPREAD, _LEAST))
        near = np.sort(np.asarray(around, np.float64))
        near = near[:: -(-len(near) // _NEAR)] if len(near) else near
        due = np.unique(np.concatenate([spread, near[(near >= 0) & (near < duration)]]))
        self._due = due[np.diff(due, prepend=-np.inf) > _LEAST / 5]
        self._origin, self._at = origin, 0
        self._images: list[tuple[float, bytes]] = []
        self._size = (0, 0)

    def add(self, images: ImageSamples) -> None:
        """Take images in."""
        times = (images.stamps - self._origin) / 1e9
        for time, frame in zip(times.tolist(), images.frames, strict=True):
            if self._at >= len(self._due) or time < self._due[self._at]:
                continue
            try:
                pixels = frame.decode()
            except MessageError:  # the next one is as good
                continue
            self._images.append((time, self._small(pixels)))
            self._at = int(np.searchsorted(self._due, time, side='right'))

    def pack(self, out: Container) -> dict[str, Any]:
        """Return the images as a page has them."""
        width, height = self._size
        thumbs = [{'t': t, 'image': out.file('image/jpeg', jpeg)} for t, jpeg in self._images]
        return {'width': width, 'height': height, 'thumbs': thumbs}

    def _small(self, pixels: NDArray[np.uint8]) -> bytes:
        tall, wide = pixels.shape[:2]
        size = (max(1, round(wide * HEIGHT / tall)), HEIGHT)
        self._size = size
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        colours = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode('.jpg', colours, [cv2.IMWRITE_JPEG_QUALITY, 75])
        return bytes(jpeg)
