# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many messages a database holds, and how many it has lost where it is damaged."""

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from m2r2_ros.bags.sqlite.connection import MAX_MESSAGE, Database, bound_length, recover
from m2r2_ros.bags.sqlite.schema import timestamp_index
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.time import SECOND

#: A table and its index for which the sum of this is the same have the same rows, since they share
#: no page that could be damaged.
_HASH: Final = '(id * 31 + timestamp) % 2147483647'
_SPAN: Final = 'COUNT(id), MIN(timestamp), MAX(timestamp)'
_UNORDERED: Final = 'NOT INDEXED'


@dataclass(frozen=True, slots=True)
class Census:
    """The messages of a database.

    Attributes:
        counts: Messages by topic id.
        start: Log time of the first, nanoseconds; 0 without messages.
        end: Log time of the last, nanoseconds; 0 without messages.
        longest: Bytes of the longest row.
        index: The index by which they are read, as SQL.
        where: Which rows are messages, as SQL.
        notes: What is missing.
    """

    counts: dict[int, int]
    start: int
    end: int
    longest: int
    index: str
    where: str
    notes: tuple[str, ...]


def take_census(
    database: Database, connection: sqlite3.Connection, topics: Collection[int]
) -> Census:
    """Count the messages, and compare the table with its index of timestamps.

    That reads the table without the content of messages, and the index.

    Args:
        database: The file.
        connection: It, opened.
        topics: The ids of its topics.

    Raises:
        BagError: The table is too damaged to be read.
    """
    bound_length(connection, MAX_MESSAGE)
    # What a row has to be to be read.
    readable = (
        "typeof(timestamp) = 'integer' AND timestamp >= 0 AND typeof(data) = 'blob' "
        f'AND length(data) <= {MAX_MESSAGE}'
    )
    counts: dict[int, int] = {}
    rows = total = messages = size = longest = 0
    # The LIMIT keeps the inner query apart: the content is not sorted by topic.
    for key, *found in connection.execute(
        'SELECT topic, COUNT(*), SUM(hash), COUNT(size), SUM(size), MAX(size) FROM '
        f'(SELECT topic_id AS topic, {_HASH} AS hash, '
        f'CASE WHEN {readable} THEN length(data) END AS size '
        'FROM messages NOT INDEXED LIMIT -1) GROUP BY topic'
    ):
        here, hashes, count, held, most = (number or 0 for number in found)
        rows, total, messages = rows + here, total + hashes, messages + count
        size, longest = size + held, max(longest, most)
        if key in topics:
            counts[key] = counts.get(key, 0) + count  # damage makes 1.0 of 1
    if size > database.size:
        raise _damaged(database, f'it claims {size} bytes of messages, more than the file has')
    unreadable, nameless = rows - messages, messages - sum(counts.values())
    where = readable if unreadable else '1'
    index = timestamp_index(connection)
    by = 'INDEXED BY "{}"'.format(index.replace('"', '""')) if index else _UNORDERED
    intact = _intact(connection, (rows, total), by)
    used = by if intact else _UNORDERED
    start = _row(connection, f'SELECT MIN(timestamp) FROM messages {used} WHERE {where}')[0] or 0
    end = _row(connection, f'SELECT MAX(timestamp) FROM messages {used} WHERE {where}')[0] or 0
    notes = [] if intact else [*_losses(database, connection, by, start)]
    if unreadable:
        found = _row(connection, f'SELECT {_SPAN} FROM messages NOT INDEXED WHERE NOT ({readable})')
        what = f'have no valid time or content, or over {MAX_MESSAGE} bytes, and are left out'
        notes.append(_note(found, start, what))
    if nameless:
        found = (nameless, *_span_of_others(connection, topics, where))
        notes.append(_note(found, start, 'belong to no topic that is known, and are left out'))
    told = tuple(f'{database.path.name}: {note}' for note in notes)
    return Census(counts, start, end, longest, used, where, told)


def _row(connection: sqlite3.Connection, query: str) -> tuple[Any, ...]:
    """Return the only row that a query has."""
    row: tuple[Any, ...] = connection.execute(query).fetchone()
    return row


def _intact(connection: sqlite3.Connection, sums: tuple[int, int], by: str) -> bool:
    """Return whether no row was lost: the index has the same, or the ids have no gap."""
    if by == _UNORDERED:
        count, total, first, last = _row(
            connection, 'SELECT COUNT(id), TOTAL(id), MIN(id), MAX(id) FROM messages NOT INDEXED'
        )
        return not count or (last - first + 1, (first + last) / 2 * count) == (count, total)
    try:
        count, total = _row(connection, f'SELECT COUNT(id), SUM({_HASH}) FROM messages {by}')
    except sqlite3.DatabaseError:
        return False
    return (count, total or 0) == sums


def _losses(
    database: Database, connection: sqlite3.Connection, by: str, start: int
) -> Iterator[str]:
    """Yield what is missing from a table, by its index or by the numbers of its rows.

    Raises:
        BagError: The table has rows twice.
    """
    again, gaps = _row(
        connection,
        'SELECT COUNT(id) - COUNT(DISTINCT id + 0), MAX(id) - MIN(id) + 1 - COUNT(id) '
        'FROM messages NOT INDEXED',
    )
    if again:
        raise _damaged(database, f'it has {again} messages twice, perhaps in place of others')
    way = recover(database.path)
    try:
        if by != _UNORDERED:
            found = _row(
                connection,
                f'SELECT {_SPAN} FROM messages AS a {by} WHERE NOT EXISTS '
                '(SELECT 1 FROM messages AS b NOT INDEXED WHERE b.id = a.id)',
            )
            if found[0]:
                yield _note(found, start, f'are in the index of timestamps only; {way}')
            found = _row(
                connection,
                f'SELECT {_SPAN} FROM messages AS a NOT INDEXED WHERE NOT EXISTS (SELECT 1 FROM '
                f'messages AS b {by} WHERE b.timestamp = a.timestamp AND b.id = a.id)',
            )
            if found[0]:
                yield _note(
                    found, start, 'have another log time in the index of timestamps, or none'
                )
            return
    except sqlite3.DatabaseError as error:
        yield f'its index of timestamps is damaged and not used: {error}'
    if gaps:
        yield _note((gaps, None, None), start, f'are missing, by the numbers of the others; {way}')


def _span_of_others(
    connection: sqlite3.Connection, topics: Collection[int], where: str
) -> tuple[int | None, int | None]:
    """Return the first and the last log time of messages of unknown topics."""
    first = last = None
    for key, begin, end in connection.execute(
        f'SELECT topic_id, MIN(timestamp), MAX(timestamp) FROM messages NOT INDEXED '
        f'WHERE {where} GROUP BY topic_id'
    ):
        if key not in topics:
            first = begin if first is None else min(first, begin)
            last = end if last is None else max(last, end)
    return first, last


def _note(found: tuple[Any, ...], start: int, what: str) -> str:
    """Say that so many messages are not well, and when they were recorded where that is known."""
    count, first, last = found
    when = ''
    if isinstance(first, int) and isinstance(last, int):
        begin, end = ((time - start) / SECOND for time in (first, last))
        when = f' of {begin:.3f} s to {end:.3f} s'
    return f'{count} messages{when} {what}'


def _damaged(database: Database, what: str) -> BagError:
    return BagError(f'{database.path} is damaged: {what}; {recover(database.path)}')
