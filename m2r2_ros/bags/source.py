# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every storage format gives to a recording."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a recording.

    Attributes:
        name: Topic name.
        type_name: Such as 'sensor_msgs/msg/Image'.
        definition: Full ros2msg text; '' for unknown types.
        count: Messages.
        qos: Offered QoS profiles, YAML text as the recorder wrote it; '' unknown.
        type_hash: RIHS01 hash as recorded; '' unknown.
    """

    name: str
    type_name: str
    definition: str
    count: int
    qos: str = ''
    type_hash: str = ''


@dataclass(frozen=True, slots=True)
class MessageRun:
    """Messages of one topic in one buffer.

    Attributes:
        topic: Topic name.
        offsets: int64 (n,), where each message's CDR bytes start in the buffer.
        lengths: int64 (n,), bytes of each message.
        log_times: int64 (n,), nanoseconds.
    """

    topic: str
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    log_times: NDArray[np.int64]

    def __getitem__(self, which: NDArray[np.bool_]) -> 'MessageRun':
        return MessageRun(
            self.topic, self.offsets[which], self.lengths[which], self.log_times[which]
        )

    def moved(self, by: int | NDArray[np.int64]) -> 'MessageRun':
        """Return the same messages `by` bytes further on in a buffer."""
        return MessageRun(self.topic, self.offsets + by, self.lengths, self.log_times)


#: A buffer, uint8 (bytes,), and the messages in it; position in the buffer is file order.
Loaded = tuple[NDArray[np.uint8], list[MessageRun]]


@dataclass(frozen=True, slots=True)
class FilePart:
    """A range of a file, not read yet.

    Attributes:
        start: No message of it has an earlier log time, nanoseconds.
        order: Rank among the parts of the file, where they lie in it.
        load: Reads it. Raises BagError where it is corrupt.
        again: It can be loaded more than once, and after parts that come later.
    """

    start: int
    order: int
    load: Callable[[], Loaded]
    again: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A range of log times.

    Attributes:
        since: The first, nanoseconds.
        until: What is not part of it any more, nanoseconds.
    """

    since: int = -(1 << 63)
    until: int = 1 << 63

    def of(self, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which times are in it, bool (n,)."""
        return (times >= self.since) & (times <= self.until - 1)


ALWAYS: Final = Span()


class Source(Protocol):
    """One file of a recording.

    Attributes:
        path: The file.
        topics: Topics by name.
        unreadable: Why topics cannot be read, by name: they are not CDR, or of two types.
        start: Log time of the first message, nanoseconds; 0 without messages.
        end: Log time of the last message, nanoseconds.
        message_count: Messages of all topics.
        truncated: The file is truncated.
        notes: What else there is to say about it.
    """

    path: Path
    topics: dict[str, Topic]
    unreadable: dict[str, str]
    start: int
    end: int
    message_count: int
    truncated: bool
    notes: tuple[str, ...]

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield what holds messages of `topics` in a range of time, in order of start.

        Each part has to be loaded before the next is asked for. There may be other messages in it,
        from before and after the range.
        """
        ...  # pragma: no cover
