# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.bags import merge
from m2r2_ros.bags.definitions import message_definition
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.sqlite import source as sqlite_source
from m2r2_ros.core.errors import BagError
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


def test_a_folder_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    path = database(tmp_path / 'x.db3', SOME)
    with closing(sqlite3.connect(path)) as base:
        base.execute('PRAGMA journal_mode=WAL')
    before = sorted(tmp_path.iterdir()), path.read_bytes()
    tmp_path.chmod(0o555)
    try:
        assert read(open_recording(path)) == expected([SOME])
    finally:
        tmp_path.chmod(0o755)
    assert (sorted(tmp_path.iterdir()), path.read_bytes()) == before


def test_what_a_killed_recorder_left_in_its_log_is_read(tmp_path: Path) -> None:
    path = database(tmp_path / 'x.db3', SOME)
    copy = tmp_path / 'killed'
    copy.mkdir()
    with closing(sqlite3.connect(path)) as base:
        base.execute('PRAGMA journal_mode=WAL')
        base.execute('INSERT INTO messages VALUES (999, 0, 9999, ?)', [payload(7)])
        base.commit()
        for file in tmp_path.glob('x.db3*'):
            shutil.copy(file, copy)
    assert read(open_recording(copy / 'x.db3'))[-1] == ('/a', 9999, 7)


@pytest.mark.parametrize(
    'change',
    [
        'UPDATE messages SET timestamp = NULL WHERE id = 50',
        "UPDATE messages SET timestamp = 'noon' WHERE id = 50",
        'UPDATE messages SET data = NULL WHERE id = 50',
        'UPDATE messages SET data = 5 WHERE id = 50',
    ],
)
def test_rows_that_hold_what_they_must_not_are_an_error(tmp_path: Path, change: str) -> None:
    path = database(tmp_path / 'x.db3', SOME)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(change)
    with pytest.raises(BagError, match=r'x\.db3 cannot be read'):
        read(open_recording(path))


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
