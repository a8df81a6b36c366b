# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags opened as recordings: messages, types, spans, what a killed recorder leaves."""

import random
from pathlib import Path
from typing import Any

import pytest
from rosbags.rosbag1 import Writer

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.importing import import_recording
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.source import ALWAYS, Span
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import in_order
from m2r2_ros.readers.definitions import store_for, typestore
from test.bags.ros1.files import BEGIN, messages, ros1, write_bag
from test.cli.run import done


def read(recording: Recording, span: Span = ALWAYS) -> list[tuple[int, str, Any]]:
    """Return log times, topics and messages in order."""
    stores = {
        name: (t.type_name, store_for(t.type_name, t.definition))
        for name, t in recording.topics.items()
    }
    found = []
    for blocks in recording.blocks(recording.readable, span):
        for time, name, raw in in_order(blocks):
            kind, store = stores[name]
            found.append((time, name, store.deserialize_cdr(bytes(raw), kind)))
    return found


@pytest.fixture(scope='module', params=['', 'BZ2', 'LZ4'])
def bag(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('ros1') / 'a.bag'
    return write_bag(path, messages(200), request.param)


def test_topics_have_types_of_ros_2(bag: Path) -> None:
    recording = open_recording(bag)
    assert {n: (t.type_name, t.count) for n, t in recording.topics.items()} == {
        '/ft': ('geometry_msgs/msg/WrenchStamped', 200),
        '/gauge': ('my_msgs/msg/Gauge', 200),
        '/range': ('sensor_msgs/msg/Range', 200),
    }
    assert recording.start == BEGIN
    assert recording.end == BEGIN + 1_990_000_002
    assert recording.message_count == 600
    assert recording.notes == ()
    assert not recording.truncated
    assert 'transient_local' in recording.topics['/gauge'].qos
    known = typestore().hash_rihs01('geometry_msgs/msg/WrenchStamped')
    assert recording.topics['/ft'].type_hash == known
    assert 'builtin_interfaces/Time since' in recording.topics['/gauge'].definition


def test_messages_are_those_of_the_bag(bag: Path) -> None:
    found = read(open_recording(bag))
    written = messages(200)
    assert [(t, n) for t, n, _ in found] == [(t, '/' + n.lstrip('/')) for n, _, t, _ in written]
    for (_, name, got), (_, _, _, want) in zip(found, written, strict=True):
        assert got.header.stamp.sec == want.header.stamp.sec
        assert got.header.stamp.nanosec == want.header.stamp.nanosec
        assert got.header.frame_id == 'base'
        if name == '/ft':
            assert got.wrench.force.x == want.wrench.force.x
            assert got.wrench.torque.z == 5
        elif name == '/gauge':
            assert (got.values == want.values).all()
            assert [c.charge for c in got.cells] == [c.charge for c in want.cells]
            assert (got.taken.nanosec, got.unit) == (want.taken.nanosec, 'ü')
        else:
            assert (got.range, got.variance) == (want.range, 0)


def test_a_span_reads_what_lies_in_it(bag: Path) -> None:
    span = Span(BEGIN + 500_000_000, BEGIN + 700_000_000)
    found = [(t, n, str(m)) for t, n, m in read(open_recording(bag), span)]
    whole = [(t, n, str(m)) for t, n, m in read(open_recording(bag))]
    assert found == [row for row in whole if span.since <= row[0] < span.until]
    assert len(found) == 60


def test_chunks_that_are_not_in_order_are_brought_into_it(tmp_path: Path) -> None:
    content = messages(100)
    random.Random(1).shuffle(content)
    found = read(open_recording(write_bag(tmp_path / 'a.bag', content)))
    assert [t for t, _, _ in found] == sorted(t for _, _, t, _ in content)


def test_bags_are_found_in_folders(tmp_path: Path) -> None:
    (tmp_path / 'all').mkdir()
    for name in ('b', 'a'):
        write_bag(tmp_path / 'all' / f'{name}.bag', messages(1))
    assert [p.name for p in find_recordings([tmp_path])] == ['a.bag', 'b.bag']
    assert open_recording(tmp_path / 'all/a.bag').name == 'a'


@pytest.mark.parametrize('packed', ['', 'BZ2', 'LZ4'])
def test_what_a_killed_recorder_left_is_read(tmp_path: Path, packed: str) -> None:
    path = write_bag(tmp_path / 'a.bag', messages(200), packed)
    whole = path.read_bytes()
    expected = [(t, n, str(m)) for t, n, m in read(open_recording(path))]
    path.write_bytes(whole[: len(whole) * 6 // 10])
    recording = open_recording(path)
    assert recording.truncated
    assert 'was not closed, or is cut' in recording.notes[0]
    found = [(t, n, str(m)) for t, n, m in read(recording)]
    assert len(found) == recording.message_count
    assert 50 < len(found) < 600
    assert found == expected[: len(found)]
    # A recorder that did not get to the end says nothing of an index.
    at = whole.index(b'index_pos=') + len(b'index_pos=')
    path.write_bytes(whole[:at] + bytes(8) + whole[at + 8 :])
    recording = open_recording(path)
    assert 'it was not closed: what is whole of it is read' in recording.notes[0]
    assert [(t, n, str(m)) for t, n, m in read(recording)] == expected


def test_an_empty_bag_has_no_messages(tmp_path: Path) -> None:
    recording = open_recording(write_bag(tmp_path / 'a.bag', []))
    assert (recording.message_count, recording.start, recording.topics) == (0, 0, {})


def test_topics_of_two_types_are_told(tmp_path: Path) -> None:
    path = tmp_path / 'a.bag'
    store = ros1()
    with Writer(path) as writer:
        for name in ('std_msgs/msg/Float64', 'std_msgs/msg/Int8'):
            connection = writer.add_connection('/a', name, typestore=store)
            writer.write(connection, BEGIN, store.serialize_ros1(store.types[name](data=1), name))
        number = writer.add_connection('/b', name, typestore=store)
        writer.write(number, BEGIN, store.serialize_ros1(store.types[name](data=1), name))
    recording = open_recording(path)
    assert recording.readable == ['/b']
    with pytest.raises(BagError, match='messages of two types'):
        next(iter(recording.blocks(['/a'])))
    report = import_recording(recording, tmp_path / 'out', 'the bag')
    assert report.messages == {'/b': 1}
    assert 'not imported: /a: it has messages of two types' in report.notes[0]
    assert 'it has messages of two types' in done('inspect', path).out


def test_one_chunk_is_held_at_a_time(tmp_path: Path) -> None:
    recording = open_recording(write_bag(tmp_path / 'a.bag', messages(400)))
    parts = list(recording.sources[0].parts(['/ft']))
    assert len(parts) > 10
    assert all(part.again for part in parts)
    for part in (parts[-1], parts[0], parts[-1]):
        data, runs = part.load()
        assert len(data) < 8192
        assert runs[0].log_times.min() >= part.start
