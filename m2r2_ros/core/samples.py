# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What readers make of messages: stamps and arrays."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class VectorSamples:
    """Samples of one proprioceptive sensor.

    Attributes:
        stamps: int64 (n,), nanoseconds.
        arrival: int64 (n,), rank of the carrying message among all messages.
        values: float64 (n, D): wrench Fx Fy Fz Mx My Mz (N, N m), pose x y z qx qy qz qw (m),
            twist vx vy vz wx wy wz (m/s, rad/s), gripper width (m).
        dropped: Messages that held no usable sample, by reason.
    """

    stamps: NDArray[np.int64]
    arrival: NDArray[np.int64]
    values: NDArray[np.float64]
    dropped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class SoundSamples:
    """Chunks of one microphone, mixed down to mono.

    Attributes:
        stamps: int64 (n,), time of each chunk's first sample, nanoseconds.
        arrival: int64 (n,), rank of the carrying message among all messages.
        chunks: n arrays float32 (samples,), full scale at +-1.
        rate: Samples per second.
        dropped: Messages that held no usable chunk, by reason.
    """

    stamps: NDArray[np.int64]
    arrival: NDArray[np.int64]
    chunks: list[NDArray[np.float32]]
    rate: int
    dropped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image as it arrived; `decode` gives uint8 (height, width, 3), RGB.

    Decoding is left to whoever looks at the image, since most frames are never looked at.
    """

    payload: bytes
    decoder: Callable[[bytes], NDArray[np.uint8]]

    def decode(self) -> NDArray[np.uint8]:
        """Return the pixels.

        Raises:
            MessageError: The payload is not what its encoding promises.
        """
        return self.decoder(self.payload)


@dataclass(frozen=True, slots=True)
class ImageSamples:
    """Frames of one camera.

    Attributes:
        stamps: int64 (n,), nanoseconds.
        arrival: int64 (n,), rank of the carrying message among all messages.
        frames: n images, not decoded yet.
        dropped: Messages that held no usable image, by reason.
    """

    stamps: NDArray[np.int64]
    arrival: NDArray[np.int64]
    frames: list[EncodedImage]
    dropped: Counter[str] = field(default_factory=Counter)


Samples = VectorSamples | SoundSamples | ImageSamples
