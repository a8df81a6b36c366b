# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of files, each in an order of its own, as one stream in log-time order."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.holding import Due, Pending, Queue, Store
from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, MessageRun, Source, Span
from m2r2_ros.core.messages import MessageBlock

#: Small parts are combined until they hold this many bytes of messages.
_BATCH: Final = 1 << 21


def merged(
    sources: Sequence[Source], topics: Collection[str], span: Span = ALWAYS
) -> Iterator[list[MessageBlock]]:
    """Yield the messages of `topics` in a range of time, in log-time order, ties in file order.

    A message goes out when it is older than all that has not been read. What overlaps in time is
    held until then, up to a limit; beyond it, parts of files are read again later.

    Raises:
        BagError: A part of a file is corrupt, or messages are too far out of order.
    """
    queue = Queue([_within(source.parts(topics, span), span) for source in sources])
    store = Store(queue, [source.path for source in sources])
    arrival = 0
    while (pending := queue.pop()) is not None:
        # What is read again is earliest then, so that some of it can be kept in any case.
        full = store.waiting >= _BATCH or pending.again
        if full and (blocks := _take(store, pending, arrival)):
            arrival += sum(map(len, blocks))
            yield blocks
            del blocks
        store.load(pending)
    if blocks := _take(store, None, arrival):
        yield blocks


def _within(parts: Iterator[FilePart], span: Span) -> Iterator[FilePart]:
    """Yield parts that leave out what lies outside a range."""
    for part in parts:
        yield part if span is ALWAYS else replace(part, load=partial(_load, part.load, span))


def _load(load: Callable[[], Loaded], span: Span) -> Loaded:
    data, runs = load()
    within = [run[span.of(run.log_times)] for run in runs]
    return data, [run for run in within if len(run.offsets)]


def _take(store: Store, pending: Pending | None, arrival: int) -> list[MessageBlock]:
    """Take the messages that are due before `pending` out of a store, a block of each topic."""
    due = store.take(None if pending is None else pending.start)
    if not due:
        return []
    due.sort(key=itemgetter(0))
    data, runs = _one_buffer(due)
    names = sorted({run.topic for run in runs})
    numbers = {name: k for k, name in enumerate(names)}
    counts = [len(run.offsets) for run in runs]
    kind = np.min_scalar_type(len(names))  # small numbers are sorted faster
    topic = np.repeat(np.array([numbers[run.topic] for run in runs], kind), counts)
    offsets = np.concatenate([run.offsets for run in runs])
    lengths = np.concatenate([run.lengths for run in runs])
    log_times = np.concatenate([run.log_times for run in runs])
    order = np.lexsort((offsets, log_times))
    ranks = np.argsort(topic[order], kind='stable')
    ends = np.cumsum(np.bincount(topic, minlength=len(names))).tolist()
    blocks, start = [], 0
    for name, end in zip(names, ends, strict=True):
        rank = ranks[start:end]
        which = order[rank]
        block = MessageBlock(
            name, data, offsets[which], lengths[which], log_times[which], rank + arrival
        )
        blocks.append(block)
        start = end
    return blocks


def _one_buffer(parts: list[Due]) -> tuple[NDArray[np.uint8], list[MessageRun]]:
    """Bring the messages of several buffers into one, in the order of the buffers."""
    if len(parts) == 1:
        return parts[0][1:]
    spans, moved, base = [], [], 0
    for _, data, runs in parts:
        offsets = np.concatenate([run.offsets for run in runs])
        low = int(offsets.min())
        high = int((offsets + np.concatenate([run.lengths for run in runs])).max())
        spans.append(data[low:high])
        moved += [run.moved(base - low) for run in runs]
        base += high - low
    return np.concatenate(spans), moved
