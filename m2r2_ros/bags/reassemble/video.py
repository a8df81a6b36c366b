# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras of REASSEMBLE files: an MP4 film each, whose images become JPEG one by one."""

from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.reassemble.file import ReassembleFile, library
from m2r2_ros.bags.reassemble.layout import IMAGE, MediaTopic
from m2r2_ros.bags.reassemble.stamps import Stamps, read_stamps
from m2r2_ros.bags.reassemble.stream import loaded, make_topic, serialise
from m2r2_ros.bags.source import FilePart, Loaded
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.definitions import typestore

#: Of JPEG, 0 to 100: differences to the film that the eye does not see.
_QUALITY: Final = 95
#: Of an image: 4K, of which a film may ask to keep sixteen.
_MOST_PIXELS: Final = 4096 * 2304
#: Images of a part: about a second.
_IMAGES: Final = 32


class VideoStream:
    """A topic of compressed images; see Stream.

    Attributes:
        dataset: Its name in the file.
    """

    def __init__(self, file: ReassembleFile, camera: MediaTopic) -> None:
        """Look at stamps and at the film's index; no image is decoded.

        Raises:
            BagError: The datasets are not as the data set describes them.
        """
        self._camera, self.dataset = camera, camera.dataset
        self.broken = ''
        try:
            with file.blob(camera.dataset) as film:
                self._length = _length(film)
        except library('av').FFmpegError as error:
            self._length = 0
            self.broken = f'{camera.dataset} is not an MP4 film that can be read: {error}'
        stamps = self._stamps(file)
        self.topic = make_topic(camera.topic, IMAGE, stamps.count)
        self.start, self.end = stamps.start, stamps.end
        self.notes = (f'{camera.topic}: {self.broken}',) if self.broken else stamps.notes

    def parts(self, file: ReassembleFile) -> Iterator[FilePart]:
        """Yield parts of consecutive images; the film is decoded once, from its beginning."""
        stamps = self._stamps(file)
        with file.blob(self._camera.dataset) as film, closing(_images(film)) as images:
            done = 0
            for low, high, start in stamps.parts(_IMAGES):
                yield FilePart(start, 0, partial(self._load, file, images, stamps, done, low, high))
                done = high

    def _stamps(self, file: ReassembleFile) -> Stamps:
        return read_stamps(file, self._camera.dataset, self._length, self._camera.topic, None)

    def _load(
        self,
        file: ReassembleFile,
        images: Iterator[NDArray[np.uint8]],
        stamps: Stamps,
        done: int,
        low: int,
        high: int,
    ) -> Loaded:
        """Decode up to `high`, after the `done` images before; those before `low` are passed."""
        messages = []
        for k in range(done, high):
            image = self._next(file, images, k)
            if k >= low and stamps.usable[k]:
                time = int(stamps.times[k])
                messages.append((time, self._message(image, time)))
        return loaded(self.topic.name, messages)

    def _message(self, image: NDArray[np.uint8], time: int) -> bytes:
        """Return a image as CompressedImage."""
        import cv2

        _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        types = typestore().types
        sec, nanosec = divmod(time, SECOND)
        stamp = types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
        header = types['std_msgs/msg/Header'](stamp=stamp, frame_id=self._camera.frame_id)
        return serialise(IMAGE, types[IMAGE](header=header, format='jpeg', data=data.ravel()))

    def _next(
        self, file: ReassembleFile, images: Iterator[NDArray[np.uint8]], number: int
    ) -> NDArray[np.uint8]:
        """Decode the next image."""
        reason = 'the film ends'
        try:
            image = next(images, None)
            if image is not None:
                return image
        except library('av').FFmpegError as error:
            reason = str(error)
        msg = (
            f'{file.path}: image {number} of {self._length} of {self._camera.dataset} cannot be '
            f'decoded: {reason}; leave {self.topic.name} out (null in the topic map)'
        )
        raise BagError(msg)


def _length(film: BinaryIO) -> int:
    """Return the number of images, from the index where it says so."""
    av = library('av')
    with _opened(film) as container:
        if not container.streams.video:
            msg = 'there is no image in it'
            raise av.InvalidDataError(1, msg)
        stream = container.streams.video[0]
        return int(stream.frames) or sum(bool(p.size) for p in container.demux(stream))


def _opened(film: BinaryIO) -> Any:  # noqa: ANN401 - a container of PyAV
    # Edit lists hide images, of which each has a stamp.
    return library('av').open(film, format='mp4', options={'ignore_editlist': '1'})


def _images(film: BinaryIO) -> Generator[NDArray[np.uint8]]:
    """Decode a film from its beginning; yields images (height, width, 3), BGR."""
    # One for all: what converts a image by itself sets up the conversion anew.
    converter = library('av.video.reformatter').VideoReformatter()
    with _opened(film) as container:
        stream = container.streams.video[0]
        stream.thread_type = 'AUTO'
        stream.codec_context.options = {'max_pixels': str(_MOST_PIXELS)}
        for frame in container.decode(stream):
            yield converter.reformat(frame, format='bgr24').to_ndarray()
