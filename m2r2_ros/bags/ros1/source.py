# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags as recordings, chunk by chunk in the order of time.

Only what is asked for is unpacked and converted; single messages are not indexed, so that memory
does not grow with the length of a bag.
"""

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from m2r2_ros.bags.ros1.chunks import chunk_place, connection_of, records, time_of, unpacked
from m2r2_ros.bags.ros1.index import EXPECTED, BagChunk, bag_file, read_index
from m2r2_ros.bags.ros1.types import Conversion, conversion_of
from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, MessageRun, Span, Topic
from m2r2_ros.bags.writing.sink import LATCHED, RELIABLE
from m2r2_ros.core.errors import BagError, MessageError
from m2r2_ros.core.reading import naming, reading

#: The kind of a record that is a message.
_MESSAGE: Final = 2


class Ros1Source:
    """A .bag file; see Source.

    Raises:
        BagError: It is not a bag of ROS 1, or nothing of it can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        index = read_index(path)
        self._chunks = index.chunks
        self._conversions: dict[int, tuple[str, Conversion]] = {}
        self.topics: dict[str, Topic] = {}
        self.unreadable: dict[str, str] = {}
        known: dict[tuple[str, str], Conversion | str] = {}
        for number, connection in sorted(index.connections.items()):
            key = connection.type_name, connection.definition
            if key not in known:
                known[key] = _conversion(*key)
            count = sum(chunk.counts.get(number, 0) for chunk in index.chunks)
            self._add(connection.topic, known[key], connection.type_name, count)
            found = known[key]
            if isinstance(found, Conversion):
                self._conversions[number] = connection.topic, found
                if connection.latched:
                    topic = self.topics[connection.topic]
                    self.topics[connection.topic] = found.topic(topic.name, topic.count, LATCHED)
        self.start = min((chunk.start for chunk in index.chunks), default=0)
        self.end = max((chunk.end for chunk in index.chunks), default=0)
        self.message_count = sum(topic.count for topic in self.topics.values())
        self.truncated = bool(index.cut)
        self.notes = (f'{path}: {index.cut}: what is whole of it is read',) if index.cut else ()

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield the chunks that hold messages of some topics; see Source."""
        wanted = {n: found for n, found in self._conversions.items() if found[0] in topics}
        for chunk in sorted(self._chunks, key=lambda chunk: (chunk.start, chunk.order)):
            if chunk.start >= span.until:
                return
            if chunk.end >= span.since and wanted.keys() & chunk.counts.keys():
                load = partial(self._load, chunk, wanted)
                yield FilePart(chunk.start, chunk.order, load, again=True)

    def _add(self, name: str, found: Conversion | str, type_name: str, count: int) -> None:
        """Count a connection in, of which a topic may have several."""
        if isinstance(found, str):
            self.unreadable[name] = found
            found_topic = Topic(name, type_name, '', count)
        else:
            found_topic = found.topic(name, count, RELIABLE)
        before = self.topics.get(name)
        if before is None:
            self.topics[name] = found_topic
            return
        if before.definition != found_topic.definition or before.type_name != found_topic.type_name:
            self.unreadable[name] = (
                f'it has messages of two types, {before.type_name} and {found_topic.type_name}'
            )
        self.topics[name] = Topic(
            name, before.type_name, before.definition, before.count + count, before.qos,
            before.type_hash,
        )  # fmt: skip

    def _load(self, chunk: BagChunk, wanted: dict[int, tuple[str, Conversion]]) -> Loaded:
        """Unpack a chunk and convert what is wanted of it."""
        what = f'{self.path}: the chunk at byte {chunk.at}'
        with naming(what, BagError), bag_file(self.path) as file, reading(what, EXPECTED, BagError):
            if (place := chunk.place) is None:
                file.seek(chunk.at)
                place = chunk_place(file)
            return _converted(unpacked(file, place), chunk, wanted)


def _conversion(type_name: str, definition: str) -> Conversion | str:
    """Return how messages are converted, or why they cannot be."""
    try:
        return conversion_of(type_name, definition)
    except MessageError as error:
        return str(error)


def _converted(data: bytes, chunk: BagChunk, wanted: dict[int, tuple[str, Conversion]]) -> Loaded:
    """Return the messages of a chunk as CDR.

    Raises:
        BagError: One is older than the index says, or does not fit its type.
    """
    pieces: list[bytes] = []
    found: dict[str, list[tuple[int, int, int]]] = {}
    base = 0
    for record in records(data):
        if record.op != _MESSAGE or (number := connection_of(record)) not in wanted:
            continue
        topic, conversion = wanted[number]
        time = time_of(record)
        if not chunk.start <= time <= chunk.end:
            msg = f'a message of {topic} is at {time} ns, outside the times in the index'
            raise BagError(msg)
        raw = bytes(conversion.convert(data[record.low : record.high]))
        pieces.append(raw)
        found.setdefault(topic, []).append((base, len(raw), time))
        base += len(raw)
    runs = [MessageRun(topic, *np.array(rows, np.int64).T.copy()) for topic, rows in found.items()]
    return np.frombuffer(b''.join(pieces), np.uint8), runs
