# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the images of primitives look like: encoders for the intra-cluster similarity."""

from collections.abc import Callable
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError

#: Maps images, uint8 (n, h, w, 3), RGB, to features, float32 (n, d).
ImageFeatures: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

#: Width and height that the network takes, pixels, and cells along each side of a colour layout.
_PIXELS: Final = 224
_CELLS: Final = 8


def packaged_encoder() -> tuple[str, ImageFeatures]:
    """Return an encoder that needs no download, and its name.

    It is EfficientNet-Lite0 with the ImageNet weights of the extra `lite` where that is installed,
    the layout of colours otherwise. The paper takes CLIP, whose weights the user would have to
    provide; any function of this kind does.
    """
    try:
        return 'efficientnet_lite0', lite_features()
    except BundleError:
        return 'colour_layout', colour_layout


def lite_features() -> ImageFeatures:
    """Return the encoder of EfficientNet-Lite0, 1280 features.

    Raises:
        BundleError: The extra `lite` is not installed.
    """
    import torch

    from m2r2_ros.network.image import EfficientNetLite0

    network = EfficientNetLite0(1, pretrained=True).eval()

    def features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        resized = [cv2.resize(i, (_PIXELS, _PIXELS), interpolation=cv2.INTER_AREA) for i in images]
        with torch.inference_mode():
            found: NDArray[np.float32] = network.features(
                torch.from_numpy(np.stack(resized).astype(np.uint8))
            ).numpy()
        return found

    return features


def colour_layout(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean colour of each cell of a grid, about mid grey, float32 (n, 192)."""
    cells = [cv2.resize(i, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA) for i in images]
    return np.stack(cells).reshape(len(images), -1).astype(np.float32) / 127.5 - 1
