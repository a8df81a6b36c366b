# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 as an image encoder of discovery.laps.appearance."""

from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from m2r2_ros.discovery.laps.appearance import ImageFeatures
from m2r2_ros.network.image import EfficientNetLite0

#: Width and height that the network takes, pixels.
_PIXELS: Final = 224


def lite_features() -> ImageFeatures:
    """Return the encoder of EfficientNet-Lite0 with its ImageNet weights, 1280 features.

    Raises:
        BundleError: The extra `lite` is not installed.
    """
    network = EfficientNetLite0(1, pretrained=True).eval()

    def features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        resized = [cv2.resize(i, (_PIXELS, _PIXELS), interpolation=cv2.INTER_AREA) for i in images]
        with torch.inference_mode():
            found: NDArray[np.float32] = network.features(
                torch.from_numpy(np.stack(resized).astype(np.uint8))
            ).numpy()
        return found

    return features
