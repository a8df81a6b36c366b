# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every stream of a REASSEMBLE file gives to its source."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from m2r2_ros.bags.reassemble.file import ReassembleFile
from m2r2_ros.bags.reassemble.layout import SOUND
from m2r2_ros.bags.source import FilePart, Loaded, MessageRun, Topic
from m2r2_ros.readers.definitions import store_for, type_hash

#: ros2msg text of foxglove_msgs/RawAudio, which ROS 2 Jazzy does not bring along.
_SOUND_DEFINITION = """\
builtin_interfaces/Time timestamp
uint8[] data
string format
uint32 sample_rate
uint32 number_of_channels
================================================================================
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
"""


class TopicStream(Protocol):
    """A topic made of a file.

    Attributes:
        topic: The topic.
        start: Log time of its first message, nanoseconds; 0 where it has none.
        end: Log time of its last message, nanoseconds.
        notes: What was left out or corrected, and why.
        broken: Why it cannot be read; '' where it can.
    """

    topic: Topic
    start: int
    end: int
    notes: tuple[str, ...]
    broken: str

    def parts(self, file: ReassembleFile) -> Iterator[FilePart]:
        """Yield its parts in order of start, each to be loaded before the next."""
        ...  # pragma: no cover


def make_topic(name: str, type_name: str, count: int, qos: str = '') -> Topic:
    """Return a topic of one of the types that these files become."""
    text = _SOUND_DEFINITION if type_name == SOUND else ''
    store = store_for(type_name, text)
    definition = store.generate_msgdef(type_name, ros_version=2)[0]
    return Topic(name, type_name, definition, count, qos, type_hash(type_name, text))


def serialise(type_name: str, message: object) -> bytes:
    """Return a message as CDR."""
    text = _SOUND_DEFINITION if type_name == SOUND else ''
    return bytes(store_for(type_name, text).serialize_cdr(message, type_name))


def sound_type(name: str) -> type:
    """Return the class of the messages that sound is written as."""
    kind: type = store_for(SOUND, _SOUND_DEFINITION).types[name]
    return kind


def loaded(topic: str, messages: Sequence[tuple[int, bytes]]) -> Loaded:
    """Return messages of one topic, log time and CDR, as a part does."""
    lengths = np.fromiter((len(raw) for _, raw in messages), np.int64, len(messages))
    times = np.fromiter((time for time, _ in messages), np.int64, len(messages))
    data = np.frombuffer(b''.join(raw for _, raw in messages), np.uint8)
    return data, [MessageRun(topic, np.cumsum(lengths) - lengths, lengths, times)]
