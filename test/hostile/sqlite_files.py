# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sqlite3 databases that were made to do harm, and damaged ones."""

import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from m2r2_ros.bags.recording import open_recording
from test.bags.files import FLOAT, payload

TOPICS: Final = (
    'CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, '
    'serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL)'
)
MESSAGES: Final = (
    'CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, '
    'timestamp INTEGER NOT NULL, data BLOB NOT NULL)'
)
INDEX: Final = 'CREATE INDEX timestamp_idx ON messages (timestamp ASC)'
TOPIC: Final = f"INSERT INTO topics VALUES (1, '/a', '{FLOAT}', 'cdr', '')"
#: Rows without end, at no cost in bytes.
ENDLESS: Final = 'WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n)'
MB: Final = 1 << 20


def make(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as base, base:
        for statement in statements:
            base.execute(statement)


def fill(path: Path, count: int = 400, topics: int = 3) -> None:
    """Write a sound recording of several pages for each table and index."""
    with closing(sqlite3.connect(path)) as base, base:
        for statement in (TOPICS, MESSAGES, INDEX):
            base.execute(statement)
        base.executemany(
            'INSERT INTO topics VALUES (?, ?, ?, ?, ?)',
            [(k + 1, f'/t{k}', FLOAT, 'cdr', 'qos') for k in range(topics)],
        )
        base.executemany(
            'INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)',
            [(k % topics + 1, (1 << 60) + k * 10**7, payload(k, 60)) for k in range(count)],
        )


def views(path: Path) -> None:
    """Messages that are computed without end."""
    make(
        path, TOPICS, TOPIC,
        f'CREATE VIEW messages AS {ENDLESS} '
        "SELECT k AS id, 1 AS topic_id, k AS timestamp, x'00010000' AS data FROM n",
    )  # fmt: skip


def topic_views(path: Path) -> None:
    make(
        path, MESSAGES,
        f"CREATE VIEW topics AS {ENDLESS} SELECT k AS id, '/' || k AS name, 'a/msg/B' AS type, "
        "'cdr' AS serialization_format, '' AS offered_qos_profiles FROM n",
    )  # fmt: skip


def definition_views(path: Path) -> None:
    make(
        path, TOPICS, MESSAGES, TOPIC,
        f"CREATE VIEW message_definitions AS {ENDLESS} SELECT k AS topic_type, "
        "'ros2msg' AS encoding, 'x' AS encoded_message_definition FROM n",
    )  # fmt: skip


def disguised_views(path: Path) -> None:
    """A view that the schema calls a table."""
    make(path, TOPICS, MESSAGES, TOPIC)
    view = f"CREATE VIEW messages AS {ENDLESS} SELECT k, 1, k, x'00' FROM n"
    make(
        path, 'PRAGMA writable_schema = ON',
        f"""UPDATE sqlite_master SET sql = "{view}" WHERE name = 'messages'""",
    )  # fmt: skip


def virtual_tables(path: Path) -> None:
    make(
        path, TOPICS, TOPIC,
        'CREATE VIRTUAL TABLE messages USING fts5(id, topic_id, timestamp, data)',
        'INSERT INTO messages VALUES (1, 1, 5, 9)',
    )  # fmt: skip


def generated_columns(path: Path) -> None:
    """Messages of a megabyte each that are computed from nothing."""
    make(
        path, TOPICS, TOPIC,
        'CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, '
        'data BLOB AS (zeroblob(1000000000)))',
        f'INSERT INTO messages(topic_id, timestamp) {ENDLESS} SELECT 1, k FROM n LIMIT 1000',
    )  # fmt: skip


def default_values(path: Path) -> None:
    """Rows that share one large value, which is stored once."""
    make(
        path, TOPICS, TOPIC,
        'CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER)',
        f'INSERT INTO messages(topic_id, timestamp) {ENDLESS} SELECT 1, k FROM n LIMIT 50000',
        f"ALTER TABLE messages ADD COLUMN data BLOB DEFAULT x'{'00' * (MB // 2)}'",
    )  # fmt: skip


def without_key(path: Path) -> None:
    make(
        path, TOPICS, TOPIC,
        f"CREATE TABLE messages AS {ENDLESS} SELECT k AS id, 1 AS topic_id, "
        "'noon' AS timestamp, x'00' AS data FROM n LIMIT 10",
    )  # fmt: skip


def without_rowid(path: Path) -> None:
    make(path, TOPICS, TOPIC, f'{MESSAGES} WITHOUT ROWID', 'INSERT INTO messages VALUES (1,1,1,1)')


def odd_indexes(path: Path) -> None:
    """Indexes that are no plain ones over the timestamps, or that order them in another way."""
    make(
        path, TOPICS, MESSAGES, TOPIC, INDEX,
        'CREATE INDEX a ON messages (timestamp DESC)',
        'CREATE INDEX b ON messages (abs(timestamp))',
        'CREATE INDEX c ON messages (timestamp) WHERE id > 5',
        'CREATE INDEX "d""; --" ON messages (timestamp COLLATE NOCASE)',
        f"INSERT INTO messages {ENDLESS} SELECT k, 1, 100 - k, x'00010000' FROM n LIMIT 50",
    )  # fmt: skip


def many_columns(path: Path) -> None:
    columns = ', '.join(f'c{k}' for k in range(1900))
    make(path, TOPICS, TOPIC, MESSAGES.replace('data BLOB', f'{columns}, data BLOB'))


def many_tables(path: Path) -> None:
    make(path, TOPICS, TOPIC, MESSAGES, *(f'CREATE TABLE t{k}(a, b)' for k in range(2000)))


def triggers(path: Path) -> None:
    make(
        path, TOPICS, MESSAGES, TOPIC, INDEX,
        "CREATE TRIGGER t AFTER INSERT ON messages BEGIN SELECT RAISE(ABORT, 'x'); END",
    )  # fmt: skip


def zero_blobs(path: Path) -> None:
    """A message that is larger than messages are."""
    make(path, TOPICS, MESSAGES, TOPIC, INDEX)
    make(path, 'INSERT INTO messages VALUES (1, 1, 1, zeroblob(300000000))')


def odd_values(path: Path) -> None:
    make(path, TOPICS.replace(' NOT NULL', ''), MESSAGES.replace(' NOT NULL', ''), INDEX, TOPIC)
    with closing(sqlite3.connect(path)) as base, base:
        odd: list[object] = [None, 'noon', 1.5, -1, 2**63 - 1, -(2**63), b'\xff', 'x' * MB, 7]
        base.executemany(
            'INSERT INTO messages VALUES (?, 1, ?, ?)', [(k, v, b'\0') for k, v in enumerate(odd)]
        )
        base.executemany(
            'INSERT INTO messages VALUES (?, 1, 5, ?)', [(k + 90, v) for k, v in enumerate(odd)]
        )
        base.executemany(
            'INSERT INTO messages(topic_id, timestamp, data) VALUES (?, 5, ?)',
            [(v, b'\0') for v in odd],
        )
        columns = 'name, type, serialization_format, offered_qos_profiles'
        for value in (*odd, b'\xff/a'):
            base.execute(f'INSERT INTO topics({columns}) VALUES (?, ?, ?, ?)', (value,) * 4)
        base.execute("INSERT INTO topics VALUES (900, CAST(x'2fff' AS TEXT), 'a/msg/B', 'cdr', '')")


def large_texts(path: Path) -> None:
    make(path, TOPICS, MESSAGES)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute('INSERT INTO topics VALUES (1, ?, ?, ?, ?)', ['/a' * (15 * MB)] * 4)


def shared_pages(path: Path) -> None:
    """A tree of pages whose every branch is the same page: rows without end in a small file."""
    fill(path)
    with closing(sqlite3.connect(path)) as base:
        (root,) = base.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'messages'"
        ).fetchone()
    content = bytearray(path.read_bytes())
    size = int.from_bytes(content[16:18], 'big')
    top = (root - 1) * size
    leaf = int.from_bytes(content[top + 8 : top + 12], 'big')
    pages = len(content) // size
    below = [*range(pages + 1, pages + 13), leaf]
    content[top : top + size] = _inner_page(below[0], size)
    for child in below[1:]:
        content += _inner_page(child, size)
    content[28:32] = (pages + 12).to_bytes(4, 'big')
    path.write_bytes(content)


