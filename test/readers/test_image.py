# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import pickle
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.samples import ImageSamples
from m2r2_ros.readers.registry import Reader, make_reader
from m2r2_ros.readers.topics import TopicSpec
from test.readers.messages import Topic, both, header, new, pack, serialise

STAMP = 1_700_000_000_500_000_000
ORDERS = {'rgb8': [0, 1, 2], 'bgr8': [2, 1, 0], 'rgba8': [0, 1, 2, 3], 'bgra8': [2, 1, 0, 3]}


def pixel_grid(height: int = 6, width: int = 8) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def image(data: NDArray[np.uint8], encoding: str, width: int, step: int | None = None) -> Any:
    """Make an Image of rows of bytes."""
    row = data.shape[1] if step is None else step
    return new(
        'sensor_msgs/Image', header(STAMP), len(data), width, encoding, 0, row, data.reshape(-1)
    )


def compressed(payload: bytes, name: str = 'jpeg') -> Any:
    data = np.frombuffer(payload, np.uint8)
    return new('sensor_msgs/CompressedImage', header(STAMP), name, data)


def topic(kind: str = 'Image') -> Topic:
    return TopicSpec('image', '/camera'), 'sensor_msgs/msg/' + kind, ''


def reader() -> Reader:
    return make_reader(*topic())


def read(*messages: Any, little: bool = True) -> ImageSamples:
    kind = messages[0].__msgtype__.rpartition('/')[2]
    block = pack([serialise(m, little) for m in messages])
    samples = both(topic(kind), messages, block)
    assert isinstance(samples, ImageSamples)
    return samples


@pytest.mark.parametrize('little', [True, False])
@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize('encoding', ORDERS)
def test_colour_images_become_rgb(encoding: str, padding: int, little: bool) -> None:
    rgb = pixel_grid()
    four = np.concatenate([rgb, np.full_like(rgb[..., :1], 9)], 2)
    rows = four[..., ORDERS[encoding]].reshape(6, -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=77)
    samples = read(image(rows, encoding, 8), little=little)
    assert samples.stamps.tolist() == [STAMP]
    np.testing.assert_array_equal(samples.frames[0].decode(), rgb)


def test_grey_images_become_three_equal_channels() -> None:
    grey = pixel_grid()[..., 0]
    pixels = read(image(grey, 'mono8', 8)).frames[0].decode()
    np.testing.assert_array_equal(pixels, np.stack([grey] * 3, 2))


def test_yuy2_is_converted() -> None:
    rows = np.tile(np.array([81, 90, 81, 240], np.uint8), (4, 3))  # red, BT.601
    pixels = read(image(rows, 'yuv422_yuy2', 6)).frames[0].decode()
    assert pixels.shape == (4, 6, 3)
    np.testing.assert_allclose(pixels, np.broadcast_to([255, 0, 0], (4, 6, 3)), atol=3)


@pytest.mark.parametrize(
    ('extension', 'name'),
    [('.jpg', 'jpeg'), ('.jpg', 'rgb8; jpeg compressed bgr8'), ('.png', 'bgr8; png compressed ')],
)
def test_compressed_images_become_rgb(extension: str, name: str) -> None:
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[:, :, 0] = 200
    encoded = cv2.imencode(extension, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()
    pixels = read(compressed(encoded, name)).frames[0].decode()
    np.testing.assert_allclose(pixels.astype(int), rgb, atol=4)


def test_frames_can_be_sent_to_other_processes() -> None:
    rgb = pixel_grid()
    frame = read(image(rgb.reshape(6, -1), 'rgb8', 8)).frames[0]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(frame)).decode(), rgb)


def test_an_invalid_compressed_image_is_found_when_it_is_decoded() -> None:
    frame = read(compressed(b'no image')).frames[0]
    with pytest.raises(MessageError, match='expected JPEG or PNG'):
        frame.decode()


def test_unusable_images_are_counted_and_harm_no_neighbour() -> None:
    rows = pixel_grid().reshape(6, -1)
    whole = image(rows, 'rgb8', 8)
    short = image(rows[:-1], 'rgb8', 8)
    short.height = 6
    samples = read(
        whole,
        short,
        image(rows, 'rgb8', 9),
        image(rows[:0], 'rgb8', 8),
        image(rows, '16UC1', 8),
        whole,
    )
    assert samples.dropped == {'malformed': 3, 'unsupported_encoding': 1}
    assert samples.arrival.tolist() == [5, 15]
    assert read(compressed(b''), compressed(b'x', 'h264')).dropped == {
        'malformed': 1,
        'unsupported_encoding': 1,
    }


@given(at=st.integers(0, 60), byte=st.integers(0, 255), cut=st.integers(0, 200))
def test_no_byte_and_no_cut_makes_it_raise(at: int, byte: int, cut: int) -> None:
    whole = serialise(image(pixel_grid().reshape(6, -1), 'rgb8', 8))
    bad = bytearray(whole)
    bad[at] = byte
    samples = reader().decode(pack([bytes(bad), whole[:cut], whole]))
    assert isinstance(samples, ImageSamples)
    np.testing.assert_array_equal(samples.frames[-1].decode(), pixel_grid())
    assert len(samples.frames) + samples.dropped.total() == 3
    assert all(frame.decode().size for frame in samples.frames)
