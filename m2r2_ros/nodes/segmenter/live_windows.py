# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Raw messages of live topics as frame windows, the very ones that their recording gives."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.nodes.common.intake import Received
from m2r2_ros.nodes.segmenter.health import StreamHealth
from m2r2_ros.readers.registry import Reader
from m2r2_ros.windows.assembler import WindowAssembler


class LiveWindows:
    """Readers in front of an assembler; topics may come at any time.

    Attributes:
        assembler: What makes the windows.
        health: By modality.
    """

    def __init__(self, assembler: WindowAssembler) -> None:
        """Begin without topics."""
        self.assembler = assembler
        self.health: dict[str, StreamHealth] = {}
        self._readers: dict[str, Reader] = {}
        self._arrived = 0

    @property
    def counters(self) -> Counter[str]:
        """Windows, masks and drops by '<modality>.<reason>'."""
        return self.assembler.counters

    def add(self, modality: str, reader: Reader) -> None:
        """Read a modality from now on."""
        self._readers[modality] = reader
        self.health.setdefault(modality, StreamHealth())

    def push(
        self, received: Mapping[str, Sequence[Received]], sim_time: int | None = None
    ) -> FrameWindows:
        """Take messages and return the windows that they complete.

        Args:
            received: By modality, each in the order in which they came.
            sim_time: Where the ROS clock is not the machine's, what it says, nanoseconds: messages
                without a stamp are of that time.
        """
        received = {m: r for m, r in received.items() if r}
        ranks = _ranks(list(received.values()), self._arrived)
        samples = {}
        for (modality, messages), arrival in zip(received.items(), ranks, strict=True):
            self._arrived += len(messages)
            found = self._readers[modality].decode(_block(modality, messages, arrival, sim_time))
            self.health[modality].note(found.stamps)
            samples[modality] = found
        return self.assembler.push(samples)


def _ranks(received: Sequence[Sequence[Received]], first: int) -> list[NDArray[np.int64]]:
    """Return the rank of each message among those of all topics, by when it was received."""
    times = np.array([r.time for messages in received for r in messages], np.int64)
    ranks = np.empty(len(times), np.int64)
    ranks[np.argsort(times, kind='stable')] = first + np.arange(len(times))
    # Within a topic the order of the middleware holds, whatever its clock says.
    edges = np.cumsum([0, *map(len, received)])
    return [np.sort(ranks[a:b]) for a, b in pairwise(edges)]


def _block(
    modality: str, messages: Sequence[Received], arrival: NDArray[np.int64], sim_time: int | None
) -> MessageBlock:
    lengths = np.array([len(r.raw) for r in messages], np.int64)
    return MessageBlock(
        modality,
        np.frombuffer(b''.join(r.raw for r in messages), np.uint8),
        np.cumsum(lengths) - lengths,
        lengths,
        np.array([r.time if sim_time is None else sim_time for r in messages], np.int64),
        arrival,
    )
