# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of the files of a recording by time; those that were read last are kept."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, MessageRun, Source, Span
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.readers.stamps import header_stamps

#: Bytes of parts that are kept.
_KEPT: Final = 96 << 20
#: Bytes of a part on average, where a file is cut into parts by time, and how many there are.
_SLICE_SIZE: Final = 1 << 22
_LEAST, _MOST = 64, 1 << 12
#: Bytes of such a part at most.
_MOST_BYTES: Final = 1 << 28

#: Bytes of a file from which one group of messages outside chunks is at most.
_GROUP: Final = 1 << 23

#: A file of the recording, the topics of the part, and where it lies.
Place = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The messages of one topic in a part.

    Attributes:
        block: The messages, in the order of the file.
        stamps: int64 (n,), from their headers, log times where those are not set; nanoseconds.
    """

    block: MessageBlock
    stamps: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TimedPart:
    """A part that is not read yet.

    Attributes:
        place: Where it is.
        start: No message of it has an earlier log time, nanoseconds.
        load: Reads it.
    """

    place: Place
    start: int
    load: Callable[[], Loaded]


class Parts:
    """The parts of a recording's files that hold messages of some topics. Not for two threads."""

    def __init__(self, sources: Sequence[Source], topics: Collection[str]) -> None:
        """Read nothing yet.

        Args:
            sources: The files.
            topics: What is read together, since it is mostly looked at together.
        """
        self._sources = sources
        self._topics = sorted(topics)
        self._kept: OrderedDict[Place, dict[str, Stretch]] = OrderedDict()
        self._lists: dict[tuple[int, str], dict[int, FilePart] | None] = {}
        self._size = 0

    def range_of(self, topic: str) -> tuple[int, int]:
        """Return the first and the last log time of the files with a topic; 0, -1 without any."""
        filled = [s for s in self._sources if topic in s.topics and s.message_count]
        if not filled:
            return 0, -1
        return min(s.start for s in filled), max(s.end for s in filled)

    def during(self, topic: str, since: int, until: int) -> list[TimedPart]:
        """Return the parts with messages of a topic in a range of log times, by start.

        Args:
            topic: The topic.
            since: Nanoseconds.
            until: Nanoseconds, not part of the range any more.
        """
        span = Span(max(since, 0), min(until, ALWAYS.until))
        found = [
            part
            for number, source in enumerate(self._sources)
            if topic in source.topics and source.start < span.until and source.end >= span.since
            for part in self._of(number, source, topic, span)
        ]
        return sorted(found, key=lambda part: part.start)

    def read(self, part: TimedPart, topic: str) -> Stretch | None:
        """Return the messages of a topic in a part; None where it has none.

        Raises:
            BagError: The file is corrupt there.
        """
        kept = self._kept.get(part.place)
        if kept is None:
            kept = self._keep(part)
        else:
            self._kept.move_to_end(part.place)
        return kept.get(topic)

    def _of(self, number: int, source: Source, topic: str, span: Span) -> Iterator[TimedPart]:
        """Yield the parts of one file."""
        own = self._listed(number, topic)
        if own is None:
            yield from self._sliced(number, source, span)
            return
        together = self._listed(number, '') or {}
        due: dict[int, FilePart] = {}
        for part in source.parts([topic], span):
            if part.order in own:
                due[part.order] = own[part.order]
            else:  # messages outside chunks are grouped by what is asked for
                due |= {k: p for k, p in own.items() if part.order - _GROUP < k <= part.order}
        for order, part in due.items():
            both = together.get(order)
            if both is None:
                yield TimedPart((number, topic, order), part.start, part.load)
            else:
                yield TimedPart((number, '', order), part.start, both.load)

    def _listed(self, number: int, topic: str) -> dict[int, FilePart] | None:
        """Return all parts of a file by where they lie; None where only a range can be asked for.

        Args:
            number: Of the file.
            topic: The topic; '' for all that are read together.
        """
        key = (number, topic)
        if key not in self._lists:
            parts = self._sources[number].parts([topic] if topic else self._topics)
            first = next(parts, None)
            again = first is None or first.again
            every = [] if first is None or not again else [first, *parts]
            self._lists[key] = {part.order: part for part in every} if again else None
        return self._lists[key]

    def _sliced(self, number: int, source: Source, span: Span) -> Iterator[TimedPart]:
        """Yield slices of time of a file that is asked for a range of it, such as a database."""
        slices = min(max(source.path.stat().st_size // _SLICE_SIZE, _LEAST), _MOST)
        width = (source.end - source.start) // slices + 1
        first = max(span.since, source.start) // width
        last = min(span.until - 1, source.end) // width
        for k in range(first, last + 1):
            start = k * width
            piece = Span(start, min(start + width, ALWAYS.until))
            load = partial(_load_slice, source, self._topics, piece)
            yield TimedPart((number, '', k), start, load)

    def _keep(self, part: TimedPart) -> dict[str, Stretch]:
        data, runs = part.load()
        read = {run.topic: _stretch(data, run) for run in runs if len(run.offsets)}
        self._kept[part.place] = read
        self._size += _bytes(read)
        while self._size > _KEPT and len(self._kept) > 1:
            self._size -= _bytes(self._kept.popitem(last=False)[1])
        return read


def _stretch(data: NDArray[np.uint8], run: MessageRun) -> Stretch:
    arrival = np.arange(len(run.offsets))
    block = MessageBlock(run.topic, data, run.offsets, run.lengths, run.log_times, arrival)
    stamps = header_stamps(block)
    return Stretch(block, np.where(stamps == 0, run.log_times, stamps))


def _bytes(read: dict[str, Stretch]) -> int:
    return max((stretch.block.data.nbytes for stretch in read.values()), default=0)


def _load_slice(source: Source, topics: Sequence[str], span: Span) -> Loaded:
    """Read a range of log times."""
    buffers: list[NDArray[np.uint8]] = []
    found: dict[str, list[MessageRun]] = {}
    base = 0
    for part in source.parts(topics, span):
        data, runs = part.load()
        for run in runs:
            inside = span.of(run.log_times)
            found.setdefault(run.topic, []).append(run[inside].moved(base))
        buffers.append(data)
        base += len(data)
        if base > _MOST_BYTES:
            seconds = (span.until - span.since) * 1e-9
            msg = (
                f'{source.path}: more than {_MOST_BYTES} bytes of {", ".join(topics)} within '
                f'{seconds:g} s, which is too much to look at; `ros2 bag convert` makes it MCAP'
            )
            raise BagError(msg)
    joined = [
        MessageRun(
            topic,
            np.concatenate([run.offsets for run in runs]),
            np.concatenate([run.lengths for run in runs]),
            np.concatenate([run.log_times for run in runs]),
        )
        for topic, runs in found.items()
    ]
    return np.concatenate([np.empty(0, np.uint8), *buffers]), joined
