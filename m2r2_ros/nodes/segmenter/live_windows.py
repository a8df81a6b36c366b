# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Raw messages of live topics as frame windows, the very ones that their recording gives."""

from collections.abc import Collection, Container, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.modalities import Modalities
from m2r2_ros.core.samples import Samples
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.nodes.common.received import Received
from m2r2_ros.nodes.segmenter.health import StreamHealth
from m2r2_ros.readers.registry import Reader
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.driver import WindowDriver
from m2r2_ros.windows.config import WindowConfig


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
        received = {topic: messages for topic, messages in received.items() if messages}
        ranks = _ranks(list(received.values()), self._arrived)
        self._arrived += sum(map(len, ranks))
        return self.driver.push([
            _block(topic, messages, arrival, sim_time)
            for (topic, messages), arrival in zip(received.items(), ranks, strict=True)
        ])  # fmt: skip

    def _note(self, modality: str, samples: Samples) -> None:
        self.health[modality].note(samples.stamps)


def _ranks(received: Sequence[Sequence[Received]], first: int) -> list[NDArray[np.int64]]:
    """Return the rank of each message among those of all topics, by when it was received."""
    times = np.array([r.time for messages in received for r in messages], np.int64)
    ranks = np.empty(len(times), np.int64)
    ranks[np.argsort(times, kind='stable')] = first + np.arange(len(times))
    # Within a topic the order of the middleware holds, whatever its clock says.
    edges = np.cumsum([0, *map(len, received)])
    return [np.sort(ranks[a:b]) for a, b in pairwise(edges)]


def _block(
    topic: str, messages: Sequence[Received], arrival: NDArray[np.int64], sim_time: int | None
) -> MessageBlock:
    lengths = np.array([len(r.raw) for r in messages], np.int64)
    return MessageBlock(
        topic,
        np.frombuffer(b''.join(r.raw for r in messages), np.uint8),
        np.cumsum(lengths) - lengths,
        lengths,
        np.array([r.time if sim_time is None else sim_time for r in messages], np.int64),
        arrival,
    )
