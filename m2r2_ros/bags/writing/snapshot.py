# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The newest messages, kept in memory until they are wanted in a bag."""

from collections import deque
from typing import Final

from m2r2_ros.core.time import to_ns

#: Log time in nanoseconds, topic, CDR bytes.
Entry = tuple[int, str, bytes]

#: Bytes that a message takes in addition to its own.
_OVERHEAD: Final = 200
#: Messages of each latched topic that outlive their time.
_LATCHED: Final = 20


class Snapshot:
    """Messages of the last seconds, within a bound of memory.

    Messages of latched topics are published once and stay valid: the newest of each topic are
    kept, apart from the bounds.
    """

    def __init__(self, seconds: float, max_bytes: int) -> None:
        """Begin empty.

        Args:
            seconds: Longest time to look back.
            max_bytes: Memory that messages may take.
        """
        self._span, self._max_bytes = to_ns(seconds), max_bytes
        self._ring: deque[Entry] = deque()
        self._latched: dict[str, deque[bytes]] = {}
        self._bytes = 0

    @property
    def seconds(self) -> float:
        """How far it looks back at present."""
        return (self._ring[-1][0] - self._ring[0][0]) * 1e-9 if self._ring else 0.0

    @property
    def size(self) -> int:
        """Bytes of memory taken."""
        return self._bytes

    def add(self, entry: Entry, *, latched: bool = False) -> None:
        """Append a message, and drop those that are too old or too many."""
        if latched:
            self._latched.setdefault(entry[1], deque(maxlen=_LATCHED))
        self._ring.append(entry)
        self._bytes += _memory(entry)
        # A clock that jumped back makes what came before it too old as well.
        while abs(entry[0] - self._ring[0][0]) > self._span or self._bytes > self._max_bytes:
            _, topic, raw = oldest = self._ring.popleft()
            self._bytes -= _memory(oldest)
            if topic in self._latched:
                self._latched[topic].append(raw)
            if not self._ring:
                return

    def entries(self) -> list[Entry]:
        """Return all messages in order; latched ones from before as of the beginning."""
        return self._before(self._ring[0][0] if self._ring else 0) + list(self._ring)

    def latched(self, log_time: int) -> list[Entry]:
        """Return the messages of latched topics, as of a log time."""
        inside = [(log_time, topic, raw) for _, topic, raw in self._ring if topic in self._latched]
        return self._before(log_time) + inside

    def _before(self, log_time: int) -> list[Entry]:
        return [(log_time, topic, raw) for topic, raws in self._latched.items() for raw in raws]


def _memory(entry: Entry) -> int:
    return len(entry[2]) + _OVERHEAD
