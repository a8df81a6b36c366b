# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import os
import signal
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.records import Message
from mcap.stream_reader import StreamReader
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as RosbagsWriter

from m2r2_ros.bags.overlap import refuse_same
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.replacing import RECORDED, library_of, replaced_path
from m2r2_ros.bags.writing.sink import LATCHED
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError, OutputError
from m2r2_ros.readers.definitions import message_definition, type_hash, typestore
from test.real_data import DATA

FLOAT = 'std_msgs/msg/Float64'
STRING = 'std_msgs/msg/String'


def number(value: float) -> bytes:
    return bytes(typestore().serialize_cdr(typestore().types[FLOAT](data=value), FLOAT))


def write_numbers(path: Path, count: int, **options: bool) -> Path:
    with BagWriter(path, **options) as bag:
        bag.add_topic('/number', FLOAT)
        for i in range(count):
            bag.write('/number', number(i), 1_000 + i)
    return path


def read_numbers(path: Path) -> list[tuple[int, float]]:
    with AnyReader([path]) as reader:
        return [
            (time, reader.deserialize(raw, link.msgtype).data)  # type: ignore[attr-defined]
            for link, time, raw in reader.messages()
        ]


def test_bag_reads_back_everywhere(tmp_path: Path) -> None:
    folder = tmp_path / 'deep' / 'bag'
    with BagWriter(folder) as bag:
        bag.add_topic('/number', FLOAT)
        bag.add_topic('/silent', STRING, qos=LATCHED)
        for i in range(5):
            bag.write('/number', memoryview(number(i)), 1_000 + i)
        assert bag.counts == {'/number': 5, '/silent': 0}
    assert read_numbers(folder) == [(1_000 + i, float(i)) for i in range(5)]

    recording = open_recording(folder)
    assert (recording.start, recording.end) == (1_000, 1_004)
    assert recording.topics['/number'].count == 5
    assert recording.topics['/number'].type_hash == type_hash(FLOAT)
    assert recording.topics['/silent'].qos == LATCHED
    raws = [b.message(i).tobytes() for bs in recording.blocks() for b in bs for i in range(len(b))]
    assert raws == [number(i) for i in range(5)]

    assert library_of(folder / 'bag_0.mcap') == RECORDED
    with (folder / 'bag_0.mcap').open('rb') as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == 'ros2'
        summary = reader.get_summary()
        assert summary is not None and summary.chunk_indexes[0].compression == 'zstd'
        channels = {c.topic: c for c in summary.channels.values()}
        assert channels['/silent'].metadata == {
            'offered_qos_profiles': LATCHED,
            'topic_type_hash': type_hash(STRING),
        }
        schema = summary.schemas[channels['/number'].schema_id]
        assert (schema.name, schema.encoding) == (FLOAT, 'ros2msg')
        assert schema.data.decode() == message_definition(FLOAT)
        [record] = reader.iter_metadata()
    metadata = yaml.safe_load((folder / 'metadata.yaml').read_text())
    assert record.name == 'rosbag2'
    assert (
        yaml.safe_load(record.metadata['serialized_metadata'])
        == metadata['rosbag2_bagfile_information']
    )


def test_metadata_is_laid_out_as_rosbag2_does(tmp_path: Path) -> None:
    write_numbers(tmp_path / 'bag', 3)
    text = (tmp_path / 'bag' / 'metadata.yaml').read_text()
    content = yaml.safe_load(text)['rosbag2_bagfile_information']
    assert content['version'] == 9
    assert content['storage_identifier'] == 'mcap'
    assert content['relative_file_paths'] == ['bag_0.mcap']
    assert content['files'] == [
        {
            'path': 'bag_0.mcap',
            'starting_time': {'nanoseconds_since_epoch': 1_000},
            'duration': {'nanoseconds': 2},
            'message_count': 3,
        }
    ]
    [topic] = content['topics_with_message_count']
    assert topic['message_count'] == 3
    profile = topic['topic_metadata']['offered_qos_profiles'][0]
    assert (profile['reliability'], profile['durability']) == ('reliable', 'volatile')
    assert profile['deadline'] == {'sec': 9223372036, 'nsec': 854775807}
    assert '&id' not in text


