# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of a camera as mp4: a file of each episode first, and these put into larger ones."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, MessageError, OutputError
from m2r2_ros.core.files import cannot_write
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.export.frames.images import SizeError
from m2r2_ros.export.lerobot.stats import ImageStats
from m2r2_ros.export.video_frame import PIXELS, video_frame

#: Frames from one that stands for itself to the next: any frame is decoded from two at most.
_KEYFRAMES: Final = 2


class Codec(str, Enum):
    """How videos are compressed."""

    H264 = 'h264'
    AV1 = 'av1'
    HEVC = 'hevc'


#: Encoder of each, and its options.
_ENCODERS: Final[dict[Codec, tuple[str, dict[str, str]]]] = {
    Codec.H264: ('libx264', {'crf': '23', 'preset': 'veryfast', 'bf': '0'}),
    Codec.AV1: ('libsvtav1', {'crf': '30', 'preset': '12'}),
    Codec.HEVC: (
        'libx265',
        {'crf': '26', 'preset': 'ultrafast', 'x265-params': 'bframes=0:log-level=error'},
    ),
}


def expect_encoder(codec: Codec) -> None:
    """Refuse a codec that cannot be written here.

    Raises:
        ConfigError: There is no encoder of it.
    """
    name = _ENCODERS[codec][0]
    if name not in av.codecs_available:
        there = [c.value for c, (encoder, _) in _ENCODERS.items() if encoder in av.codecs_available]
        msg = f'--codec {codec.value}: {name} is not in PyAV here; it has {", ".join(there)}'
        raise ConfigError(msg)


