# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Raw messages of live topics as frame windows, the very ones that their recording gives."""

from collections import deque
from collections.abc import Collection, Container, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.modalities import Modalities
from m2r2_ros.core.samples import Samples, SoundSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.nodes.common.received import Received
from m2r2_ros.nodes.segmenter.health import StreamHealth
from m2r2_ros.readers.registry import Reader
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.driver import WindowDriver
from m2r2_ros.windows.config import WindowConfig

#: Pushes over which the delay of a stream is taken: one that was held up does not count.
_PUSHES: Final = 50


class LiveWindows:
    """Brings what is received to a driver; topics may come at any time.

    Attributes:
        driver: Makes the windows.
        health: Of what is read, by modality; replaced, never changed, so that another thread may
            read it.
    """

    def __init__(
        self,
        config: WindowConfig,
        modalities: Modalities | Collection[str],
        given: Container[str] = (),
    ) -> None:
        """Begin without topics; see WindowDriver."""
        self.driver = WindowDriver(config, modalities, given, self._note)
        self.health: Mapping[str, StreamHealth] = {}
        self._arrived = 0
        self._ends: dict[str, int] = {}
        self._delays: dict[str, deque[int]] = {}

    def follow(self, sources: Mapping[str, tuple[TopicSpec, Reader]]) -> None:
        """Read the topics that have appeared, by modality, from now on."""
        for modality, (spec, reader) in sources.items():
            if modality not in self.driver.topics:
                self.driver.add(spec, reader)
                old = self.health
                self.health = {m: old.get(m, StreamHealth()) for m in self.driver.modalities}

    def push(
        self, received: Mapping[str, Sequence[Received]], sim_time: int | None = None
    ) -> FrameWindows:
        """Take messages and return the windows that they complete.

        Args:
            received: By topic, each in the order in which they came.
            sim_time: Where the ROS clock is not the machine's, what it says, nanoseconds: messages
                without a stamp are of that time.
        """
        given = {topic: messages for topic, messages in received.items() if messages}
        times = [np.array([r.time for r in messages], np.int64) for messages in given.values()]
        ranks = _ranks(times, self._arrived)
        self._arrived += sum(map(len, ranks))
        windows = self.driver.push([
            _block(topic, messages, arrival, when if sim_time is None else sim_time)
            for (topic, messages), when, arrival in zip(given.items(), times, ranks, strict=True)
        ])  # fmt: skip
        self._note_delays({topic: messages[-1].time for topic, messages in given.items()})
        return windows

    def awaited(self) -> dict[str, int]:
        """Return when to expect what the next window waits for, by topic.

        As the machine's clock says when messages are received, nanoseconds; by the shortest delay
        of late, so that it is rather too early than too late. Empty before the first sample, and
        where no stream is alive.
        """
        assembler = self.driver.assembler
        tick, found = assembler.upcoming, dict[str, int]()
        if tick is None:
            return found
        for modality in assembler.awaited:
            if delays := self._delays.get(modality):
                topic = self.driver.topics[modality].topic
                found[topic] = max(found.get(topic, 0), tick + min(delays))
        return found

    def _note(self, modality: str, samples: Samples) -> None:
        self.health[modality].note(samples.stamps)
        if len(samples.stamps):
            self._ends[modality] = _end(samples)

    def _note_delays(self, received: Mapping[str, int]) -> None:
        """Compare when the newest messages came with the ends of what was read of them."""
        for modality, end in self._ends.items():
            if (time := received.get(self.driver.topics[modality].topic)) is not None:
                self._delays.setdefault(modality, deque(maxlen=_PUSHES)).append(time - end)
        self._ends.clear()


def _end(samples: Samples) -> int:
    """Return up to when something is known by the newest sample, nanoseconds."""
    last = int(samples.stamps[-1])
    if isinstance(samples, SoundSamples):
        last += int(len(samples.chunks[-1]) * SECOND // samples.rate)
    return last


def _ranks(times: Sequence[NDArray[np.int64]], first: int) -> list[NDArray[np.int64]]:
    """Return the rank of each message among those of all topics, by when it was received."""
    if not times:
        return []
    order = np.argsort(np.concatenate(times), kind='stable')
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(first, first + len(order))
    # Within a topic the order of the middleware holds, whatever its clock says.
    edges = accumulate(map(len, times), initial=0)
    return [np.sort(ranks[a:b]) for a, b in pairwise(edges)]


def _block(
    topic: str,
    messages: Sequence[Received],
    arrival: NDArray[np.int64],
    times: NDArray[np.int64] | int,
) -> MessageBlock:
    raw = [r.raw for r in messages]
    lengths = np.fromiter(map(len, raw), np.int64, len(raw))
    return MessageBlock(
        topic,
        np.frombuffer(b''.join(raw), np.uint8),
        np.cumsum(lengths) - lengths,
        lengths,
        np.broadcast_to(times, len(raw)),
        arrival,
    )
