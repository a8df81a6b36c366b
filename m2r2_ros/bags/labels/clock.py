# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a recording was made, on the clock of its stamps, which labels count by."""

from dataclasses import dataclass
from datetime import datetime, timezone
from statistics import median_low
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import LabelError, M2R2Error
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.definitions import store_for
from m2r2_ros.readers.stamps import header_stamps

#: Times before it, in September 2001, are no clock's that was set: a simulation's, or from a start.
SET_CLOCK: Final = SECOND * SECOND
_HEADER: Final = 'std_msgs/msg/Header'
_IMAGES: Final = ('sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/Image')


@dataclass(frozen=True, slots=True)
class RecordingClock:
    """The time that a recording took.

    Attributes:
        start: When it began, on the clock of its stamps, nanoseconds.
        end: When it ended.
        recording: The recording, for the stamps of its frames; None where only labels are there.
        rate: Frames per second, where frames are numbered from the start; 0 takes their stamps.
    """

    start: int
    end: int
    recording: Recording | None = None
    rate: float = 0.0

    def frame_times(self, frames: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the stamps of frames by their numbers, from 0, nanoseconds.

        Raises:
            LabelError: There are not so many frames, or it is not known which ones are meant.
        """
        if self.rate:
            steps: NDArray[np.int64] = np.round(frames * (SECOND / self.rate)).astype(np.int64)
            return self.start + steps
        stamps = self._camera_stamps()
        if len(frames) and not 0 <= frames.min() <= frames.max() < len(stamps):
            worst = int(frames.max() if frames.min() >= 0 else frames.min())
            msg = (
                f'frame {worst}, expected 0 to {len(stamps) - 2}, the frames of the camera, or '
                f'{len(stamps) - 1} for the end of the last: give --truth-rate if the labels are '
                'of other frames'
            )
            raise LabelError(msg)
        return stamps[frames]

    def _camera_stamps(self) -> NDArray[np.int64]:
        """Return the stamps of the camera's frames and, one step on, where the last one ends."""
        topics = self.recording.topics.values() if self.recording else ()
        cameras = sorted(t.name for t in topics if t.type_name in _IMAGES and t.count)
        if self.recording is None or len(cameras) != 1:
            there = f'{len(cameras)} topics of images ({", ".join(cameras)})' if cameras else 'none'
            msg = (
                'labels by frame number need the frames: expected a recording with one topic of '
                f'images, found {there}; give their rate with --truth-rate'
            )
            raise LabelError(msg)
        blocks = self.recording.blocks(cameras)
        stamps = np.concatenate([header_stamps(b) for found in blocks for b in found])
        step = int(np.median(np.diff(stamps))) if len(stamps) > 1 else 0
        return np.append(stamps, stamps[-1] + step)

    def __str__(self) -> str:
        """Return from when to when, as seconds and as UTC."""
        return shown_range(self.start, self.end, self.start)


def clock_of(recording: Recording, rate: float = 0.0) -> RecordingClock:
    """Return when a recording was made.

    Log times are the recorder's, stamps the robot's or the simulation's: where the first messages
    have them a second or more apart, log times are moved by so much.
    """
    offset = _log_offset(recording)
    return RecordingClock(recording.start - offset, recording.end - offset, recording, rate)


def is_stamped(recording: Recording, topic: str) -> bool:
    """Return whether the messages of a topic begin with a header."""
    found = recording.topics[topic]
    try:
        store = store_for(found.type_name, found.definition)
    except M2R2Error:
        return False
    fields = store.fielddefs[found.type_name][1]
    return bool(fields) and fields[0][1][1] == _HEADER


def shown_range(start: int, end: int, origin: int) -> str:
    """Return a range of time as errors show it: seconds from an origin, and UTC."""
    seconds = [f'{(t - origin) / SECOND:.3f} s' for t in (start, end)]
    return f'{seconds[0]} to {seconds[1]} ({_utc(start)} to {_utc(end)})'


def _log_offset(recording: Recording) -> int:
    """Return log time less stamp of the first messages, 0 where it is under a second."""
    stamped = [t for t in recording.readable if is_stamped(recording, t)]
    first = next(recording.blocks(stamped), []) if stamped else []
    found = [
        (int(block.arrival[0]), int(block.log_times[0] - stamp))
        for block in first
        if len(block) and (stamp := int(header_stamps(block)[0])) > 0
    ]
    if not found:
        return 0
    usual = median_low(offset for _, offset in found)  # a map, say, was stamped long before
    _, offset = min(f for f in found if abs(f[1] - usual) < SECOND)
    return offset if abs(offset) >= SECOND else 0


def _utc(time: int) -> str:
    try:
        return datetime.fromtimestamp(time / SECOND, timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
    except (OverflowError, OSError, ValueError):
        return f'{time} ns'
