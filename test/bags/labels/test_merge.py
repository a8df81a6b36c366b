# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest
from mcap.records import Message as Record
from mcap.stream_reader import StreamReader
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Reader

from m2r2_ros.bags.labels.merge import merge
from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.sink import LATCHED
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError, OutputError
from m2r2_ros.core.labels import FrameLabel, LabelSet
from m2r2_ros.readers.definitions import type_hash
from test.real_data import DATA

Message = tuple[str, int, bytes]

QOS = LATCHED.replace('reliable', 'best_effort')


def write_recording(path: Path, count: int) -> Path:
    with BagWriter(path) as bag:
        bag.add_topic('/odd', 'odd_msgs/msg/Odd', definition='int32 x', type_hash='RIHS01_1')
        bag.add_topic('/number', 'std_msgs/msg/Float64', qos=QOS)
        for i in range(count):
            bag.write('/odd', b'\0\1\0\0' + i.to_bytes(4, 'little'), 10 * i)
            bag.write('/number', bytes(12), 10 * i + 3)
    return path


def write_labels(path: Path, stamps: range) -> Path:
    with BagWriter(path) as bag:
        writer = LabelWriter(bag)
        writer.write_label_set(LabelSet.of(['a', 'b']), 'm', stamps[0])
        for t in stamps:
            frame = FrameLabel(
                t, 1, 'b', 0.75, np.array([0.25, 0.75], np.float32), 0.0, 0, 0, 0, 12
            )
            writer.write_label(frame, 'm', 0.0, t)
    return path


def everything(path: Path) -> list[Message]:
    with Reader(path) as reader:
        return [(link.topic, time, bytes(raw)) for link, time, raw in reader.messages()]


def test_both_are_there_in_log_time_order(tmp_path: Path) -> None:
    recording = write_recording(tmp_path / 'rec', 50)
    labels = write_labels(tmp_path / 'labels', range(0, 490, 7))
    before = {p: p.read_bytes() for p in tmp_path.rglob('*') if p.is_file()}
    merge(recording, labels, tmp_path / 'out')
    assert {p: p.read_bytes() for p in before} == before

    merged = everything(tmp_path / 'out')
    assert sorted(merged) == sorted(everything(recording) + everything(labels))
    assert len(read_label_track(tmp_path / 'out')) == 70


def test_file_itself_is_in_order(tmp_path: Path) -> None:
    merge(
        write_recording(tmp_path / 'rec', 20),
        write_labels(tmp_path / 'labels', range(0, 190, 7)),
        tmp_path / 'out',
    )
    with (tmp_path / 'out' / 'out_0.mcap').open('rb') as stream:
        times = [r.log_time for r in StreamReader(stream).records if isinstance(r, Record)]
    assert times == sorted(times)
    assert len(times) == 2 * 20 + len(range(0, 190, 7)) + 1


def test_what_topics_say_of_themselves_is_kept(tmp_path: Path) -> None:
    recording = write_recording(tmp_path / 'rec', 2)
    merge(recording, write_labels(tmp_path / 'labels', range(3)), tmp_path / 'out')
    topics = open_recording(tmp_path / 'out').topics
    for name, topic in open_recording(recording).topics.items():
        assert topics[name] == topic
    assert topics['/odd'].type_hash == 'RIHS01_1'
    assert topics['/number'].qos == QOS
    assert topics['/label_set'].qos == LATCHED
    assert topics['/action_label'].type_hash == type_hash('m2r2_ros/msg/ActionLabel')


def test_labels_are_not_put_on_labels(tmp_path: Path) -> None:
    recording = write_recording(tmp_path / 'rec', 2)
    labels = write_labels(tmp_path / 'labels', range(3))
    merge(recording, labels, tmp_path / 'out')
    with pytest.raises(BagError, match=r'/action_label.*already'):
        merge(tmp_path / 'out', labels, tmp_path / 'twice')
    with pytest.raises(OutputError, match='overlaps'):
        merge(recording, labels, recording, overwrite=True)
    assert not (tmp_path / 'twice').exists()


@pytest.mark.parametrize('name', ['plotjuggler_rosbag2_test', 'ros2bag_servo_serial_log'])
def test_real_recordings_merge(tmp_path: Path, name: str) -> None:
    if not (DATA / 'real_bags' / name).is_dir():
        pytest.skip(f'no real bags in {DATA}')
    recording = open_recording(DATA / 'real_bags' / name)
    labels = write_labels(tmp_path / 'labels', range(recording.start, recording.end, 10**8))
    merge(recording.path, labels, tmp_path / 'out')
    merged = open_recording(tmp_path / 'out')
    assert merged.message_count == recording.message_count + open_recording(labels).message_count
    for topic in recording.topics.values():
        assert merged.topics[topic.name].count == topic.count
        assert merged.topics[topic.name].type_name == topic.type_name
    with AnyReader([tmp_path / 'out']) as reader:
        assert reader.message_count == merged.message_count
