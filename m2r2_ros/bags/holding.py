# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is in memory of files whose parts overlap in time, and what is read again instead."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.source import FilePart, MessageRun
from m2r2_ros.core.errors import BagError

#: Bytes that are held of parts that overlap in time, before some are given up and read again.
MAX_HELD: Final = 1 << 28
#: Bytes of offset, length and log time of a message.
_ENTRY: Final = 24
#: Messages of which a median is taken.
_SAMPLE: Final = 1 << 16
#: Bytes between two messages that are copied with them.
_GAP: Final = 64
_NEVER: Final = -(1 << 63)
_NONE: Final = np.empty(0, np.int64)

#: Messages that are due: order of their part, its buffer, where they are in it.
Due = tuple[tuple[int, int], NDArray[np.uint8], list[MessageRun]]


@dataclass(order=True, slots=True)
class Pending:
    """A part that has to be read, or read again.

    Attributes:
        start: None of the messages that are wanted has an earlier log time, nanoseconds.
        order: Number of its file, and rank in it.
        part: The part.
        since: Messages with an earlier log time are not wanted again.
        given_up: It is not to be read.
    """

    start: int
    order: tuple[int, int]
    part: FilePart = field(compare=False)
    since: int = field(default=_NEVER, compare=False)
    given_up: bool = field(default=False, compare=False)

    @property
    def again(self) -> bool:
        """Whether it has been read before."""
        return self.since > _NEVER


class Queue:
    """The parts of several files in order of start, together with those to be read again."""

    def __init__(self, files: Sequence[Iterator[FilePart]]) -> None:
        streams = [_numbered(number, parts) for number, parts in enumerate(files)]
        self._first = heapq.merge(*streams)
        self._next: Pending | None = None
        self._again: list[Pending] = []

    def push(self, pending: Pending) -> None:
        """Have a part read again."""
        heapq.heappush(self._again, pending)

    def pop(self) -> Pending | None:
        """Return the part with the earliest start; None once there is no other.

        The part before has to be loaded by then.
        """
        if self._next is None:
            self._next = next(self._first, None)
        while self._again and self._again[0].given_up:
            heapq.heappop(self._again)
        if self._again and (self._next is None or self._again[0] < self._next):
            return heapq.heappop(self._again)
        pending, self._next = self._next, None
        return pending


@dataclass(slots=True)
class Held:
    """What has been read from a part and not been passed on yet.

    Attributes:
        order: As that of the part.
        data: The buffer.
        runs: The messages in it.
        part: Where it comes from.
        bytes: Bytes of the messages.
        size: Bytes in memory.
        start: Log time of the earliest message, nanoseconds.
    """

    order: tuple[int, int]
    data: NDArray[np.uint8]
    runs: list[MessageRun]
    part: FilePart
    bytes: int = field(init=False)
    size: int = field(init=False)
    start: int = field(init=False)

    def __post_init__(self) -> None:
        self._measure()

    def _measure(self) -> None:
        # There may be very many runs of very few messages each.
        lengths = np.concatenate([_NONE, *(run.lengths for run in self.runs)])
        self.bytes = int(lengths.sum())
        self.size = self.data.nbytes + _ENTRY * len(lengths)
        times = [run.log_times for run in self.runs]
        self.start = int(np.concatenate(times).min()) if times else 0

    def split(self, bound: int) -> list[MessageRun]:
        """Take out the messages that are older than `bound`."""
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
        self._measure()
        return due

    def give_up(self, bound: int) -> int | None:
        """Drop the messages from `bound` on; returns the log time of the first, None if none."""
        kept = self.split(bound)
        late, self.runs = self.runs, kept
        start = min((int(run.log_times.min()) for run in late), default=None)
        self._measure()
        return start

    def shrink(self) -> None:
        """Free the buffer where most of it is not wanted, as of a topic of few messages."""
        if 2 * self.bytes < self.data.nbytes:
            self.compact()

    def compact(self) -> None:
        """Copy the messages out of the buffer, so that the rest of it can be freed."""
        offsets = np.concatenate([run.offsets for run in self.runs])
        ends = offsets + np.concatenate([run.lengths for run in self.runs])
        order = np.argsort(offsets)
        offsets, ends = offsets[order], ends[order]
        # What lies between two messages that are kept is mostly the head of the second.
        first = np.flatnonzero(np.append(True, offsets[1:] - ends[:-1] > _GAP))
        starts, stops = offsets[first], ends[np.append(first[1:], len(ends)) - 1]
        shifts = np.append(0, np.cumsum(stops - starts)[:-1]) - starts
        spans = zip(starts.tolist(), stops.tolist(), strict=True)
        self.data = np.concatenate([self.data[start:stop] for start, stop in spans])
        self.runs = [
            run.moved(shifts[np.searchsorted(starts, run.offsets, side='right') - 1])
            for run in self.runs
        ]
        self._measure()


