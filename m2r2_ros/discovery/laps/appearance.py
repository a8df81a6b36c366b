# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What images look like: encoders for features of frames and for the intra-cluster similarity."""

from collections.abc import Callable
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.text import excerpt
from m2r2_ros.discovery.with_torch import with_torch

#: Maps images, uint8 (n, h, w, 3), RGB, to features, float32 (n, d).
ImageFeatures: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

#: Names of encoders.
LITE0: Final = 'efficientnet_lite0'
COLOURS: Final = 'colour_layout'
#: Cells along each side of a colour layout.
_CELLS: Final = 8


def packaged_encoder() -> tuple[str, ImageFeatures]:
    """Return an encoder that needs no download, and its name.

    It is EfficientNet-Lite0 with the ImageNet weights of the extra `lite` where that and torch are
    installed, the layout of colours otherwise. The paper takes CLIP, whose weights the user would
    have to provide; any function of this kind does.
    """
    try:
        return LITE0, find_encoder(LITE0)
    except (BundleError, ConfigError):
        return COLOURS, colour_layout


def find_encoder(name: str) -> ImageFeatures:
    """Return the encoder of that name.

    Raises:
        ConfigError: There is none, or torch is not installed.
        BundleError: The extra `lite` is not installed.
    """
    if name == COLOURS:
        return colour_layout
    if name != LITE0:
        msg = f'image encoder {excerpt(name)!r} is unknown: expected {LITE0} or {COLOURS}'
        raise ConfigError(msg)
    found: ImageFeatures = with_torch('laps.appearance', f'image encoder {LITE0}').lite_features()
    return found


def colour_layout(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean colour of each cell of a grid, about mid grey, float32 (n, 192)."""
    cells = [cv2.resize(i, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA) for i in images]
    return np.stack(cells).reshape(len(images), -1).astype(np.float32) / 127.5 - 1
