# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every stream of an episode gives to its source, and messages that all of them make."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, MessageRun, Span, Topic
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.definitions import message_definition, store_for, type_hash

IMAGE: Final = 'sensor_msgs/msg/CompressedImage'
TEXT: Final = 'std_msgs/msg/String'
#: Steps of an episode: more than a day at 60 Hz.
MOST_STEPS: Final = 1 << 23
#: Bytes of an image as it is stored.
MOST_IMAGE: Final = 1 << 26


class StepStream(Protocol):
    """Topics made of an episode.

    Attributes:
        path: The file that they come from.
        topics: The topics, with their counts.
        start: Log time of the first message, nanoseconds; 0 without messages.
        end: Log time of the last message, nanoseconds.
        notes: What was left out or corrected, and why.
    """

    path: Path
    topics: tuple[Topic, ...]
    start: int
    end: int
    notes: tuple[str, ...]

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield the parts of some of the topics in order of start, each loaded before the next."""
        ...  # pragma: no cover


def step_topic(name: str, type_name: str, count: int, qos: str = '') -> Topic:
    """Return a topic of a type that is known here."""
    return Topic(name, type_name, message_definition(type_name), count, qos, type_hash(type_name))


def rows_within(stamps: NDArray[np.int64], span: Span) -> tuple[int, int]:
    """Return the first step within a span, and the step after the last.

    Args:
        stamps: int64 (n,), nanoseconds, in order.
        span: The range of times.
    """
    kept = np.flatnonzero(span.of(stamps))
    return (int(kept[0]), int(kept[-1]) + 1) if len(kept) else (0, 0)


def loaded_run(topic: str, messages: Sequence[tuple[int, bytes]]) -> Loaded:
    """Return messages of one topic, log time and CDR, as a part of a file does."""
    lengths = np.fromiter((len(raw) for _, raw in messages), np.int64, len(messages))
    times = np.fromiter((time for time, _ in messages), np.int64, len(messages))
    data = np.frombuffer(b''.join(raw for _, raw in messages), np.uint8)
    return data, [MessageRun(topic, np.cumsum(lengths) - lengths, lengths, times)]


def image_message(data: bytes | NDArray[np.uint8], kind: str, frame_id: str, time: int) -> bytes:
    """Return an image as CompressedImage.

    Args:
        data: The image as it is stored.
        kind: 'jpeg' or 'png'.
        frame_id: Of the camera.
        time: Stamp, nanoseconds.
    """
    store = store_for(IMAGE)
    types = store.types
    sec, nanosec = divmod(time, SECOND)
    stamp = types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
    header = types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)
    held = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    return bytes(store.serialize_cdr(types[IMAGE](header=header, format=kind, data=held), IMAGE))


def image_kind(data: bytes) -> str:
    """Return what an image begins like: 'jpeg', 'png' or '' for neither."""
    if data.startswith(b'\xff\xd8\xff'):
        return 'jpeg'
    return 'png' if data.startswith(b'\x89PNG\r\n\x1a\n') else ''


def text_message(text: str) -> bytes:
    """Return a text as String."""
    store = store_for(TEXT)
    return bytes(store.serialize_cdr(store.types[TEXT](data=text), TEXT))