def _inner_page(child: int, size: int) -> bytes:
    """Return an inner page of a table, all of whose children are one page."""
    cells = 100
    first = size - 5 * cells
    head = struct.pack('>BHHHBI', 5, 0, cells, first, 0, child)
    places = struct.pack(f'>{cells}H', *range(first, size, 5))
    body = struct.pack('>IB', child, 1) * cells
    return head + places + bytes(size - len(head + places + body)) + body


def many_topics(path: Path) -> None:
    make(path, TOPICS, MESSAGES, INDEX)
    with closing(sqlite3.connect(path)) as base, base:
        rows = [(k, f'/t{k}', FLOAT, 'cdr', '') for k in range(60_000)]
        base.executemany('INSERT INTO topics VALUES (?, ?, ?, ?, ?)', rows)
        base.executemany(
            'INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)',
            [(k, k, payload(k)) for k in range(60_000)],
        )


def too_many_topics(path: Path) -> None:
    make(
        path, TOPICS, MESSAGES, INDEX,
        f"INSERT INTO topics {ENDLESS} SELECT k, '/' || k, 'a', 'cdr', '' FROM n LIMIT 200000",
    )  # fmt: skip


CASES: Final[list[Callable[[Path], None]]] = [
    views, topic_views, definition_views, disguised_views, virtual_tables, generated_columns,
    default_values, without_key, without_rowid, odd_indexes, many_columns, many_tables, triggers,
    zero_blobs, odd_values, large_texts, shared_pages, many_topics, too_many_topics,
]  # fmt: skip


def read_all(path: Path) -> None:
    recording = open_recording(path)
    for blocks in recording.blocks(recording.readable):
        assert all(len(block.message(len(block) - 1)) >= 0 for block in blocks)