def test_metadata_has_the_fields_of_a_real_bag(tmp_path: Path) -> None:
    real = DATA / 'real_bags/ros2bag_ats_2025-12-02_12-48-52/metadata.yaml'
    if not real.is_file():
        pytest.skip(f'no real bags in {DATA}')
    write_numbers(tmp_path / 'bag', 1)
    ours, theirs = (
        yaml.safe_load(p.read_text())['rosbag2_bagfile_information']
        for p in (tmp_path / 'bag' / 'metadata.yaml', real)
    )
    assert ours.keys() == theirs.keys()
    our_topic, their_topic = (c['topics_with_message_count'][0] for c in (ours, theirs))
    assert our_topic == {
        'topic_metadata': {
            **their_topic['topic_metadata'],
            'name': '/number',
            'type': FLOAT,
            'type_description_hash': type_hash(FLOAT),
        },
        'message_count': 1,
    }
    assert ours['files'][0].keys() == theirs['files'][0].keys()


def test_empty_bag_can_be_opened(tmp_path: Path) -> None:
    folder = write_numbers(tmp_path / 'bag', 0)
    assert read_numbers(folder) == []
    assert open_recording(folder).topics['/number'].count == 0


def test_numbered_qos_of_older_bags_is_written_by_name(tmp_path: Path) -> None:
    old = '- history: 3\n  depth: 0\n  reliability: 2\n  durability: 1\n  liveliness: 1\n'
    with BagWriter(tmp_path / 'bag') as bag:
        bag.add_topic('/number', FLOAT, qos=old)
    content = yaml.safe_load((tmp_path / 'bag' / 'metadata.yaml').read_text())
    [topic] = content['rosbag2_bagfile_information']['topics_with_message_count']
    assert topic['topic_metadata']['offered_qos_profiles'] == [
        {
            'history': 'unknown',
            'depth': 0,
            'reliability': 'best_effort',
            'durability': 'transient_local',
            'liveliness': 'automatic',
        }
    ]


@pytest.mark.parametrize('qos', ['reliable', '- 3', '- {reliability: 77}', '{'])
def test_nonsense_qos_is_refused(tmp_path: Path, qos: str) -> None:
    with BagWriter(tmp_path / 'bag') as bag, pytest.raises(BagError, match='QoS'):
        bag.add_topic('/number', FLOAT, qos=qos)


KILLED = """
import sys, time
from pathlib import Path
from m2r2_ros.bags.writing.writer import BagWriter
bag = BagWriter(Path(sys.argv[1]), flush_interval=0.05)
bag.add_topic('/number', 'std_msgs/msg/Float64')
for i in range(100):
    bag.write('/number', bytes(12), i)
time.sleep(1.0)
print('flushed', flush=True)
time.sleep(60)
"""


def test_killed_process_leaves_readable_messages(tmp_path: Path) -> None:
    command = [sys.executable, '-c', KILLED, str(tmp_path / 'bag')]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'flushed\n'
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / 'bag').exists()
    times = []
    file = tmp_path / 'bag.partial' / 'bag_0.mcap'
    # The file has no end, which the reader words as it likes once it is there.
    with file.open('rb') as stream, suppress(McapError, struct.error):
        for record in StreamReader(stream).records:
            if isinstance(record, Message):
                times.append(record.log_time)  # noqa: PERF401 - keeps what came before
    assert times == list(range(100))
    partial = open_recording(tmp_path / 'bag.partial')
    assert partial.truncated
    assert partial.topics['/number'].count == 100


def test_existing_bag_is_kept_unless_told(tmp_path: Path) -> None:
    folder = write_numbers(tmp_path / 'bag', 2)
    with pytest.raises(BagError, match='exists'):
        BagWriter(folder)
    assert len(read_numbers(folder)) == 2
    write_numbers(folder, 3, overwrite=True)
    assert len(read_numbers(folder)) == 3
    assert [p.name for p in tmp_path.iterdir()] == ['bag']


def test_old_bag_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    folder = write_numbers(tmp_path / 'bag', 2)
    with pytest.raises(ZeroDivisionError), BagWriter(folder, overwrite=True) as bag:
        bag.add_topic('/number', FLOAT)
        bag.write('/number', number(7), 5)
        assert len(read_numbers(folder)) == 2
        _ = 1 / 0
    assert len(read_numbers(folder)) == 2
    assert read_numbers(tmp_path / 'bag.partial') == [(5, 7.0)]


