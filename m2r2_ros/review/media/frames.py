# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of the cameras of a recording: the one at or before any time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.reassemble.source import ReassembleSource
from m2r2_ros.bags.source import Source, Topic
from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.reading import reading
from m2r2_ros.readers.cdr import Unusable
from m2r2_ros.readers.image import parse_compressed, parse_raw
from m2r2_ros.readers.image_header import image_problem
from m2r2_ros.review.media.parts import Parts
from m2r2_ros.review.media.search import StampedTopic
from m2r2_ros.review.media.spool import Spool

#: Images that cannot be used of which the one before is tried.
_TRIES: Final = 200
#: Of JPEG, 0 to 100.
_QUALITY: Final = 90
_JPEG: Final = b'\xff\xd8\xff'
_RAW: Final = 'sensor_msgs/msg/Image'


@dataclass(frozen=True, slots=True)
class CameraFrame:
    """An image.

    Attributes:
        stamp: Nanoseconds.
        jpeg: Its bytes, as they were recorded where that was as JPEG.
    """

    stamp: int
    jpeg: bytes


class Frames:
    """The images of the cameras of a recording; several threads may ask at once."""

    def __init__(
        self, sources: Sequence[Source], cameras: Mapping[str, int], topics: Mapping[str, Topic]
    ) -> None:
        """Read nothing yet.

        Args:
            sources: The files of the recording.
            cameras: Nanoseconds to be added to the stamps of each camera, by its topic.
            topics: Topics of the recording by name.
        """
        self._films = [s for s in sources if isinstance(s, ReassembleSource)]
        others = [s for s in sources if not isinstance(s, ReassembleSource)]
        parts = Parts(others, cameras)
        self._cameras = {name: StampedTopic(parts, name) for name in cameras}
        self._spools: dict[str, Spool] = {}
        self._offsets = dict(cameras)
        self._raw = {name for name in cameras if topics[name].type_name == _RAW}
        self._lock = Lock()

    def close(self) -> None:
        """Stop what is still being read."""
        with self._lock:
            for spool in self._spools.values():
                spool.close()

    def at(self, topic: str, time: int) -> CameraFrame | None:
        """Return the image at or before a time, by its stamp; None before the first.

        An image that cannot be decoded counts as not there.

        Args:
            topic: Of the camera.
            time: Nanoseconds.

        Raises:
            BagError: The recording cannot be read there.
            NotReadYetError: It will be there later.
        """
        offset = self._offsets[topic]
        stamp = time - offset
        for _ in range(_TRIES):
            found = self._message(topic, stamp)
            if found is None:
                return None
            stamp, raw = found
            jpeg = as_jpeg(raw, compressed=topic not in self._raw)
            if jpeg is not None:
                return CameraFrame(stamp + offset, jpeg)
            stamp -= 1
        return None

    def _message(self, topic: str, stamp: int) -> tuple[int, NDArray[np.uint8]] | None:
        """Return stamp and CDR bytes of the last message at or before a stamp."""
        film = next((film for film in self._films if topic in film.topics), None)
        if film is not None:
            return self._spool(film, topic).at(stamp)
        with self._lock:
            found = self._cameras[topic].at(stamp)
        return None if found is None else (found.stamp, found.raw)

    def _spool(self, film: Source, topic: str) -> Spool:
        with self._lock:
            if topic not in self._spools:
                self._spools[topic] = Spool(film, topic)
            return self._spools[topic]


def as_jpeg(raw: NDArray[np.uint8], *, compressed: bool) -> bytes | None:
    """Return an image message as JPEG, None where it holds no image that is to be decoded.

    Args:
        raw: Its CDR bytes.
        compressed: It is a CompressedImage, otherwise an Image.
    """
    try:
        _, image = parse_compressed(raw) if compressed else parse_raw(raw)
        if compressed and image.payload.startswith(_JPEG):
            return None if image_problem(image.payload) else image.payload
        pixels = image.decode()
        return _encoded(pixels)
    except (Unusable, MessageError):
        return None


def _encoded(pixels: NDArray[np.uint8]) -> bytes:
    """Encode pixels, uint8 (height, width, 3), RGB.

    Raises:
        MessageError: It cannot be done.
    """
    import cv2

    with reading('an image', 'pixels that JPEG can hold', MessageError):
        done, data = cv2.imencode(
            '.jpg', np.ascontiguousarray(pixels[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        )
    if not done:
        msg = 'an image cannot be encoded as JPEG'
        raise MessageError(msg)
    return bytes(data)
