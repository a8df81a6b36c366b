# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.bags import merge
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.sqlite import census
from m2r2_ros.bags.sqlite import source as sqlite_source
from m2r2_ros.core.errors import BagError
from m2r2_ros.readers.definitions import message_definition
from test.bags.files import FLOAT, Item, expected, payload, read

FOXY = 'CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT'
MESSAGES = (
    'CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)'
)
ITEMS = st.lists(st.tuples(st.sampled_from(['/a', '/b']), st.integers(0, 9), st.integers(0, 99)))
SOME: list[Item] = [('/a', 10 * k, k) for k in range(50)] + [('/b', 10 * k, k) for k in range(50)]


def database(
    path: Path, items: list[Item], jazzy: bool = True, serialization: str = 'cdr', kind: str = FLOAT
) -> Path:
    """Make a .db3 as ROS 2 Jazzy or Foxy would."""
    more = ', offered_qos_profiles TEXT, type_description_hash TEXT)' if jazzy else ')'
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(FOXY + more)
        base.execute(MESSAGES)
        base.execute('CREATE INDEX timestamp_idx ON messages (timestamp ASC)')
        names = sorted({item[0] for item in items})
        for key, name in enumerate(names):
            row = [key, name, kind, serialization, *(['qos', 'RIHS01_2'] if jazzy else [])]
            base.execute(f'INSERT INTO topics VALUES ({",".join("?" * len(row))})', row)
        if jazzy:
            base.execute(
                'CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT, '
                'encoding TEXT, encoded_message_definition TEXT, type_description_hash TEXT)'
            )
            row = [0, kind, 'ros2msg', 'float64 data # of the bag', 'RIHS01_2']
            base.execute('INSERT INTO message_definitions VALUES (?,?,?,?,?)', row)
        base.executemany(
            'INSERT INTO messages(topic_id, timestamp, data) VALUES (?,?,?)',
            [(names.index(topic), time, payload(number)) for topic, time, number in items],
        )
    return path


@given(items=ITEMS, limit=st.integers(1, 20))
def test_messages_come_in_time_order_whatever_the_parts(
    tmp_path_factory: pytest.TempPathFactory, items: list[Item], limit: int
) -> None:
    path = database(tmp_path_factory.mktemp('bag') / 'x.db3', items)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_source, '_PART_MESSAGES', limit)
        assert read(open_recording(path)) == expected([items])
        assert read(open_recording(path), ['/b']) == expected([items], ['/b'])


def test_ties_between_files_keep_their_order_whatever_the_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_source, '_PART_MESSAGES', 1)
    monkeypatch.setattr(merge, '_BATCH', 1)
    first: list[Item] = [('/a', 5, 1), ('/a', 5, 2), ('/a', 7, 3)]
    second: list[Item] = [('/a', 5, 4), ('/a', 6, 5)]
    database(tmp_path / 'x_0.db3', first)
    database(tmp_path / 'x_1.db3', second)
    assert read(open_recording(tmp_path)) == expected([first, second])


def test_what_the_tables_say_is_told(tmp_path: Path) -> None:
    recording = open_recording(database(tmp_path / 'x.db3', SOME))
    assert (recording.start, recording.end, recording.message_count) == (0, 490, 100)
    topic = recording.topics['/b']
    assert (topic.type_name, topic.count, topic.qos, topic.type_hash) == (
        FLOAT, 50, 'qos', 'RIHS01_2'
    )  # fmt: skip
    assert topic.definition == 'float64 data # of the bag'


def test_old_files_get_the_definitions_of_today(tmp_path: Path) -> None:
    recording = open_recording(database(tmp_path / 'x.db3', SOME, jazzy=False))
    assert recording.topics['/a'].definition == message_definition(FLOAT)
    assert recording.topics['/a'].qos == recording.topics['/a'].type_hash == ''
    unknown = database(tmp_path / 'y.db3', SOME, jazzy=False, kind='my_msgs/msg/Thing')
    recording = open_recording(unknown)
    assert recording.topics['/a'].definition == ''
    assert read(recording) == expected([SOME])


