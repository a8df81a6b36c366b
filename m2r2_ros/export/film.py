# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of a camera as an MP4 film with frames at even times, which every player can seek in."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.recording import Recording
from m2r2_ros.bags.source import Span
from m2r2_ros.core.errors import BagError, ConfigError, MessageError
from m2r2_ros.core.extras import needed
from m2r2_ros.core.files import atomic_write
from m2r2_ros.core.reading import reading
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.cdr import Unusable
from m2r2_ros.readers.image import parse_compressed, parse_raw

_RAW: Final = 'sensor_msgs/msg/Image'
_COMPRESSED: Final = 'sensor_msgs/msg/CompressedImage'
#: How far log times and stamps of a camera may be apart, nanoseconds.
_SLACK: Final = 2 * SECOND
#: Frames of a film at most: days at a camera's rate.
_MOST_FRAMES: Final = 1 << 24
#: Of H.264, 0 to 51: what is lost is hardly seen.
_QUALITY: Final = '23'


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """A film to be made.

    Attributes:
        camera: Topic of the images.
        start: Time of its first frame, on the clock of stamps, nanoseconds.
        end: Where it ends.
        rate: Frames per second.
        comment: Is kept in the file.
    """

    camera: str
    start: int
    end: int
    rate: float
    comment: str = ''

    @property
    def frames(self) -> int:
        """How many frames it has, at least one."""
        return max(int(-(-(self.end - self.start) * self.rate // SECOND)), 1)

    def time_of(self, frame: int) -> int:
        """Return the time of a frame, nanoseconds."""
        return self.start + round(frame * SECOND / self.rate)


def cameras_of(recording: Recording) -> list[str]:
    """Return the topics of a recording that have images."""
    return sorted(
        topic.name
        for topic in recording.topics.values()
        if topic.type_name in (_RAW, _COMPRESSED) and topic.count
    )


def expect_camera(recording: Recording, camera: str) -> None:
    """Refuse a topic that has no images.

    Raises:
        ConfigError: It has none.
    """
    if camera not in (there := cameras_of(recording)):
        msg = f'{recording.path}: no images on {camera}; {listed(there) or "no topic"} has some'
        raise ConfigError(msg)


def expect_av() -> None:
    """Refuse to go on where films cannot be made.

    Raises:
        ConfigError: The extra `lerobot` is missing.
    """
    needed('av', 'lerobot')


def write_film(
    path: Path,
    recording: Recording,
    plan: FilmPlan,
    told: Callable[[float], None] = lambda share: None,
) -> None:
    """Write an MP4 whose frame k shows the newest image at plan.time_of(k).

    Before the first image there is the first one. Images that cannot be decoded are passed over.

    Args:
        path: File to write.
        recording: With the images; they are read within the time of the film alone.
        plan: What the film is of.
        told: Called with the share that is done, 0..1.

    Raises:
        ConfigError: The topic has no images, or the extra `lerobot` is missing.
        BagError: There is no image within the time, or the recording cannot be read.
        OutputError: The file cannot be written.
    """
    expect_av()
    expect_camera(recording, plan.camera)
    if plan.frames > _MOST_FRAMES:
        msg = (
            f'{recording.path}: {plan.frames} frames at {plan.rate:g} per second, at most '
            f'{_MOST_FRAMES} are written: take a lower rate'
        )
        raise BagError(msg)
    with atomic_write(path) as draft, _Encoder(draft, plan) as film:
        shown = None
        refused: Counter[str] = Counter()
        for stamp, image in _images(recording, plan, refused):
            film.fill(stamp, shown or image)
            shown = image
            told(film.frame / plan.frames)
            if film.frame == plan.frames:
                break
        if shown is not None:
            film.fill(None, shown)
        if film.frame < plan.frames:
            seconds = (plan.end - plan.start) / SECOND
            why = ''.join(f', but {n} {reason}' for reason, n in refused.items())
            msg = f'{recording.path}: no image of {plan.camera} within {seconds:.3f} s{why}'
            raise BagError(msg)


def _images(
    recording: Recording, plan: FilmPlan, refused: Counter[str]
) -> Iterator[tuple[int, EncodedImage]]:
    """Yield stamp and image from just before the film on, in order; count those that are none."""
    offset = recording.start - clock_of(recording).start
    span = Span(plan.start + offset - _SLACK, plan.end + offset + _SLACK)
    parse = parse_raw if recording.topics[plan.camera].type_name == _RAW else parse_compressed
    newest = None
    for blocks in recording.blocks([plan.camera], span):
        for block in blocks:
            for k, log_time in enumerate(block.log_times.tolist()):
                try:
                    stamp, image = parse(block.message(k))
                except Unusable as unusable:
                    refused[unusable.reason] += 1
                    continue
                stamp = stamp or log_time - offset
                if newest is not None and stamp <= newest:
                    continue
                newest = stamp
                yield stamp, image


class _Encoder:
    """A film that is being written.

    Attributes:
        frame: The frame that comes next.
    """

    def __init__(self, path: Path, plan: FilmPlan) -> None:
        import av

        self.frame = 0
        self._plan = plan
        self._container = av.open(str(path), 'w', format='mp4', options={'movflags': 'faststart'})
        if plan.comment:
            self._container.metadata['comment'] = plan.comment
        self._rate = Fraction(plan.rate).limit_denominator(1001)
        self._stream: Any = None
        self._tried: EncodedImage | None = None
        self._picture: Any = None

    def __enter__(self) -> '_Encoder':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and self._stream is not None:
            self._container.mux(self._stream.encode())
        self._container.close()

    def fill(self, until: int | None, image: EncodedImage) -> None:
        """Show an image in all frames before a time, None for all that are left.

        Where it cannot be decoded, the one before stays; without any, frames wait for the next.
        """
        while self.frame < self._plan.frames:
            if until is not None and self._plan.time_of(self.frame) >= until:
                return
            if image is not self._tried:
                self._tried = image
                with suppress(MessageError):
                    self._picture = self._converted(np.ascontiguousarray(image.decode()))
            if self._picture is None:
                return
            self._picture.pts, self._picture.time_base = self.frame, 1 / self._rate
            self._container.mux(self._stream.encode(self._picture))
            self.frame += 1

    def _converted(self, pixels: NDArray[np.uint8]) -> Any:  # noqa: ANN401 - a frame of PyAV
        """Return pixels, uint8 (height, width, 3), RGB, as the film has them; the first say how."""
        import cv2

        from m2r2_ros.export.video_frame import PIXELS, video_frame

        if self._stream is None:
            height, width = (max(side - side % 2, 2) for side in pixels.shape[:2])
            options = {'crf': _QUALITY, 'preset': 'veryfast', 'g': str(max(round(self._rate), 1))}
            self._stream = self._container.add_stream('libx264', rate=self._rate, options=options)
            self._stream.width, self._stream.height = width, height
            self._stream.pix_fmt = PIXELS
        with reading('an image', 'pixels that a film can hold', MessageError):
            size = self._stream.width, self._stream.height
            return video_frame(np.asarray(cv2.resize(pixels, size), np.uint8))
