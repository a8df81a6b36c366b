# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Serialised messages on their way from a recording or a subscription to a reader."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MessageBlock:
    """Consecutive CDR messages of one topic, left where they lie in one buffer.

    Attributes:
        topic: Topic name.
        data: uint8 (bytes,), a buffer that holds all messages and perhaps others.
        offsets: int64 (n,), where each message's CDR encapsulation header starts in `data`.
        lengths: int64 (n,), bytes of each message with its encapsulation header.
        log_times: int64 (n,), nanoseconds; receive time live, log time in a recording.
        arrival: int64 (n,), rank of each message among those of all topics; strictly increasing.
    """

    topic: str
    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    log_times: NDArray[np.int64]
    arrival: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets)

    def message(self, i: int) -> NDArray[np.uint8]:
        """Return the bytes of message `i`, a view."""
        start = self.offsets[i]
        return self.data[start : start + self.lengths[i]]


def in_order(blocks: Sequence[MessageBlock]) -> Iterator[tuple[int, str, NDArray[np.uint8]]]:
    """Yield log time, topic and bytes of each message of several blocks, in order of arrival."""
    order = np.argsort(np.concatenate([block.arrival for block in blocks]))
    which = np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])[order]
    index = np.concatenate([np.arange(len(block)) for block in blocks])[order]
    times = np.concatenate([block.log_times for block in blocks])[order]
    for time, k, i in zip(times.tolist(), which.tolist(), index.tolist(), strict=True):
        yield time, blocks[k].topic, blocks[k].message(i)


def single_message(topic: str, raw: bytes, log_time: int, arrival: int) -> MessageBlock:
    """Wrap one received message as a block of one."""
    return MessageBlock(
        topic,
        np.frombuffer(raw, np.uint8),
        np.zeros(1, np.int64),
        np.array([len(raw)], np.int64),
        np.array([log_time], np.int64),
        np.array([arrival], np.int64),
    )
