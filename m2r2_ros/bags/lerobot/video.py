# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Films of LeRobot datasets, whose images become JPEG one by one as they are read."""

from collections.abc import Collection, Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.lerobot.dataset import Film
from m2r2_ros.bags.lerobot.info import LeRobotFeature
from m2r2_ros.bags.lerobot.rows import EpisodeRows
from m2r2_ros.bags.lerobot.tables import library
from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, Span, Topic
from m2r2_ros.bags.steps.names import TopicNames, part_of_topic
from m2r2_ros.bags.steps.stream import IMAGE, image_message, loaded_run, rows_within, step_topic
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import check_file, reading

#: Of JPEG, 0 to 100: differences to the film that the eye does not see.
_QUALITY: Final = 95
#: Of an image: 4K, of which a film may ask to keep sixteen.
_MOST_PIXELS: Final = 4096 * 2304
#: Images of a part: half a second.
_IMAGES: Final = 16
#: Steps from one image to the next from which on a film has another rate than the dataset.
_UNEVEN: Final = 1.1
_EXPECTED: Final = 'an MP4 film of a LeRobot dataset: download it again'

_Image = NDArray[np.uint8]


class FilmStream:
    """A feature of images that lie in a film; see StepStream."""

    def __init__(
        self,
        film: Film,
        feature: LeRobotFeature,
        rows: EpisodeRows,
        names: TopicNames,
        rate: float,
    ) -> None:
        """Look at the film's index; no image is decoded.

        Args:
            film: Where the images lie.
            feature: Of which.
            rows: Those of the episode.
            names: Gives topics their names.
            rate: Images per second of the film.

        Raises:
            BagError: It cannot be read.
            ConfigError: PyAV is not installed.
        """
        self.path, self._film, self._feature, self._rate = film.path, film, feature, rate
        left, apart = _steps_left(film, rate)
        count = min(left, rows.count)
        self._apart = apart
        self._stamps = rows.stamps[:count]
        self._frame = part_of_topic(feature.name)
        self._topic = names.take(feature.name, 'compressed')
        self.topics: tuple[Topic, ...] = (step_topic(self._topic, IMAGE, count),)
        self.start = int(self._stamps[0]) if count else 0
        self.end = int(self._stamps[-1]) if count else 0
        self.notes = tuple(self._oddities(rows.count))

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield parts of consecutive images, decoded from the one before the span on."""
        first, last = rows_within(self._stamps, span)
        if first == last:
            return
        with closing(_images(self._film, self._rate, first)) as images:
            held = _Ahead(images, first)
            for low in range(first, last, _IMAGES):
                high = min(low + _IMAGES, last)
                yield FilePart(int(self._stamps[low]), 0, partial(self._load, held, low, high))

    def _oddities(self, steps: int) -> Iterator[str]:
        if self._apart > 1:
            found, said = self._rate / self._apart, self._rate
            yield f'{self.path}: has {found:.4g} images a second, the dataset {said:.4g} steps'
        if (count := len(self._stamps)) < steps:
            lacking = f'the last {steps - count} have none'
            yield f'{self.path}: {count} images for {steps} steps: {lacking}'

    def _load(self, held: '_Ahead', low: int, high: int) -> Loaded:
        """Decode the images of some steps; a film may have left some out."""
        with reading(f'{self.path}: image {low} or after', _EXPECTED, BagError):
            images = [image for image in held.until(high) if image[0] >= low]
        if held.ended and held.last + self._apart < high:
            msg = (
                f'{self.path}: ends before image {high - 1} of {len(self._stamps)}; download it '
                f'again, or leave {self._topic} out (null in the topic map)'
            )
            raise BagError(msg)
        messages = []
        for row, image in images:
            time = int(self._stamps[row])
            messages.append((time, image_message(_jpeg(image), 'jpeg', self._frame, time)))
        return loaded_run(self._topic, messages)


class _Ahead:
    """Images as they come, of which one is held back.

    Attributes:
        last: The step of the last one that was returned, or the one before the first.
        ended: There are no more.
    """

    def __init__(self, images: Iterator[tuple[int, _Image]], first: int) -> None:
        self._images = images
        self._next: tuple[int, _Image] | None = None
        self.last = first - 1
        self.ended = False

    def until(self, high: int) -> list[tuple[int, _Image]]:
        """Return the images of steps before `high`, with the numbers of their steps."""
        found = []
        while not self.ended:
            if self._next is None:
                self._next = next(self._images, None)
            if self._next is None:
                self.ended = True
            elif self._next[0] >= high:
                break
            else:
                found.append(self._next)
                self.last = self._next[0]
                self._next = None
        return found


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open a film; yields its container and its images."""
    av = library('av')
    check_file(path, _EXPECTED, BagError)
    # Libav would take some paths for addresses.
    with path.open('rb') as file:
        with reading(path, _EXPECTED, BagError):
            container = av.open(file, format='mp4')
        with container:
            if not container.streams.video:
                msg = f'{path}: there is no image in it; expected {_EXPECTED}'
                raise BagError(msg)
            yield container, container.streams.video[0]


def _steps_left(film: Film, rate: float) -> tuple[int, float]:
    """Return the steps to the end of the film, and those from one of its images to the next.

    The latter is 1, or more where the film has fewer images a second than the dataset has steps.
    """
    with _opened(film.path) as (container, stream), reading(film.path, _EXPECTED, BagError):
        count = int(stream.frames) or sum(bool(p.size) for p in container.demux(stream))
        own = float(stream.average_rate or rate)
    apart = rate / own if own > 0 else 1.0
    if apart < _UNEVEN:
        apart = 1.0
    return max(round(count * apart) - round(film.since * rate), 0), apart


def _images(film: Film, rate: float, first: int) -> Generator[tuple[int, _Image]]:
    """Yield the numbers of steps and their images (height, width, 3), BGR.

    Args:
        film: Where they lie.
        rate: Images per second.
        first: The first step that is wanted; there may be some before it.
    """
    # One for all: what converts an image by itself sets up the conversion anew.
    converter = library('av.video.reformatter').VideoReformatter()
    with _opened(film.path) as (container, stream):
        stream.thread_type = 'AUTO'
        stream.codec_context.options = {'max_pixels': str(_MOST_PIXELS)}
        unit = float(stream.time_base)
        begin = (stream.start_time or 0) * unit
        target = begin + film.since + (first - 0.5) / rate
        if target > begin:
            container.seek(int(target / unit), stream=stream, backward=True)
        last = first - 1
        for frame in container.decode(stream):
            if frame.pts is None:
                continue
            row = round((frame.pts * unit - begin - film.since) * rate)
            if row > last:
                last = row
                yield row, converter.reformat(frame, format='bgr24').to_ndarray()


def _jpeg(image: _Image) -> _Image:
    import cv2

    _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return np.asarray(data, np.uint8).ravel()
