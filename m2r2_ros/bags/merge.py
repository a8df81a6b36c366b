# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of files, each in an order of its own, as one stream in log-time order."""

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.source import FilePart, MessageRun, Source
from m2r2_ros.core.messages import MessageBlock

#: Small parts are combined until they hold this many bytes of messages.
_BATCH = 1 << 21


@dataclass(slots=True)
class _Held:
    """What has been read from a part and not been passed on yet."""

    order: tuple[int, int]
    data: NDArray[np.uint8]
    runs: list[MessageRun]

    def split(self, bound: int | None) -> list[MessageRun]:
        """Take out the messages that are older than `bound`."""
        if bound is None:
            due, self.runs = self.runs, []
            return due
        due, left = [], []
        for run in self.runs:
            old = run.log_times < bound
            if old.all():
                due.append(run)
            elif old.any():
                due.append(run[old])
                left.append(run[~old])
            else:
                left.append(run)
        self.runs = left
        return due

    @property
    def bytes(self) -> int:
        """Bytes of the messages held."""
        return sum(int(run.lengths.sum()) for run in self.runs)


def merged(sources: Sequence[Source], topics: Collection[str]) -> Iterator[list[MessageBlock]]:
    """Yield the messages of `topics` in log-time order, ties in file order.

    A message goes out when it is older than all that has not been read, so no more is held than
    what overlaps in time.

    Raises:
        BagError: A part of a file is corrupt.
    """
    streams = [_numbered(k, source.parts(topics)) for k, source in enumerate(sources)]
    held: list[_Held] = []
    arrival = waiting = 0
    for source, part in heapq.merge(*streams, key=lambda item: item[1].start):
        if waiting >= _BATCH:
            blocks = _take(held, part.start, arrival)
            held = [h for h in held if h.runs]
            waiting = sum(h.bytes for h in held)
            if blocks:
                arrival += sum(map(len, blocks))
                yield blocks
        data, runs = part.load()
        if runs:
            held.append(_Held((source, part.order), data, runs))
            waiting += held[-1].bytes
    if blocks := _take(held, None, arrival):
        yield blocks


def _numbered(source: int, parts: Iterator[FilePart]) -> Iterator[tuple[int, FilePart]]:
    """Pair parts with the number of their source."""
    for part in parts:
        yield source, part


def _take(held: list[_Held], bound: int | None, arrival: int) -> list[MessageBlock]:
    """Take the messages older than `bound` out of `held`, as one block of each topic."""
    due = [(h.order, h.data, runs) for h in held if (runs := h.split(bound))]
    if not due:
        return []
    due.sort(key=itemgetter(0))
    data, runs = _one_buffer([(data, runs) for _, data, runs in due])
    names = sorted({run.topic for run in runs})
    numbers = {name: k for k, name in enumerate(names)}
    kind = np.min_scalar_type(len(names))  # small numbers are sorted faster
    topic = np.array([numbers[run.topic] for run in runs], kind)
    topic = np.repeat(topic, [len(run.offsets) for run in runs])
    offsets = np.concatenate([run.offsets for run in runs])
    lengths = np.concatenate([run.lengths for run in runs])
    log_times = np.concatenate([run.log_times for run in runs])
    order = np.lexsort((offsets, log_times))
    topic = topic[order]
    ranks = np.argsort(topic, kind='stable')
    ends = np.cumsum(np.bincount(topic)).tolist()
    blocks = []
    for name, begin, end in zip(names, [0, *ends], ends, strict=False):
        rank = ranks[begin:end]
        which = order[rank]
        block = MessageBlock(
            name, data, offsets[which], lengths[which], log_times[which], rank + arrival
        )
        blocks.append(block)
    return blocks


def _one_buffer(
    parts: list[tuple[NDArray[np.uint8], list[MessageRun]]],
) -> tuple[NDArray[np.uint8], list[MessageRun]]:
    """Bring the messages of several buffers into one, in the order of the buffers."""
    if len(parts) == 1:
        return parts[0]
    spans, moved, base = [], [], 0
    for data, runs in parts:
        low = min(int(run.offsets.min()) for run in runs)
        high = max(int((run.offsets + run.lengths).max()) for run in runs)
        spans.append(data[low:high])
        shift = base - low
        moved += [MessageRun(r.topic, r.offsets + shift, r.lengths, r.log_times) for r in runs]
        base += high - low
    return np.concatenate(spans), moved
