# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Features of images: alike where images are, and none where there is no image."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.discovery.image_features import WIDTH, image_features
from m2r2_ros.discovery.laps.appearance import packaged_encoder


def coloured(red: int, blue: int, size: int = 64) -> EncodedImage:
    def pixels(payload: bytes) -> NDArray[np.uint8]:
        image = np.zeros((size, size, 3), np.uint8)
        image[: size // 2] = (red, 0, 0)
        image[size // 2 :] = (0, 0, blue)
        return image

    return EncodedImage(b'', pixels)


def broken(payload: bytes) -> NDArray[np.uint8]:
    msg = 'no image'
    raise MessageError(msg)


def test_like_images_have_like_features() -> None:
    images = [coloured(200, 40), coloured(205, 40), coloured(10, 250), coloured(200, 40, size=80)]
    features = image_features(images, packaged_encoder()[0])
    assert features.shape == (4, WIDTH)
    near, far, scaled = (np.linalg.norm(features[k] - features[0]) for k in (1, 2, 3))
    assert near < far / 4
    assert scaled < far / 2


def test_what_is_no_image_has_none() -> None:
    images = [None, coloured(200, 40), EncodedImage(b'', broken)]
    features = image_features(images, packaged_encoder()[0])
    assert np.isnan(features[[0, 2]]).all()
    assert np.isfinite(features[1]).all()
