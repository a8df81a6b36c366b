# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sqlite3 files of rosbag2, read in time order without changing a byte of their folder."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import numpy as np

from m2r2_ros.bags.definitions import is_known, message_definition
from m2r2_ros.bags.source import FilePart, Loaded, MessageRun, Topic
from m2r2_ros.core.errors import BagError

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
        self.notes: tuple[str, ...] = ()
        self.unreadable: dict[str, str] = {}
        self.topics: dict[str, Topic] = {}
        try:
            with closing(connect(path)) as database:
                self._ids = self._read_topics(database)
                times = database.execute('SELECT MIN(timestamp) FROM messages').fetchone()
                times += database.execute('SELECT MAX(timestamp) FROM messages').fetchone()
            self.start, self.end = (int(time or 0) for time in times)
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise _broken(path, error) from error
        self.message_count = sum(topic.count for topic in self.topics.values())

    def parts(self, topics: Collection[str]) -> Iterator[FilePart]:
        """Yield parts of the time-ordered messages; see Source."""
        ids = {key: name for key, name in self._ids.items() if name in topics}
        if not ids:
            return
        query = _Query(self.path, ids, self.start)
        order = 0
        try:
            while not query.done:
                yield FilePart(query.bound, order, query.load)
                order += 1
        finally:
            query.close()

    def _read_topics(self, database: sqlite3.Connection) -> dict[int, str]:
        """Fill `topics` and `unreadable`; returns topic names by id."""
        columns = {row[1] for row in database.execute('PRAGMA table_info(topics)')}
        if not {'id', 'name', 'type', 'serialization_format'} <= columns:
            msg = f'{self.path} is an sqlite3 file but no rosbag2 recording: no table of topics'
            raise BagError(msg)
        qos = 'offered_qos_profiles' if 'offered_qos_profiles' in columns else "''"
        digest = 'type_description_hash' if 'type_description_hash' in columns else "''"
        counts = dict(database.execute('SELECT topic_id, COUNT(*) FROM messages GROUP BY topic_id'))
        definitions = _definitions(database)
        ids = {}
        rows = database.execute(
            f'SELECT id, name, type, serialization_format, {qos}, {digest} FROM topics ORDER BY id'
        )
        for key, name, type_name, serialization, profiles, hash_ in rows:
            name, type_name = str(name), str(type_name)
            ids[int(key)] = name
            if serialization != 'cdr':
                self.unreadable[name] = (
                    f"its messages are serialised as '{serialization}', not 'cdr'"
                )
            before = self.topics.get(name)
            if before and before.type_name != type_name:
                self.unreadable[name] = (
                    f'it has messages of two types, {before.type_name} and {type_name}'
                )
            text = definitions.get(type_name, '')
            if not text and is_known(type_name):
                text = message_definition(type_name)
            count = counts.get(key, 0) + (before.count if before else 0)
            self.topics[name] = Topic(name, type_name, text, count, profiles or '', hash_ or '')
        return ids


def connect(path: Path) -> sqlite3.Connection:
    """Open a database for reading only, without creating files beside it.

    A write-ahead log that holds messages, as a killed recorder leaves it, is read too.
    """
    log = path.with_name(f'{path.name}-wal')
    pending = log.is_file() and log.stat().st_size > 0
    options = 'mode=ro' if pending else 'mode=ro&immutable=1'
    return sqlite3.connect(f'file:{quote(str(path.absolute()))}?{options}', uri=True)


def _definitions(database: sqlite3.Connection) -> dict[str, str]:
    """Return the ros2msg texts that ROS 2 Iron and later store, by type name."""
    columns = {row[1] for row in database.execute('PRAGMA table_info(message_definitions)')}
    if not {'topic_type', 'encoding', 'encoded_message_definition'} <= columns:
        return {}
    rows = database.execute(
        'SELECT topic_type, encoded_message_definition FROM message_definitions '
        "WHERE encoding = 'ros2msg'"
    )
    return {str(type_name): str(text) for type_name, text in rows if text}


def _broken(path: Path, error: Exception) -> BagError:
    """Return the error for a database that sqlite cannot read or that has invalid contents."""
    return BagError(
        f'{path} cannot be read as a rosbag2 sqlite3 file: {error}; if it was cut, '
        f'`sqlite3 {path} .recover | sqlite3 whole.db3` saves what can be read'
    )


class _Query:
    """The messages of some topics in time order, fetched a part at a time.

    Attributes:
        bound: No message that is left is older than this, nanoseconds.
        done: All have been fetched.
    """

    def __init__(self, path: Path, ids: dict[int, str], start: int) -> None:
        self.bound = start
        self.done = False
        self._path = path
        self._ids = ids
        self._database: sqlite3.Connection | None = None
        self._rows: Iterator[tuple[int, int, bytes]] = iter(())

    def load(self) -> Loaded:
        """Fetch the next part."""
        try:
            if self._database is None:
                self._open()
            return self._fetch()
        except (sqlite3.Error, ValueError, TypeError, OverflowError, MemoryError) as error:
            raise _broken(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()

    def _open(self) -> None:
        self._database = connect(self._path)
        marks = ','.join('?' * len(self._ids))
        self._rows = self._database.execute(
            'SELECT topic_id, timestamp, data FROM messages '
            f'WHERE +topic_id IN ({marks}) ORDER BY timestamp, id',
            list(self._ids),
        )

    def _fetch(self) -> Loaded:
        """Read rows until the part is full."""
        keys, times, blobs, size = [], [], [], 0
        for key, time, blob in self._rows:
            keys.append(key)
            times.append(time)
            blobs.append(blob)
            size += len(blob)
            if size >= _PART_BYTES or len(keys) >= _PART_MESSAGES:
                break
        else:
            self.done = True
        log_times = np.array(times, np.int64)
        if len(log_times):
            self.bound = int(log_times[-1])
        lengths = np.fromiter(map(len, blobs), np.int64, len(blobs))
        offsets = np.cumsum(lengths) - lengths
        data = np.frombuffer(b''.join(blobs), np.uint8)
        key_of = np.array(keys, np.int64)
        found: dict[str, list[int]] = {}
        for key in np.unique(key_of).tolist():
            found.setdefault(self._ids[key], []).append(key)
        runs = []
        for name, same in found.items():
            which = np.isin(key_of, same)
            runs.append(MessageRun(name, offsets[which], lengths[which], log_times[which]))
        return data, runs
