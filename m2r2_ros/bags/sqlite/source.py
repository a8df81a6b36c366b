# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sqlite3 files of rosbag2, read in time order without changing a byte of their folder."""

import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, MessageRun, Span, Topic
from m2r2_ros.bags.sqlite.census import Census, take_census
from m2r2_ros.bags.sqlite.connection import Database
from m2r2_ros.bags.sqlite.schema import StoredDefinitions, read_topics

#: A part ends after so many bytes or messages.
_PART_BYTES = 1 << 22
_PART_MESSAGES = 1 << 14


class SqliteSource:
    """A .db3 file; see Source.

    Raises:
        BagError: It is not a rosbag2 database, or corrupt.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.truncated = False
        self.unreadable: dict[str, str] = {}
        self.topics: dict[str, Topic] = {}
        self._database = Database(path)
        with self._database.session() as connection:
            self._ids = self._read_topics(connection)
        self.start, self.end = self._census.start, self._census.end
        self.notes = self._census.notes
        self.message_count = sum(topic.count for topic in self.topics.values())

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield parts of the time-ordered messages; see Source."""
        ids = {key: name for key, name in self._ids.items() if name in topics}
        if not ids:
            return
        query = _Query(self._database, self._census, ids, span)
        order = 0
        try:
            while not query.done:
                yield FilePart(query.bound, order, query.load)
                order += 1
        finally:
            query.close()

    def _read_topics(self, connection: sqlite3.Connection) -> dict[int, str]:
        """Fill `topics` and `unreadable`; returns topic names by id."""
        rows = read_topics(connection, self.path)
        definitions = StoredDefinitions(connection, self.path)
        ids = {row.id: row.name for row in rows}
        self._census = take_census(self._database, connection, ids)
        for row in rows:
            if row.serialization != 'cdr':
                self.unreadable[row.name] = (
                    f"its messages are serialised as '{row.serialization}', not 'cdr'"
                )
            before = self.topics.get(row.name)
            if before and before.type_name != row.type_name:
                self.unreadable[row.name] = (
                    f'it has messages of two types, {before.type_name} and {row.type_name}'
                )
            count = self._census.counts.get(row.id, 0) + (before.count if before else 0)
            self.topics[row.name] = Topic(
                row.name, row.type_name, definitions[row.type_name], count, row.qos, row.type_hash
            )
        return ids


class _Query:
    """The messages of some topics in time order, fetched a part at a time.

    Attributes:
        bound: No message that is left is older than this, nanoseconds.
        done: All have been fetched.
    """

    def __init__(self, database: Database, census: Census, ids: dict[int, str], span: Span) -> None:
        """Begin before the first message.

        Args:
            database: The file.
            census: What is in it.
            ids: Topic names by id, of the topics to read.
            span: Log times of the messages to read.
        """
        self.bound = max(census.start, span.since)
        self.done = False
        self._span = span
        self._database, self._census, self._ids = database, census, ids
        self._connection: sqlite3.Connection | None = None
        self._rows: sqlite3.Cursor
        counted = sum(census.counts.get(key, 0) for key in ids)
        self._left = counted if span is ALWAYS else 0
        # So many rows have the bytes of a part at most.
        self._step = min(max(_PART_BYTES // max(census.longest, 1), 1), _PART_MESSAGES)

    def load(self) -> Loaded:
        """Fetch the next part."""
        with self._database.told():
            if self._connection is None:
                self._open()
            return self._fetch()

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> None:
        self._connection = connection = self._database.connect()
        connection.execute('PRAGMA temp_store = MEMORY')
        connection.execute('CREATE TEMP TABLE wanted(id INTEGER PRIMARY KEY)')
        connection.executemany('INSERT INTO wanted VALUES (?)', [(key,) for key in self._ids])
        self._rows = connection.execute(
            f'SELECT topic_id, timestamp, data FROM messages {self._census.index} '
            f'WHERE +topic_id IN wanted AND {self._census.where} '
            'AND timestamp >= ? AND timestamp <= ? ORDER BY timestamp, id',
            (self._span.since, self._span.until - 1),
        )

    def _fetch(self) -> Loaded:
        """Read rows until the part is full."""
        keys: list[int] = []
        times: list[int] = []
        blobs: list[bytes] = []
        size = 0
        while size < _PART_BYTES and len(keys) < _PART_MESSAGES:
            rows = self._rows.fetchmany(self._step)
            if not rows:
                self.done = True
                break
            some_keys, some_times, some_blobs = zip(*rows, strict=True)
            keys += some_keys
            times += some_times
            blobs += some_blobs
            size += sum(map(len, some_blobs))
        self._left -= len(keys)
        if self.done and self._left > 0:
            msg = f'{self._left} of the messages that were counted are not found'
            raise sqlite3.DatabaseError(msg)
        log_times = np.array(times, np.int64)
        if len(log_times):
            self.bound = int(log_times[-1])
        lengths = np.fromiter(map(len, blobs), np.int64, len(blobs))
        offsets = np.cumsum(lengths) - lengths
        data = np.frombuffer(blobs[0] if len(blobs) == 1 else b''.join(blobs), np.uint8)
        return data, self._runs(np.array(keys, np.int64), offsets, lengths, log_times)

    def _runs(
        self,
        keys: NDArray[np.int64],
        offsets: NDArray[np.int64],
        lengths: NDArray[np.int64],
        log_times: NDArray[np.int64],
    ) -> list[MessageRun]:
        """Sort messages by topic; several ids may have one name."""
        ids, which = np.unique(keys, return_inverse=True)
        names = [self._ids[key] for key in ids.tolist()]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        kind = np.min_scalar_type(len(names))  # small numbers are sorted faster
        number = np.array([numbers[name] for name in names], kind)[which]
        order = np.argsort(number, kind='stable')
        ends = np.cumsum(np.bincount(number)).tolist()
        return [
            MessageRun(
                name, *(values[order[begin:end]] for values in (offsets, lengths, log_times))
            )
            for name, begin, end in zip(numbers, [0, *ends], ends, strict=False)
        ]
