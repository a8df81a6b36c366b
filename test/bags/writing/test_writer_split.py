# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.mcap.repair import repair
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError
from test.bags.files import payload, read

FLOAT = 'std_msgs/msg/Float64'
STRING = 'std_msgs/msg/String'
SECOND = 1_000_000_000


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for what a thread of the writer does; fail where it does not."""
    deadline = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def write_split(path: Path, count: int = 10, **options: float) -> BagWriter:
    """Write a message every second; the bag stays open."""
    bag = BagWriter(path, **{'max_duration': 3.0, **options})  # type: ignore[arg-type]
    bag.add_topic('/number', FLOAT)
    bag.add_topic('/silent', STRING)
    for k in range(count):
        bag.write('/number', payload(k), k * SECOND)
    return bag


def test_split_bag_reads_back_everywhere(tmp_path: Path) -> None:
    folder = tmp_path / 'bag'
    bag = write_split(folder)
    assert bag.counts == {'/number': 10, '/silent': 0}
    bag.close()
    assert bag.counts == {'/number': 10, '/silent': 0}
    files = [folder / f'bag_{k}.mcap' for k in range(4)]
    assert sorted(folder.iterdir()) == [*files, folder / 'metadata.yaml']
    assert bag.size == sum(file.stat().st_size for file in files)

    items = [('/number', k * SECOND, k) for k in range(10)]
    recording = open_recording(folder)
    assert read(recording) == items
    assert not recording.truncated
    assert find_recordings([tmp_path]) == [folder]
    with AnyReader([folder]) as reader:
        assert reader.message_count == 10
        assert [time for _, time, _ in reader.messages()] == [k * SECOND for k in range(10)]
    for number, file in enumerate(files):
        with file.open('rb') as stream:
            found = make_reader(stream, validate_crcs=True)
            summary = found.get_summary()
            assert summary is not None
            assert {c.topic for c in summary.channels.values()} == {'/number', '/silent'}
            assert [m.log_time for _, _, m in found.iter_messages()] == [
                k * SECOND for k in range(number * 3, min(number * 3 + 3, 10))
            ]


def test_metadata_tells_of_every_file(tmp_path: Path) -> None:
    write_split(tmp_path / 'bag', 8).close()
    content = yaml.safe_load((tmp_path / 'bag' / 'metadata.yaml').read_text())
    information = content['rosbag2_bagfile_information']
    assert information['relative_file_paths'] == ['bag_0.mcap', 'bag_1.mcap', 'bag_2.mcap']
    spans = [
        (
            file['path'],
            file['starting_time']['nanoseconds_since_epoch'] // SECOND,
            file['duration']['nanoseconds'] // SECOND,
            file['message_count'],
        )
        for file in information['files']
    ]
    assert spans == [('bag_0.mcap', 0, 2, 3), ('bag_1.mcap', 3, 2, 3), ('bag_2.mcap', 6, 1, 2)]
    assert information['duration']['nanoseconds'] == 7 * SECOND
    assert information['message_count'] == 8
    with (tmp_path / 'bag' / 'bag_1.mcap').open('rb') as stream:
        [record] = make_reader(stream).iter_metadata()
    own = yaml.safe_load(record.metadata['serialized_metadata'])
    assert own['relative_file_paths'] == ['bag_1.mcap']
    assert own['files'] == [information['files'][1]]
    assert [t['message_count'] for t in own['topics_with_message_count']] == [3, 0]


def test_split_by_size(tmp_path: Path) -> None:
    noise = random.Random(0).randbytes
    with BagWriter(tmp_path / 'bag', max_size=3_000_000) as bag:
        bag.add_topic('/noise', STRING)
        for k in range(100):
            bag.write('/noise', payload(k) + noise(100_000), k)
    sizes = [f.stat().st_size for f in sorted((tmp_path / 'bag').glob('*.mcap'))]
    assert len(sizes) == 4
    assert all(3_000_000 <= size < 4_500_000 for size in sizes[:-1])
    assert open_recording(tmp_path / 'bag').message_count == 100


def test_files_before_the_last_are_complete_while_it_is_written(tmp_path: Path) -> None:
    bag = write_split(tmp_path / 'bag')
    partial = tmp_path / 'bag.partial'
    for k in range(3):
        with (partial / f'bag_{k}.mcap').open('rb') as stream:
            assert len(list(make_reader(stream).iter_messages())) == 3
    bag.close()


CRASH = """
import os, sys
from pathlib import Path
from test.bags.writing.test_writer_split import wait_until, write_split
bag = write_split(Path(sys.argv[1]), flush_interval=0.02)
file = Path(sys.argv[1] + '.partial', 'bag_3.mcap')
wait_until(lambda: file.stat().st_size >= 100)
os.kill(os.getpid(), 9)
"""


def test_killed_process_leaves_complete_files_and_one_that_is_cut(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, '-c', CRASH, str(tmp_path / 'bag')], check=False)
    assert done.returncode == -signal.SIGKILL
    partial = tmp_path / 'bag.partial'
    recording = open_recording(partial)
    assert recording.truncated
    assert recording.message_count == 10
    report = repair(partial, tmp_path / 'repaired')
    assert report.messages == {'/number': 10, '/silent': 0}
    assert [loss.file.name for loss in report.losses] == ['bag_3.mcap']


def test_last_file_that_holds_nothing_is_no_obstacle_to_repair(tmp_path: Path) -> None:
    write_split(tmp_path / 'bag').close()
    (tmp_path / 'bag' / 'bag_4.mcap').write_bytes(b'')
    report = repair(tmp_path / 'bag', tmp_path / 'repaired')
    assert report.messages['/number'] == 10
    assert [loss.file.name for loss in report.losses] == ['bag_4.mcap']


def test_topic_that_comes_later_is_in_all_files_from_then_on(tmp_path: Path) -> None:
    with write_split(tmp_path / 'bag', 4) as bag:
        bag.add_topic('/late', STRING)
        bag.write('/late', payload(0), 7 * SECOND)
    assert '/late' in open_recording(tmp_path / 'bag' / 'bag_2.mcap').topics
    assert '/late' not in open_recording(tmp_path / 'bag' / 'bag_0.mcap').topics


def write_and_flush(bag: BagWriter, file: Path, topic: str, number: int) -> None:
    size = file.stat().st_size
    bag.write(topic, payload(number), number)
    wait_until(lambda: file.stat().st_size > size)


def test_topic_that_speaks_long_after_it_came_is_known_in_a_cut_file(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / 'bag', flush_interval=0.01)
    file = tmp_path / 'bag.partial' / 'bag_0.mcap'
    bag.add_topic('/number', FLOAT)
    for k in range(3):
        bag.add_topic(f'/late_{k}', STRING)
        write_and_flush(bag, file, '/number', k)
    write_and_flush(bag, file, '/late_1', 9)
    recording = open_recording(tmp_path / 'bag.partial')
    assert recording.truncated
    assert read(recording)[-1] == ('/late_1', 9, 9)
    bag.close()


def test_time_that_jumps_back_does_not_split(tmp_path: Path) -> None:
    with write_split(tmp_path / 'bag', 3) as bag:
        bag.write('/number', payload(0), 0)
    assert len(list((tmp_path / 'bag').glob('*.mcap'))) == 1


def test_every_flush_waits_for_the_disk_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr('m2r2_ros.bags.writing.part.os.fsync', synced.append)
    for fsync in (False, True):
        synced.clear()
        bag = BagWriter(tmp_path / f'bag{fsync}', flush_interval=0.001, fsync=fsync)
        bag.add_topic('/number', FLOAT)
        size = bag.size
        bag.write('/number', payload(0), 0)
        wait_until(lambda: bag.size > size and (synced or not fsync))  # noqa: B023 - now
        assert bool(synced) is fsync
        bag.close()


FULL = 200_000


def limit_file_size() -> None:
    """Let the disk be full, for every single file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, FULL))


