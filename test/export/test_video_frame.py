# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from m2r2_ros.export.video_frame import video_frame


@pytest.mark.parametrize('colour', [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)])
@pytest.mark.parametrize('size', [(2, 2), (48, 66)])
def test_colours_are_those_of_the_pixels(
    colour: tuple[int, int, int], size: tuple[int, int]
) -> None:
    pixels = np.full((*size, 3), colour, np.uint8)
    # FFmpeg, which is what plays films, converts them back.
    played = video_frame(pixels).to_ndarray(format='rgb24')
    assert np.abs(played.astype(int) - pixels).max() <= 4


def test_every_pixel_keeps_its_place() -> None:
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[4:8, 10:20] = 200
    played = video_frame(pixels).to_ndarray(format='gray').astype(int)
    assert (played > 100).tolist() == (pixels[:, :, 0] > 100).tolist()
