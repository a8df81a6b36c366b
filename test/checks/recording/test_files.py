# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import shutil
import sqlite3
from pathlib import Path

import pytest

from m2r2_ros.bags.mcap.records import MAGIC
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.recording.files import file_results
from m2r2_ros.checks.recording.options import FileOptions
from m2r2_ros.simulation.damage import packed_bytes
from test.checks.recording.robot import POSE_TOPIC, START, TWIST_TOPIC, WRENCH_TOPIC, robot, write


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    streams = robot()
    some = {name: streams[name] for name in (POSE_TOPIC, TWIST_TOPIC, WRENCH_TOPIC)}
    return write(tmp_path_factory.mktemp('whole') / 'bag', some)


@pytest.fixture
def bag(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / 'bag'))


def mcap_of(bag: Path) -> Path:
    (file,) = bag.glob('*.mcap')
    return file


def results_of(path: Path, *wanted: str) -> list[Result]:
    return file_results(path, FileOptions(), wanted or ('file.cut', 'file.chunk'))


def flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 0x10
    file.write_bytes(content)


def test_nothing_is_wrong_with_a_whole_file(bag: Path) -> None:
    assert results_of(bag) == []
    assert results_of(mcap_of(bag)) == []


@pytest.mark.parametrize('share', [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_is_told_once(bag: Path, share: float) -> None:
    file = mcap_of(bag)
    with file.open('r+b') as stream:
        stream.truncate(int(file.stat().st_size * share))
    (found,) = results_of(bag)
    assert isinstance(found, Finding)
    assert (found.check, found.severity) == ('file.cut', Severity.ERROR)
    assert 'without a footer' in found.message


def test_a_byte_that_flipped_in_any_chunk_is_found_with_its_time(bag: Path) -> None:
    file = mcap_of(bag)
    first, end = packed_bytes(file, START)
    flip(file, (first + end) // 2)
    (found,) = results_of(bag)
    assert isinstance(found, Finding)
    assert (found.check, found.severity) == ('file.chunk', Severity.ERROR)
    assert found.start == START + min(
        int(stream.logs[0]) - START
        for name, stream in robot().items()
        if name in (POSE_TOPIC, TWIST_TOPIC, WRENCH_TOPIC)
    )
    assert 'messages: ' in found.message
    assert results_of(bag, 'file.cut') == []


def test_bytes_that_are_no_records_are_told(bag: Path) -> None:
    file = mcap_of(bag)
    content = file.read_bytes()
    first, _ = packed_bytes(file, START)
    file.write_bytes(content[:first] + content[first + 100 :])
    found = [r for r in results_of(bag) if isinstance(r, Finding)]
    assert found and found[0].check in ('file.cut', 'file.chunk')


def test_a_summary_that_is_damaged_is_told(bag: Path) -> None:
    file = mcap_of(bag)
    flip(file, file.stat().st_size - 400)
    (found,) = results_of(bag)
    assert found.check == 'file.chunk'
    assert isinstance(found, Finding)
    assert 'summary' in found.message


def test_chunks_without_a_checksum_are_told_and_still_unpacked(bag: Path) -> None:
    file = mcap_of(bag)
    content = bytearray(file.read_bytes())
    at = content.index(b'zstd') - 8  # in front of the length of the name of the compression
    content[at : at + 4] = bytes(4)
    file.write_bytes(content)
    (found,) = results_of(bag)
    assert isinstance(found, NotRun)
    assert 'have no CRC' in found.why
    first, end = packed_bytes(file, START)
    content[first + 3 : end - 3] = bytes(end - first - 6)
    file.write_bytes(content)
    assert [r.check for r in results_of(bag) if isinstance(r, Finding)] == ['file.chunk']


@pytest.mark.parametrize('content', [b'', b'no recording', MAGIC, MAGIC + bytes(40)])
def test_what_is_no_recording_is_an_error_and_no_crash(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / 'odd.mcap'
    file.write_bytes(content)
    results = results_of(file)
    assert results and all(isinstance(r, Finding) and r.check == 'file.cut' for r in results)


def test_a_folder_that_is_no_recording_is_told(tmp_path: Path) -> None:
    (found,) = results_of(tmp_path)
    assert isinstance(found, Finding)
    assert 'holds no recording' in found.message


def test_a_topic_that_has_fewer_messages_than_listed_is_told(bag: Path) -> None:
    metadata = bag / 'metadata.yaml'
    text = metadata.read_text()
    metadata.write_text(text.replace('message_count: 1600', 'message_count: 1700'))
    assert metadata.read_text() != text
    (found,) = results_of(bag)
    assert isinstance(found, Finding)
    assert 'fewer messages than metadata.yaml counts' in found.message


def test_a_database_is_checked_as_far_as_it_can_be(tmp_path: Path) -> None:
    file = tmp_path / 'old.db3'
    with sqlite3.connect(file) as base:
        base.execute('CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, '
                     'type TEXT NOT NULL, serialization_format TEXT NOT NULL)')  # fmt: skip
        base.execute('CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, '
                     'timestamp INTEGER NOT NULL, data BLOB NOT NULL)')  # fmt: skip
        base.execute('CREATE INDEX timestamp_idx ON messages (timestamp ASC)')
        base.execute("INSERT INTO topics VALUES (1, '/a', 'std_msgs/msg/Float64', 'cdr')")
        rows = [(k, 1, k * 10, bytes(200)) for k in range(1, 400)]
        base.executemany('INSERT INTO messages VALUES (?, ?, ?, ?)', rows)
    base.close()
    (told,) = results_of(file)
    assert isinstance(told, NotRun)
    assert 'no checksums' in told.why
    content = bytearray(file.read_bytes())
    content[3 * 4096 : 3 * 4096 + 60] = bytes(range(60))
    file.write_bytes(content)
    found = [r for r in results_of(file) if isinstance(r, Finding)]
    assert found and {f.severity for f in found} == {Severity.ERROR}


def test_very_many_damaged_chunks_are_told_in_the_end_as_one(tmp_path: Path) -> None:
    bag = write(tmp_path / 'bag', {WRENCH_TOPIC: robot()[WRENCH_TOPIC]})
    file = mcap_of(bag)
    body = file.read_bytes()
    first, end = packed_bytes(file, START)
    flip(file, first + 40)
    damaged = file.read_bytes()
    head = first - 8 - 4 - 32 - 9
    record = damaged[head:end]
    file.write_bytes(body[:head] + 5 * record + body[head:])
    found = [r for r in file_results(file, FileOptions(most=2)) if isinstance(r, Finding)]
    assert any('3 more of 6 chunks are damaged' in f.message for f in found)
