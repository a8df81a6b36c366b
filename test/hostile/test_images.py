# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""No image takes more memory than the largest that is decoded."""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from m2r2_ros.core.errors import MessageError
from m2r2_ros.readers.image import decode_compressed
from m2r2_ros.readers.image_header import MOST_PIXELS, MOST_SCANS, image_problem
from test.hostile import image_files
from test.hostile.memory import MB, memory_of

#: Twelve bytes a pixel: a progressive JPEG is kept as coefficients of six, and then twice as RGB.
BOUND = 12 * MOST_PIXELS + 60 * MB


@pytest.mark.parametrize('case', image_files.CASES)
def test_hostile_images_end_in_pixels_or_an_error_within_memory(
    tmp_path: Path, processes: ProcessPoolExecutor, case: Callable[[], Iterable[bytes]]
) -> None:
    paths = [tmp_path / str(k) for k, _ in enumerate(case())]
    for path, content in zip(paths, case(), strict=True):
        path.write_bytes(content)
    assert processes.submit(memory_of, image_files.decode, paths).result() < BOUND


@pytest.mark.parametrize('case', [image_files.png_bombs, image_files.jpeg_scans])
def test_the_worst_are_not_decoded(case: Callable[[], Iterable[bytes]]) -> None:
    with pytest.raises(MessageError, match=r'at most 36000000|30 scans'):
        decode_compressed(next(iter(case())))


@pytest.mark.parametrize(
    ('extension', 'options'),
    [
        ('.png', []),
        ('.jpg', []),
        ('.jpg', [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        ('.jpg', [cv2.IMWRITE_JPEG_RST_INTERVAL, 4]),
    ],
)
def test_images_of_cameras_are_decoded(extension: str, options: list[int]) -> None:
    """8K in both shapes of it."""
    for width, height in ((7680, 4320), (8192, 4320), (1, 1)):
        payload = cv2.imencode(extension, np.zeros((height, width, 3), np.uint8), options)[1]
        assert image_problem(payload.tobytes()) == ''
    assert payload.tobytes().count(b'\xff\xda') <= MOST_SCANS


def test_other_formats_are_not_even_looked_at() -> None:
    for payload in image_files.other_formats():
        assert image_problem(payload) == 'is neither a JPEG nor a PNG'


def test_what_comes_after_the_end_of_an_image_is_passed_over() -> None:
    pixels = np.full((8, 8, 3), 80, np.uint8)
    for extension in ('.png', '.jpg'):
        payload = cv2.imencode(extension, pixels)[1].tobytes()
        assert decode_compressed(payload + bytes(100)).mean() == 80
