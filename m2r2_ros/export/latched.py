# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages from before that still hold: of latched topics, and of those that are used like them."""

from collections import deque
from collections.abc import Collection, Iterator
from typing import Final

from m2r2_ros.bags.recording import Recording
from m2r2_ros.bags.source import Span, Topic
from m2r2_ros.bags.writing.metadata import qos_profiles
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import in_order
from m2r2_ros.core.time import SECOND

_STATIC: Final = '/tf_static'
#: How names of topics end that hold until the next message, whatever QoS was recorded.
_NAMED: Final = ('/robot_description', '/label_set')
#: Those that are repeated all the time; how long is looked back for one, nanoseconds.
_REPEATED: Final = '/camera_info'
_BACK: Final = 2 * SECOND
#: Messages that several publishers of a topic hold at most.
_MOST: Final = 100


class LatchedMessages:
    """What holds at one time after another, each later than the one before."""

    def __init__(self, recording: Recording, topics: Collection[str]) -> None:
        """Read nothing yet.

        Args:
            recording: The recording.
            topics: Those that are wanted.
        """
        self._recording = recording
        found = {name: recording.topics[name] for name in topics}
        self._repeated = [name for name in found if name.endswith(_REPEATED)]
        self._kept: dict[str, deque[bytes]] = {
            name: deque(maxlen=kept)
            for name, topic in found.items()
            if name not in self._repeated and (kept := _kept(topic))
        }
        self._messages = self._read()
        self._next = next(self._messages, None)

    def at(self, log_time: int) -> Iterator[tuple[str, bytes]]:
        """Yield topic and bytes of the messages that hold at a log time, from before it.

        Raises:
            BagError: The recording cannot be read.
        """
        while self._next is not None and self._next[0] < log_time:
            _, topic, raw = self._next
            self._kept[topic].append(raw)
            self._next = next(self._messages, None)
        for topic, raws in self._kept.items():
            yield from ((topic, raw) for raw in raws)
        newest: dict[str, bytes] = {}
        if self._repeated:
            span = Span(log_time - _BACK, log_time)
            for blocks in self._recording.blocks(self._repeated, span):
                newest |= {block.topic: block.message(len(block) - 1).tobytes() for block in blocks}
        yield from newest.items()

    def _read(self) -> Iterator[tuple[int, str, bytes]]:
        if self._kept:
            for blocks in self._recording.blocks(self._kept):
                for log_time, topic, raw in in_order(blocks):
                    yield log_time, topic, raw.tobytes()


def _kept(topic: Topic) -> int:
    """Return how many messages of a topic hold at one time; 0 of one that is not latched."""
    if topic.name == _STATIC or topic.name.endswith(f'{_STATIC}'):
        return _MOST
    try:
        profiles = qos_profiles(topic.qos) if topic.qos else []
    except BagError:
        profiles = []
    latched = [p for p in profiles if p.get('durability') == 'transient_local']
    depths = (p.get('depth') for p in latched)
    kept = sum(depth if isinstance(depth, int) and depth > 0 else 1 for depth in depths)
    return min(kept, _MOST) or int(topic.name.endswith(_NAMED))
