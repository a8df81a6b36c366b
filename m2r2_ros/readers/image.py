# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera images, raw and compressed. Pixels are decoded only when they are used."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.reading import reading
from m2r2_ros.core.samples import EncodedImage, ImageSamples
from m2r2_ros.readers.cdr import MALFORMED, UNSUPPORTED, Fields, Unusable
from m2r2_ros.readers.image_header import image_problem
from m2r2_ros.readers.stamps import resolve_stamps
from m2r2_ros.readers.topics import TopicSpec

#: Bytes of a pixel, by encoding (sensor_msgs/image_encodings.hpp).
PIXEL_BYTES = {'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1, 'yuv422_yuy2': 2}
#: Larger images are damaged or malicious.
_MAX_SIDE = 1 << 15


class ImageReader:
    """Reads images with a header.

    Args:
        spec: Gives the time offset.
        parse: Takes stamp and image from CDR bytes.
    """

    def __init__(
        self,
        spec: TopicSpec,
        parse: Callable[[NDArray[np.uint8]], tuple[int, EncodedImage]],
    ) -> None:
        self._spec = spec
        self._parse = parse

    def decode(self, block: MessageBlock) -> ImageSamples:
        """Read CDR messages."""
        kept, stamps, frames = [], [], []
        dropped: Counter[str] = Counter()
        for k in range(len(block)):
            try:
                stamp, frame = self._parse(block.message(k))
            except Unusable as unusable:
                dropped[unusable.reason] += 1
                continue
            kept.append(k)
            stamps.append(stamp)
            frames.append(frame)
        which = np.array(kept, np.int64)
        times = resolve_stamps(np.array(stamps, np.int64), block.log_times[which], self._spec)
        return ImageSamples(times, block.arrival[which], frames, dropped)


def parse_raw(raw: NDArray[np.uint8]) -> tuple[int, EncodedImage]:
    """Read a sensor_msgs/Image from CDR."""
    fields = Fields(raw)
    stamp = fields.stamp()
    fields.string()
    height, width = fields.number('I'), fields.number('I')
    encoding = fields.string()
    fields.number('B')
    step = fields.number('I')
    data = fields.numbers('u1')
    fields.finish()
    return stamp, _raw_image(data.astype(np.uint8, copy=False), height, width, encoding, step)


def _raw_image(
    data: NDArray[np.uint8], height: int, width: int, encoding: str, step: int
) -> EncodedImage:
    """Check that the data are as long as the image is large."""
    if encoding not in PIXEL_BYTES:
        raise Unusable(UNSUPPORTED)
    row = width * PIXEL_BYTES[encoding]
    sides = 0 < height <= _MAX_SIDE and 0 < width <= _MAX_SIDE
    half = encoding == 'yuv422_yuy2' and width % 2
    if not sides or half or step < row or len(data) < height * step:
        raise Unusable(MALFORMED)
    decoder = partial(decode_raw, height=height, width=width, encoding=encoding, step=step)
    return EncodedImage(data[: height * step].tobytes(), decoder)


def decode_raw(
    payload: bytes, height: int, width: int, encoding: str, step: int
) -> NDArray[np.uint8]:
    """Return the pixels of a raw image, uint8 (height, width, 3), RGB."""
    rows = np.frombuffer(payload, np.uint8).reshape(height, step)
    depth = PIXEL_BYTES[encoding]
    pixels = rows[:, : width * depth].reshape(height, width, depth)
    if encoding == 'yuv422_yuy2':
        import cv2

        converted = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_YUV2RGB_YUY2)
        return np.asarray(converted, np.uint8)
    if encoding == 'mono8':
        return np.repeat(pixels, 3, axis=2)
    order = [2, 1, 0] if encoding.startswith('bgr') else [0, 1, 2]
    return pixels[:, :, order]


def parse_compressed(raw: NDArray[np.uint8]) -> tuple[int, EncodedImage]:
    """Read a sensor_msgs/CompressedImage from CDR."""
    fields = Fields(raw)
    stamp = fields.stamp()
    fields.string()
    name = fields.string()
    data = fields.numbers('u1')
    fields.finish()
    return stamp, _compressed_image(data.tobytes(), name)


def _compressed_image(payload: bytes, name: str) -> EncodedImage:
    """Check the format, such as 'jpeg' or 'rgb8; jpeg compressed bgr8'."""
    kind = name.lower()
    # compressedDepth has a header of its own, and distances instead of colours.
    if 'depth' in kind or not any(known in kind for known in ('jpeg', 'jpg', 'png')):
        raise Unusable(UNSUPPORTED)
    if not payload:
        raise Unusable(MALFORMED)
    return EncodedImage(payload, decode_compressed)


def decode_compressed(payload: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a JPEG or PNG, uint8 (height, width, 3), RGB.

    Raises:
        MessageError: It is neither, damaged, or too large.
    """
    import cv2

    what, expected = f'a compressed image of {len(payload)} bytes', 'JPEG or PNG'
    if problem := image_problem(payload):
        msg = f'{what} {problem}; expected {expected}'
        raise MessageError(msg)
    with reading(what, expected, MessageError):
        pixels = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        msg = f'{what} cannot be decoded; expected {expected}'
        raise MessageError(msg)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
