# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files, read a chunk at a time without touching single messages."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mcap.opcode import Opcode
from numpy.typing import NDArray

from m2r2_ros.bags.content import Content, LocalContent
from m2r2_ros.bags.mcap.index import chunk_of, read_index
from m2r2_ros.bags.mcap.records import CHANNELS, MAX_CHUNK, MESSAGE, PREFIX, corrupt
from m2r2_ros.bags.mcap.summary import ChunkPlace
from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, MessageRun, Span, Topic

#: Messages outside chunks are read in parts of about this many bytes.
_PART = 1 << 22


class McapSource:
    """An MCAP file; see Source.

    Raises:
        BagError: It is not an MCAP file, or corrupt in a way that truncation does not explain.
    """

    def __init__(self, path: Path, content: Content | None = None) -> None:
        self.path = path
        self._content = content or LocalContent(path)
        self._index = index = read_index(path, self._content)
        self.start = index.start
        self.end = index.end
        self.truncated = index.truncated
        self.notes: tuple[str, ...] = ()
        self.message_count = sum(index.counts.values())
        self.unreadable: dict[str, str] = {}
        self.topics = self._topics()

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield chunks, and parts of the messages outside chunks; see Source."""
        channels = {
            key: channel.topic
            for key, channel in self._index.definitions.channels.items()
            if channel.topic in topics
        }
        wanted = np.zeros(CHANNELS, np.bool_)
        wanted[list(channels)] = True
        chunks = [
            _Range(place.start, place.span, partial(self._chunk, place, channels))
            for place in self._index.chunks
            if place.start < span.until and place.end >= span.since
            if wanted[place.channels].any()
        ]
        ranges = sorted(
            [*chunks, *self._loose(channels, span)], key=lambda one: (one.start, one.span)
        )
        read = self._content.reader([one.span for one in ranges])
        for k, one in enumerate(ranges):
            yield FilePart(one.start, one.span[0], partial(_load, read, k, one.take), True)

    def _topics(self) -> dict[str, Topic]:
        """Merge the channels of each topic."""
        topics: dict[str, Topic] = {}
        known = self._index.definitions
        for key, channel in sorted(known.channels.items()):
            schema = known.schemas.get(channel.schema_id)
            type_name = _full_name(schema.name) if schema else ''
            topic = Topic(
                channel.topic,
                type_name,
                known.texts[schema.id] if schema and schema.encoding == 'ros2msg' else '',
                self._index.counts[key],
                channel.metadata.get('offered_qos_profiles', ''),
                channel.metadata.get('topic_type_hash', ''),
            )
            before = topics.get(topic.name)
            if before and before.type_name != type_name:
                self.unreadable[topic.name] = (
                    f'it has messages of two types, {before.type_name} and {type_name}'
                )
            if schema and schema.id in known.ambiguous_schemas:
                self.unreadable[topic.name] = (
                    f'its type is described in two ways, as schema {schema.id}; {self._way_out}'
                )
            if channel.message_encoding != 'cdr':
                self.unreadable[topic.name] = (
                    f"its messages are serialised as '{channel.message_encoding}', not 'cdr'"
                )
            topics[topic.name] = _merged(before, topic) if before else topic
        for key, names in known.ambiguous.items():
            ways = ', '.join(sorted(names)[:8])
            reason = f'its channel {key} is described in different ways ({ways}); {self._way_out}'
            self.unreadable |= dict.fromkeys(names, reason)
        return topics

    @property
    def _way_out(self) -> str:
        return f'`m2r2 repair {self.path}` goes by their order in the file'

    def _chunk(self, place: ChunkPlace, channels: Mapping[int, str], raw: memoryview) -> Loaded:
        """Take the messages of `channels` out of a chunk."""
        definitions = self._index.definitions
        schemas = {definitions.channels[key].schema_id for key in channels}

        def check(opcode: int, body: bytes) -> None:
            """Refuse what would bring messages to another topic than that of their channel."""
            wanted = channels if opcode == Opcode.CHANNEL else schemas
            if int.from_bytes(body[:2], 'little') in wanted:
                definitions.check(opcode, body)

        data, heads, positions = chunk_of(raw, self.path, place, check)
        times = heads['log'].astype(np.int64)
        if len(times) and times.min() < place.start:
            raise corrupt(self.path, place.offset, 'a message older than its chunk')
        lengths = heads['size'].astype(np.int64) - (MESSAGE.itemsize - PREFIX.size)
        runs = _runs(heads['channel'], positions + MESSAGE.itemsize, lengths, times, channels)
        return data, runs

    def _loose(self, channels: Mapping[int, str], span: Span) -> list['_Range']:
        """Group the messages outside chunks by where they lie."""
        loose = self._index.loose
        loose = loose[span.of(loose[:, 3])]
        loose = loose[np.isin(loose[:, 0], list(channels))]
        if not len(loose):
            return []
        cuts = np.flatnonzero(np.diff(loose[:, 1] // _PART)) + 1
        found = []
        for group in np.split(loose, cuts):
            first, stop = int(group[0, 1]), int(group[-1, 1] + group[-1, 2])
            if stop - first > MAX_CHUNK:
                raise corrupt(self.path, first, f'a message of {stop - first} bytes')
            take = partial(self._messages, group, channels)
            found.append(_Range(int(group[:, 3].min()), (first, stop), take))
        return found

    def _messages(
        self, group: NDArray[np.int64], channels: Mapping[int, str], raw: memoryview
    ) -> Loaded:
        """Take the messages of `channels` out of those outside chunks."""
        first, data = int(group[0, 1]), np.frombuffer(raw, np.uint8)
        if len(data) < int(group[-1, 1] + group[-1, 2]) - first:
            raise corrupt(self.path, first + len(data), 'the file has become shorter')
        return data, _runs(group[:, 0], group[:, 1] - first, group[:, 2], group[:, 3], channels)


class _Range(NamedTuple):
    """A range of the file, not read yet.

    Attributes:
        start: No message of it has an earlier log time, nanoseconds.
        span: Where it begins and ends, bytes.
        take: Takes the messages out of its bytes.
    """

    start: int
    span: tuple[int, int]
    take: Callable[[memoryview], Loaded]


def _load(
    read: Callable[[int], memoryview], k: int, take: Callable[[memoryview], Loaded]
) -> Loaded:
    """Read a range and take the messages out of it."""
    return take(read(k))


def _full_name(name: str) -> str:
    """Return 'package/msg/Type' for 'package/Type' too."""
    return name.replace('/', '/msg/') if name.count('/') == 1 else name


def _merged(first: Topic, second: Topic) -> Topic:
    """Join two channels of one topic, such as those of two publishers."""
    return Topic(
        first.name,
        first.type_name,
        first.definition or second.definition,
        first.count + second.count,
        first.qos or second.qos,
        first.type_hash or second.type_hash,
    )


def _runs(
    keys: NDArray[np.int64],
    offsets: NDArray[np.int64],
    lengths: NDArray[np.int64],
    times: NDArray[np.int64],
    channels: Mapping[int, str],
) -> list[MessageRun]:
    """Sort messages by topic."""
    order = np.argsort(keys, kind='stable')
    found, starts = np.unique(keys[order], return_index=True)
    parts: dict[str, list[NDArray[np.intp]]] = {}
    for key, which in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        if key in channels:
            parts.setdefault(channels[key], []).append(which)
    runs = []
    for topic, several in parts.items():
        which = np.concatenate(several) if len(several) > 1 else several[0]
        runs.append(MessageRun(topic, offsets[which], lengths[which], times[which]))
    return runs
