# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images as files: JPEG and PNG as they were recorded, and others as PNG."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.readers.image import decode_compressed
from m2r2_ros.readers.image_header import image_problem

_JPEG: Final = b'\xff\xd8'
_JPEG_END: Final = b'\xff\xd9'
#: Cameras pad their JPEGs; the end is looked for in so many bytes.
_TAIL: Final = 4096
#: Each side of an image that is decoded to see whether it can be, is so many times smaller.
_REDUCED: Final = 8


class ImageFiles:
    """The images of one camera as files; what cannot be decoded is that of the frame before.

    Attributes:
        size: Height and width; (0, 0) before the first image.
        damaged: Images that could not be decoded, or whose end is missing.
    """

    def __init__(self) -> None:
        """Begin without images."""
        self.size = (0, 0)
        self.damaged = 0
        self._last: EncodedImage | None = None
        self._payload = b''

    @property
    def is_jpeg(self) -> bool:
        """Whether the newest image is a JPEG; a PNG otherwise."""
        return self._payload.startswith(_JPEG)

    def pixels(self) -> NDArray[np.uint8]:
        """Return the pixels of the newest image, uint8 (height, width, 3), RGB.

        Raises:
            MessageError: It cannot be decoded.
        """
        return decode_compressed(self._payload)

    def payload(self, image: EncodedImage) -> bytes:
        """Return an image as a file.

        Raises:
            MessageError: It is damaged and the first, or of another size than the first.
        """
        if image is self._last:
            return self._payload
        try:
            payload = self._checked(image)
        except SizeError:
            raise
        except MessageError:
            if not self._payload:
                raise
            self.damaged += 1
        else:
            self._payload = payload
        self._last = image
        return self._payload

    def _checked(self, image: EncodedImage) -> bytes:
        """Return the bytes of a whole image of the right size.

        Raises:
            MessageError: It is damaged.
        """
        recorded = image.decoder is decode_compressed
        if self._last is None or not recorded:
            pixels = image.decode()
            self._expect(*pixels.shape[:2])
            if not recorded:
                return _as_png(pixels)
        problem = image_problem(image.payload) or _end_missing(image.payload)
        if problem:
            msg = f'an image {problem}'
            raise MessageError(msg)
        small = cv2.imdecode(np.frombuffer(image.payload, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
        if small is None or small.shape[:2] != tuple(-(-side // _REDUCED) for side in self.size):
            pixels = image.decode()
            self._expect(*pixels.shape[:2])
        return image.payload

    def _expect(self, height: int, width: int) -> None:
        if self.size == (0, 0):
            self.size = (height, width)
        elif self.size != (height, width):
            raise SizeError(self.size, (height, width))


class SizeError(MessageError):
    """Images of one camera have several sizes, which no data set takes."""

    def __init__(self, before: tuple[int, int], after: tuple[int, int]) -> None:
        """Say which; height and width."""
        super().__init__(
            f'images of {after[1]} by {after[0]} pixels follow those of {before[1]} by {before[0]}'
        )


def _as_png(pixels: NDArray[np.uint8]) -> bytes:
    done, payload = cv2.imencode('.png', pixels[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        msg = f'an image of {pixels.shape[1]} by {pixels.shape[0]} pixels cannot be a PNG'
        raise MessageError(msg)
    return payload.tobytes()


def _end_missing(payload: bytes) -> str:
    """Return what to say of a JPEG that is cut short, which decoders refuse or fill with grey."""
    cut = payload.startswith(_JPEG) and _JPEG_END not in payload[-_TAIL:]
    return 'is cut short' if cut else ''