class Store:
    """What has been read and is not due yet.

    Attributes:
        waiting: Bytes of its messages.
    """

    def __init__(self, queue: Queue, paths: Sequence[Path]) -> None:
        self.waiting = 0
        self._queue, self._paths = queue, paths
        self._held: list[Held] = []
        self._rests: dict[tuple[int, int], Pending] = {}  # parts to be read again
        self._size = 0

    def load(self, pending: Pending) -> None:
        """Read a part.

        Raises:
            BagError: It is corrupt, or would have to be held with too many others.
        """
        if self._rests.get(pending.order) is pending:
            del self._rests[pending.order]
        data, runs = pending.part.load()
        held = Held(pending.order, data, runs, pending.part)
        if pending.again:
            held.split(pending.since)
        if held.runs:
            held.shrink()
            self._held.append(held)
            self.waiting += held.bytes
            self._size += held.size
            if self._size > MAX_HELD and len(self._held) > 1:
                del data, runs, held
                self._make_room()

    def take(self, bound: int | None) -> list[Due]:
        """Take out the messages that are older than `bound`; None takes all."""
        taken: list[Due] = []
        for held in self._held:
            if bound is None:
                due, held.runs = held.runs, []
            elif held.start < bound:
                due = held.split(bound)
            else:
                continue
            taken.append((held.order, held.data, due))
            if held.runs:
                held.shrink()
        self._held = [held for held in self._held if held.runs]
        self._measure()
        return taken

    def _measure(self) -> None:
        self.waiting = sum(held.bytes for held in self._held)
        self._size = sum(held.size for held in self._held)

    def _make_room(self) -> None:
        """Give up later messages, to read them again, until what is held keeps to the limit."""
        for held in self._held:
            held.compact()
        self._measure()
        while self._size > MAX_HELD and len(self._held) > 1:
            bound = self._middle()
            given_up: dict[tuple[int, int], Pending] = {}
            for held in self._held:
                if held.part.again and (start := held.give_up(bound)) is not None:
                    rest = given_up.get(held.order)
                    if rest is None or start < rest.start:
                        given_up[held.order] = Pending(start, held.order, held.part, bound)
            if not given_up:
                raise self._out_of_order()
            for order, rest in given_up.items():
                if order in self._rests:  # what is left of the part later is in the new rest, too
                    self._rests[order].given_up = True
                self._rests[order] = rest
                self._queue.push(rest)
            self._held = [held for held in self._held if held.runs]
            for held in self._held:
                held.compact()
            self._measure()

    def _middle(self) -> int:
        """Return the log time before which about half of what is held was recorded.

        Raises:
            BagError: All is of one time.
        """
        runs = [run for held in self._held for run in held.runs]
        step = 1 + sum(len(run.offsets) for run in runs) // _SAMPLE
        times = np.concatenate([run.log_times[::step] for run in runs])
        sizes = np.concatenate([run.lengths[::step] + _ENTRY for run in runs])
        order = np.argsort(times)
        sums = np.cumsum(sizes[order])
        middle = int(times[order][np.searchsorted(sums, sums[-1] // 2)])
        first = min(held.start for held in self._held)
        if middle > first:
            return middle
        later = [run.log_times[run.log_times > first] for run in runs]
        if not any(map(len, later)):
            raise self._out_of_order()
        return min(int(times.min()) for times in later if len(times))

    def _out_of_order(self) -> BagError:
        names = sorted({str(self._paths[held.order[0]]) for held in self._held})
        ends = [int(run.log_times.max()) for held in self._held for run in held.runs]
        seconds = (max(ends) - min(held.start for held in self._held)) * 1e-9
        return BagError(
            f'{", ".join(names)}: {self._size} bytes of messages lie up to {seconds:.3f} s out of '
            f'order, more than the {MAX_HELD} bytes that are held to put them in order; '
            '`mcap sort IN -o OUT` does that for good'
        )


def _numbered(file: int, parts: Iterator[FilePart]) -> Iterator[Pending]:
    for part in parts:
        yield Pending(part.start, (file, part.order), part)