OVERFLOW = """
import random, sys, time
from pathlib import Path
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError
from test.bags.files import payload
bag = BagWriter(Path(sys.argv[1]), flush_interval=0.01)
bag.add_topic('/noise', 'std_msgs/msg/String')
noise = random.Random(0).randbytes
try:
    for k in range(1000):
        bag.write('/noise', payload(k) + noise(5_000), k)
        time.sleep(0.001)
except BagError as error:
    print(error)
for again in (lambda: bag.write('/noise', b'', 0), bag.check, bag.close, bag.close):
    try:
        again()
    except BagError as error:
        assert 'cannot be written' in str(error), error
    else:
        raise SystemExit('no error')
print(bag.size, sum(bag.counts.values()))
"""


def test_full_disk_leaves_all_up_to_the_last_flush(tmp_path: Path) -> None:
    command = [sys.executable, '-c', OVERFLOW, str(tmp_path / 'bag')]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, preexec_fn=limit_file_size
    )
    message, figures = done.stdout.splitlines()
    assert 'File too large' in message
    assert 'write elsewhere' in message
    assert done.stderr == ''
    partial = tmp_path / 'bag.partial'
    size = (partial / 'bag_0.mcap').stat().st_size
    assert int(figures.split()[0]) == size == FULL
    recording = open_recording(partial)
    assert recording.truncated
    # What fits, less a flush that was cut.
    assert 20 <= recording.message_count <= 40
    assert not (tmp_path / 'bag').exists()


def test_bag_that_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(BagError, match='write elsewhere'):
        BagWriter(tmp_path / 'file' / 'bag')
    bag = tmp_path / 'bag'
    code = f'from test.bags.writing.test_writer_split import *; BagWriter(Path({str(bag)!r}))'
    done = subprocess.run(
        [sys.executable, '-c', code],
        stderr=subprocess.PIPE,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20)),
    )
    assert b'BagError' in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ['file']
