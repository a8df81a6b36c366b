# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What images look like, in few numbers: an image encoder, projected at random."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.reading import naming
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.discovery.laps.appearance import LITE0, ImageFeatures, find_encoder

#: Numbers of an image. A random projection to so many keeps distances and angles nearly, and an
#: hour of them fits into memory.
WIDTH: Final = 64
#: Images that are encoded together.
_BATCH: Final = 32


def image_features(images: Sequence[EncodedImage | None], encoder: str = '') -> NDArray[np.float64]:
    """Return features of images, (n, WIDTH), NaN where there is none that can be decoded.

    Args:
        images: The images.
        encoder: Name of the encoder; see expect_encoder.
    """
    found = np.full((len(images), WIDTH), np.nan)
    for first in range(0, len(images), _BATCH):
        part = images[first : first + _BATCH]
        decoded = {
            first + k: pixels for k, i in enumerate(part) if (pixels := _decode(i)) is not None
        }
        for size in {image.shape for image in decoded.values()}:
            rows = [k for k, image in decoded.items() if image.shape == size]
            features = _encoder(encoder)(np.stack([decoded[k] for k in rows]))
            found[rows] = features @ _projection(features.shape[1])
    return found


def _decode(image: EncodedImage | None) -> NDArray[np.uint8] | None:
    if image is None:
        return None
    try:
        return image.decode()
    except MessageError:
        return None


def expect_encoder(name: str) -> None:
    """Refuse an image encoder that cannot be had here; '' stands for that of older bundles.

    Raises:
        ConfigError: It is unknown, or what it needs is not installed.
    """
    with naming('images', ConfigError):
        _encoder(name)


@cache
def _encoder(name: str) -> ImageFeatures:
    return find_encoder(name or LITE0)


@cache
def _projection(width: int) -> NDArray[np.float64]:
    """Return a projection of `width` features, the same in every process."""
    drawn: NDArray[np.float64] = np.random.default_rng(0).normal(0, WIDTH**-0.5, (width, WIDTH))
    return drawn