class EpisodeVideo:
    """The images of one camera in one episode, written as they come.

    Attributes:
        size: Height and width of the video, both even; (0, 0) before the first image.
        frames: Images that were written.
        damaged: Those among them that could not be decoded and have the pixels of the one before.
        stats: Of the images that were looked at.
    """

    def __init__(self, path: Path, codec: Codec, fps: int, threads: int) -> None:
        """Begin a file.

        Args:
            path: The file.
            codec: How it is compressed.
            fps: Frames per second.
            threads: Of the encoder.
        """
        self.size = (0, 0)
        self.frames = self.damaged = 0
        self.stats = ImageStats()
        self._path, self._codec, self._fps, self._threads = path, codec, fps, threads
        self._file: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._last: EncodedImage | None = None
        self._pixels: NDArray[np.uint8] = np.empty((0, 0, 3), np.uint8)

    def add(self, images: Sequence[EncodedImage]) -> None:
        """Write images.

        Raises:
            MessageError: The first cannot be decoded, or one is of another size.
            OutputError: The disk refuses.
        """
        for image in images:
            if image is not self._last:
                self._decode(image)
                self._last = image
            # Several a second: neighbours are alike.
            if self.frames % max(self._fps // 4, 1) == 0:
                self.stats.add(self._pixels)
            self._write(video_frame(self._pixels))
            self.frames += 1

    def close(self) -> None:
        """Finish the file.

        Raises:
            OutputError: The disk refuses.
        """
        if self._file is not None:
            self._write(None)
            with _disk(self._path):
                self._file.close()
            self._file = None

    def abandon(self) -> None:
        """Close the file, whatever is in it."""
        if self._file is not None:
            with suppress(av.FFmpegError, OSError):
                self._file.close()
            self._file = None

    def _decode(self, image: EncodedImage) -> None:
        try:
            pixels = image.decode()
        except MessageError:
            if self._last is None:
                raise
            self.damaged += 1
            return
        height, width = (side - side % 2 for side in pixels.shape[:2])
        if not self.frames:
            self._begin(height, width)
        elif (height, width) != self.size:
            raise SizeError(self.size, (height, width))
        # Colours are stored for two by two pixels.
        self._pixels = np.ascontiguousarray(pixels[:height, :width])

    def _begin(self, height: int, width: int) -> None:
        if not height or not width:
            msg = f'images of {width} by {height} pixels cannot be a video'
            raise MessageError(msg)
        name, options = _ENCODERS[self._codec]
        with _disk(self._path):
            self._file = av.open(str(self._path), 'w', format='mp4')
            stream = self._file.add_stream(
                name, rate=self._fps, options={**options, 'g': str(_KEYFRAMES)}
            )
        assert isinstance(stream, VideoStream)
        stream.height, stream.width, stream.pix_fmt = height, width, PIXELS
        stream.codec_context.thread_count = self._threads
        self._stream, self.size = stream, (height, width)

    def _write(self, frame: av.VideoFrame | None) -> None:
        assert self._stream is not None
        assert self._file is not None
        with _disk(self._path):
            self._file.mux(self._stream.encode(frame))


@dataclass(frozen=True, slots=True)
class VideoPlace:
    """Where the video of an episode is.

    Attributes:
        chunk: Number of the folder.
        file: Number of the file in it.
        start: Seconds of that file at which it begins.
        end: Seconds at which it ends.
    """

    chunk: int
    file: int
    start: float
    end: float


class VideoFiles:
    """The files of one camera, each with the videos of several episodes."""

    def __init__(self, folder: Path, fps: int, most_bytes: int, files_of_chunk: int) -> None:
        """Begin without files.

        Args:
            folder: Where they go.
            fps: Frames per second.
            most_bytes: A file that has so many takes no further episode.
            files_of_chunk: Files in a folder.
        """
        self._folder, self._fps = folder, fps
        self._most, self._of_chunk = most_bytes, files_of_chunk
        self._number = -1
        self._frames = self._bytes = 0
        self._file: OutputContainer | None = None
        self._stream: VideoStream | None = None

    def append(self, video: Path, frames: int) -> VideoPlace:
        """Put the video of an episode behind the others; its pictures are not touched.

        Args:
            video: As EpisodeVideo wrote it.
            frames: How many it has.

        Raises:
            OutputError: The disk refuses.
        """
        with _disk(video), av.open(str(video)) as source:
            if self._file is None or self._bytes + video.stat().st_size > self._most:
                self._next(source)
            assert self._file is not None
            assert self._stream is not None
            count = 0
            for packet in source.demux(source.streams.video[0]):
                if packet.pts is None or packet.time_base is None:
                    continue  # the end
                place = round(packet.pts * packet.time_base * self._fps)
                packet.stream = self._stream
                packet.time_base = Fraction(1, self._fps)
                packet.pts = packet.dts = self._frames + place
                packet.duration = 1
                self._bytes += packet.size
                self._file.mux(packet)
                count += 1
        if count != frames:
            msg = f'{video}: {count} frames were encoded of {frames}; choose another --codec'
            raise OutputError(msg)
        start, self._frames = self._frames, self._frames + frames
        chunk, file = divmod(self._number, self._of_chunk)
        return VideoPlace(chunk, file, start / self._fps, self._frames / self._fps)

    def close(self) -> None:
        """Finish the last file.

        Raises:
            OutputError: The disk refuses.
        """
        if self._file is not None:
            with _disk(self._folder):
                self._file.close()
            self._file = None

    def _next(self, source: InputContainer) -> None:
        self.close()
        self._number += 1
        self._frames = self._bytes = 0
        chunk, file = divmod(self._number, self._of_chunk)
        path = self._folder / f'chunk-{chunk:03d}' / f'file-{file:03d}.mp4'
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = av.open(str(path), 'w', format='mp4')
        self._stream = self._file.add_stream_from_template(source.streams.video[0], opaque=True)
        self._stream.time_base = Fraction(1, self._fps)


def threads_for(cameras: int) -> int:
    """Return how many threads the encoder of each camera has."""
    return max(1, len(os.sched_getaffinity(0)) // max(cameras, 1))


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Turn what PyAV raises into an error that names the file.

    Raises:
        OutputError: The block raised it.
    """
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise cannot_write(path, error) from error
