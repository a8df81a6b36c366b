# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One pass over a recording that serves all who look at it, whatever is wrong with its files."""

import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from m2r2_ros.bags.mcap.records import END_OF_TIME, PREFIX
from m2r2_ros.bags.merge import merged
from m2r2_ros.bags.recording import Recording
from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, Source, Span
from m2r2_ros.checks.observer import Observer
from m2r2_ros.checks.recording.readings import Readings
from m2r2_ros.checks.recording.stamp_place import StampPlace, stamp_place
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.readers.topics import TopicSpec

#: Times of the first and the last message of a chunk, where its record begins.
_SPAN: Final = struct.Struct('<QQ')
#: Called with the share of the recording that was read, 0 to 1.
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of a file that could not be read.

    Attributes:
        start: Log time of its first message, nanoseconds.
        end: Where the next part begins, or this one ends if that is later, nanoseconds.
        why: What is wrong with it.
    """

    start: int
    end: int
    why: str


@dataclass(slots=True)
class Pass:
    """What became of a pass over a recording.

    Attributes:
        unread: What could not be read, in no order.
        stopped: Why the rest was not read; '' where all was.
    """

    unread: list[Unread] = field(default_factory=list)
    stopped: str = ''


def read_once(
    recording: Recording,
    observers: Sequence[Observer],
    sensors_topics: Mapping[str, TopicSpec] | None = None,
    progress: Progress = lambda share: None,
    outcome: Pass | None = None,
) -> Pass:
    """Show a recording to observers, reading each of its bytes once.

    Topics whose messages cannot be read are left out, and so are damaged parts of files. Memory
    does not grow with the recording.

    Args:
        recording: The recording.
        observers: Who looks; none of them is asked for results here.
        sensors_topics: Topics of sensors by name; what is not given is guessed.
        progress: Called after each piece.
        outcome: Filled while the recording is read, for observers that want to know.

    Returns:
        What could not be read.

    Raises:
        ConfigError: A topic that was given is of another type.
        MessageError: A topic that was given cannot be read.
    """
    outcome = Pass() if outcome is None else outcome
    watching = [o for o in observers if type(o).messages is not Observer.messages]
    listening = [o for o in observers if type(o).samples is not Observer.samples]
    sensors = Readings(recording, sensors_topics) if listening else None
    topics = recording.readable if watching else sensors.topics if sensors else ()
    places = stamp_places(recording, topics if watching else ())
    length = max(recording.end - recording.start, 1)
    for blocks in blocks_of(recording, topics, outcome):
        for block in blocks:
            place = places.get(block.topic)
            stamps = place.stamps(block) if place else None
            for observer in watching:
                observer.messages(block, stamps)
        if sensors:
            for name, samples in sensors.decode(blocks):
                for observer in listening:
                    observer.samples(name, samples)
        newest = max(int(block.log_times[-1]) for block in blocks)
        progress(min(max((newest - recording.start) / length, 0.0), 1.0))
    return outcome


def stamp_places(recording: Recording, topics: Iterable[str]) -> dict[str, StampPlace]:
    """Return where the messages of each topic have their stamp, of those that have one."""
    found = {}
    for name in topics:
        topic = recording.topics[name]
        if place := stamp_place(topic.type_name, topic.definition):
            found[name] = place
    return found


def blocks_of(
    recording: Recording, topics: Collection[str], outcome: Pass
) -> Iterator[list[MessageBlock]]:
    """Yield the messages of topics as Recording.blocks does, without what cannot be read."""
    readable = set(topics) & set(recording.readable)
    sources = [_Tolerant(source, recording.end, outcome.unread) for source in recording.sources]
    try:
        yield from merged(sources, readable)
    except BagError as error:
        outcome.stopped = str(error)


class _Tolerant:
    """A file whose damaged parts are empty; see Source."""

    def __init__(self, source: Source, end: int, unread: list[Unread]) -> None:
        self._source, self._end, self._unread = source, end, unread
        self.path, self.topics, self.unreadable = source.path, source.topics, source.unreadable
        self.start, self.end, self.notes = source.start, source.end, source.notes
        self.message_count, self.truncated = source.message_count, source.truncated
        #: The part that failed last, and why; None once it is noted.
        self._failed: tuple[FilePart, str] | None = None

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield parts that load nothing where they are damaged."""
        for part in self._source.parts(topics, span):
            self._note(part.start)
            yield replace(part, load=partial(self._load, part))
            if self._failed and not part.again:  # what follows would be read by the same query
                break
        self._note(self._end)

    def _load(self, part: FilePart) -> Loaded:
        try:
            return part.load()
        except BagError as error:
            self._failed = part, str(error)
            return np.empty(0, np.uint8), []

    def _note(self, end: int) -> None:
        """Note the part that failed, which goes on to `end`."""
        if self._failed:
            part, why = self._failed
            end = max(part.start, end, _last_time(self.path, part))
            self._unread.append(Unread(part.start, end, why))
            self._failed = None


def _last_time(path: Path, part: FilePart) -> int:
    """Return when a chunk ends by its own account, which may overlap the next; else its start."""
    if path.suffix != '.mcap':
        return part.start
    try:
        with path.open('rb') as file:
            file.seek(part.order + PREFIX.size)
            first, last = _SPAN.unpack(file.read(_SPAN.size))
    except (OSError, struct.error):
        return part.start
    return int(last) if first == part.start and last < END_OF_TIME else part.start
