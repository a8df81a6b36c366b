# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of a rosbag2 database: whether they are what they are called, and its topics."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m2r2_ros.bags.sqlite.connection import bound_length
from m2r2_ros.core.errors import BagError
from m2r2_ros.readers.definitions import is_known, message_definition

#: A recording with more is refused.
MAX_TOPICS: Final = 1 << 17
#: A text of more bytes counts as none: names have at most 256, QoS profiles and definitions some
#: thousands.
MAX_TEXT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A row of the table of topics; see Topic for what its fields are."""

    id: int
    name: str
    type_name: str
    serialization: str
    qos: str
    type_hash: str


def read_topics(database: sqlite3.Connection, path: Path) -> list[TopicRow]:
    """Return the rows of the table of topics, those without an id, a name or a type left out.

    Raises:
        BagError: A table of rosbag2 is missing or something else, or there are too many topics.
    """
    bound_length(database, 16 * MAX_TEXT)
    columns = _columns(database, path, 'topics')
    _expect(columns, {'id', 'name', 'type', 'serialization_format'}, path, 'topics')
    messages = _columns(database, path, 'messages')
    _expect(messages, {'id', 'topic_id', 'timestamp', 'data'}, path, 'messages')
    if messages['id'] != ('INTEGER', 1):
        msg = f'{path} is no rosbag2 recording: id is not the key of its table of messages'
        raise BagError(msg)
    fields = (
        'name',
        'type',
        'serialization_format',
        'offered_qos_profiles',
        'type_description_hash',
    )
    texts = ', '.join(_text(field) if field in columns else "''" for field in fields)
    found = database.execute(
        f'SELECT id, {texts} FROM topics NOT INDEXED ORDER BY id LIMIT {MAX_TOPICS + 1}'
    ).fetchall()
    if len(found) > MAX_TOPICS:
        msg = f'{path} has more than {MAX_TOPICS} topics; expected fewer'
        raise BagError(msg)
    return [
        TopicRow(key, *(text if isinstance(text, str) else '' for text in texts))
        for key, *texts in found
        if isinstance(key, int) and all(text and isinstance(text, str) for text in texts[:2])
    ]


class StoredDefinitions:
    """The ros2msg texts of types: those in the database, as Iron and later store them, or ours."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._texts: dict[str, str] = {}
        columns = _columns(database, path, 'message_definitions')
        if {'topic_type', 'encoding', 'encoded_message_definition'} <= columns.keys():
            rows = database.execute(
                f'SELECT {_text("topic_type")}, {_text("encoded_message_definition")} '
                "FROM message_definitions NOT INDEXED WHERE encoding = 'ros2msg' "
                f'LIMIT {MAX_TOPICS}'
            )
            self._texts = {
                name: text
                for name, text in rows
                if text and isinstance(name, str) and isinstance(text, str)
            }

    def __getitem__(self, type_name: str) -> str:
        """Return the definition of a type; '' where it is unknown."""
        if type_name not in self._texts:
            known = is_known(type_name)
            self._texts[type_name] = message_definition(type_name) if known else ''
        return self._texts[type_name]


def timestamp_index(database: sqlite3.Connection) -> str | None:
    """Return the name of a plain index over the timestamps of all messages."""
    for _, name, _, _, partial, *_ in database.execute('PRAGMA index_list(messages)').fetchall():
        keys = [
            column
            for _, _, column, descending, _, key in database.execute(
                'SELECT * FROM pragma_index_xinfo(?)', (name,)
            )
            if key and not descending
        ]
        if keys == ['timestamp'] and not partial:
            return str(name)
    return None


def _columns(database: sqlite3.Connection, path: Path, table: str) -> dict[str, tuple[str, int]]:
    """Return the types of a table's stored columns and their ranks in its key; {} without one.

    Raises:
        BagError: It is no ordinary table: what a view or a virtual table gives may be endless.
    """
    found = database.execute(f'PRAGMA table_list({table})').fetchall()
    if not found:
        return {}
    if [row[2] for row in found] != ['table'] or found[0][4]:
        msg = f'{path} is no rosbag2 recording: its {table} are no ordinary table'
        raise BagError(msg)
    rows = database.execute(f'PRAGMA table_xinfo({table})').fetchall()
    return {
        name: (str(kind).upper(), key) for _, name, kind, _, _, key, hidden in rows if not hidden
    }


def _text(column: str) -> str:
    """Return SQL for a text of moderate length, and nothing otherwise."""
    return f'CASE WHEN length(CAST({column} AS BLOB)) <= {MAX_TEXT} THEN {column} END'


def _expect(columns: dict[str, tuple[str, int]], needed: set[str], path: Path, table: str) -> None:
    if missing := sorted(needed - columns.keys()):
        what = (
            f'no {", ".join(missing)} in its table of {table}'
            if columns
            else f'no table of {table}'
        )
        msg = f'{path} is an sqlite3 file but no rosbag2 recording: {what}'
        raise BagError(msg)