@pytest.mark.parametrize(
    'change',
    [
        'UPDATE messages SET timestamp = NULL WHERE id = 50',
        "UPDATE messages SET timestamp = 'noon' WHERE id = 50",
        'UPDATE messages SET timestamp = 1.5 WHERE id = 50',
        'UPDATE messages SET timestamp = -490 WHERE id = 50',
        'UPDATE messages SET data = NULL WHERE id = 50',
        "UPDATE messages SET data = 'text' WHERE id = 50",
        'UPDATE messages SET data = 5 WHERE id = 50',
        'UPDATE messages SET topic_id = NULL WHERE id = 50',
        'UPDATE messages SET topic_id = 7 WHERE id = 50',
    ],
)
def test_rows_that_are_no_messages_are_left_out_and_told(tmp_path: Path, change: str) -> None:
    path = database(tmp_path / 'x.db3', SOME)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(change)
    recording = open_recording(path)
    assert read(recording) == expected([SOME[:49] + SOME[50:]])
    assert recording.topics['/a'].count == 49
    (note,) = recording.notes
    assert note.startswith('x.db3: 1 messages')


def test_messages_that_are_too_long_are_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(census, 'MAX_MESSAGE', 20_000)
    path = database(tmp_path / 'x.db3', SOME)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute('UPDATE messages SET data = zeroblob(20001) WHERE id = 2')
    recording = open_recording(path)
    assert read(recording) == expected([SOME[:1] + SOME[2:]])
    assert 'over 20000 bytes' in recording.notes[0]


def damaged(path: Path, change: str) -> None:
    """Change the table alone, as damage does: its index is hidden from sqlite meanwhile."""
    with closing(sqlite3.connect(path)) as base, base:
        query = 'SELECT sql, rootpage FROM sqlite_master WHERE name = ?'
        index = base.execute(query, ('timestamp_idx',)).fetchone()
        base.execute('PRAGMA writable_schema = ON')
        base.execute("DELETE FROM sqlite_master WHERE name = 'timestamp_idx'")
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(change)
        base.execute('PRAGMA writable_schema = ON')
        row = ('index', 'timestamp_idx', 'messages', index[1], index[0])
        base.execute('INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)', row)


def test_messages_that_the_index_has_and_the_table_has_not_are_told(tmp_path: Path) -> None:
    path = database(tmp_path / 'x.db3', [(t, time * 10**8, k) for t, time, k in SOME])
    damaged(path, 'DELETE FROM messages WHERE id BETWEEN 11 AND 14')
    recording = open_recording(path)
    assert [number for *_, number in read(recording, ['/a'])] == [*range(10), *range(14, 50)]
    (note,) = recording.notes
    assert note.startswith('x.db3: 4 messages of 10.000 s to 13.000 s are in the index')
    assert 'sqlite3' in note
    assert '.recover' in note


def test_an_index_that_contradicts_the_table_is_told_and_not_used(tmp_path: Path) -> None:
    path = database(tmp_path / 'x.db3', SOME)
    damaged(path, 'UPDATE messages SET timestamp = 77 WHERE id = 1')
    recording = open_recording(path)
    assert ('/a', 77, 0) in read(recording)
    assert 'have another log time in the index' in ' '.join(recording.notes)


@pytest.mark.parametrize('lost', [0, 5])
def test_messages_that_are_missing_from_a_table_without_an_index_are_told(
    tmp_path: Path, lost: int
) -> None:
    path = database(tmp_path / 'x.db3', SOME)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute('DROP INDEX timestamp_idx')
        base.execute('DELETE FROM messages WHERE id BETWEEN 11 AND ?', (10 + lost,))
    recording = open_recording(path)
    assert len(read(recording)) == 100 - lost
    assert [note[: len('x.db3: 5')] for note in recording.notes] == ['x.db3: 5'] * bool(lost)


@pytest.mark.parametrize('cut', [0, 10, 4096, 9000])
def test_broken_files_are_refused(tmp_path: Path, cut: int) -> None:
    path = database(tmp_path / 'x.db3', SOME)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BagError, match=r'x\.db3'):
        read(open_recording(path))


def test_other_databases_are_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / 'x.db3')) as base, base:
        base.execute('CREATE TABLE films(name TEXT)')
    with pytest.raises(BagError, match='no rosbag2 recording'):
        open_recording(tmp_path / 'x.db3')


def test_other_serialisations_are_refused_by_topic(tmp_path: Path) -> None:
    recording = open_recording(database(tmp_path / 'x.db3', SOME, serialization='cbor'))
    with pytest.raises(BagError, match=r"topic /a cannot be read: .* 'cbor', not 'cdr'"):
        recording.blocks()