def test_a_bag_that_a_killed_run_had_moved_away_is_brought_back(tmp_path: Path) -> None:
    folder = write_numbers(tmp_path / 'bag', 3)
    folder.rename(replaced_path(folder))
    with pytest.raises(BagError, match='bag exists'):
        BagWriter(folder)
    assert len(read_numbers(folder)) == 3


def test_partial_of_a_failed_run_stands_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), BagWriter(tmp_path / 'bag'):
        _ = 1 / 0
    with pytest.raises(BagError, match='repair'):
        write_numbers(tmp_path / 'bag', 1)
    write_numbers(tmp_path / 'bag', 1, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ['bag']


def test_failed_run_is_discarded_on_request(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), BagWriter(tmp_path / 'bag', discard_failed=True):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_our_own_bags_is_replaced(tmp_path: Path) -> None:
    plain = tmp_path / 'plain'
    plain.mkdir()
    file = tmp_path / 'file'
    file.write_text('text')
    theirs = tmp_path / 'theirs'
    with RosbagsWriter(theirs, version=9, storage_plugin=StoragePlugin.MCAP):
        pass
    mixed = write_numbers(tmp_path / 'mixed', 1)
    (mixed / 'notes.txt').write_text('mine')
    nested = write_numbers(tmp_path / 'nested', 1)
    (nested / 'sub.mcap').mkdir()
    link = tmp_path / 'link'
    link.symlink_to(write_numbers(tmp_path / 'target', 1))
    before = sorted(tmp_path.rglob('*'))
    for path in (plain, file, theirs, mixed, nested, link):
        with pytest.raises(BagError, match='not replaced'):
            BagWriter(path, overwrite=True)
    assert sorted(tmp_path.rglob('*')) == before


def test_bag_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / 'bag')
    (tmp_path / 'bag').mkdir()
    (tmp_path / 'bag' / 'thing').write_text('')
    with pytest.raises(BagError, match='exists'):
        bag.close()
    assert (tmp_path / 'bag' / 'thing').exists()
    assert (tmp_path / 'bag.partial' / 'metadata.yaml').exists()


def test_misuse_is_told(tmp_path: Path) -> None:
    with pytest.raises(BagError, match='leave \\.mcap off'):
        BagWriter(tmp_path / 'bag.mcap')
    with BagWriter(tmp_path / 'bag') as bag:
        bag.add_topic('/number', FLOAT)
        with pytest.raises(BagError, match='once'):
            bag.add_topic('/number', FLOAT)
        with pytest.raises(BagError, match='/other was not added'):
            bag.write('/other', b'', 0)
        with pytest.raises(BagError, match='negative'):
            bag.write('/number', b'', -1)
    with pytest.raises(BagError, match='closed'):
        bag.write('/number', b'', 0)
    bag.close()
    assert (tmp_path / 'bag').is_dir()


def test_unknown_definitions_stay_unknown(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag') as bag:
        bag.add_topic('/odd', 'odd_msgs/msg/Odd', definition='', qos='')
        bag.write('/odd', b'\0\1\0\0', 1)
    topic = open_recording(tmp_path / 'bag').topics['/odd']
    assert (topic.type_name, topic.definition, topic.qos) == ('odd_msgs/msg/Odd', '', '')


def test_writing_from_several_threads_loses_nothing(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag', flush_interval=0.001) as bag:
        bag.add_topic('/number', FLOAT)

        def write(first: int) -> None:
            for i in range(first, first + 500):
                bag.write('/number', number(i), i)

        threads = [threading.Thread(target=write, args=(k * 500,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(read_numbers(tmp_path / 'bag')) == [(i, float(i)) for i in range(2000)]


def test_a_name_that_metadata_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BagError, match='not UTF-8'):
        BagWriter(tmp_path / os.fsdecode(b'a\xff'))
    assert not list(tmp_path.iterdir())


def test_output_must_not_touch_its_source(tmp_path: Path) -> None:
    for out in (tmp_path / 'a', tmp_path, tmp_path / 'a' / 'b' / '..' / 'c'):
        with pytest.raises(OutputError, match='overlaps'):
            refuse_same(out, tmp_path / 'a')
    refuse_same(tmp_path / 'b', tmp_path / 'a')
