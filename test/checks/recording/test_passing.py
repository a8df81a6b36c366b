# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import pytest
from mcap.reader import make_reader
from mcap.writer import Writer
from numpy.typing import NDArray

from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, Source, Span, Topic
from m2r2_ros.checks.finding import NotRun
from m2r2_ros.checks.observer import Observer
from m2r2_ros.checks.recording.passing import Pass, read_once
from m2r2_ros.checks.recording.stamp_place import stamp_place
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import Samples
from m2r2_ros.core.time import SECOND
from m2r2_ros.simulation.damage import packed_bytes
from m2r2_ros.simulation.messages import SOUND, cell_types
from test.checks.recording.robot import (
    POSE_TOPIC,
    START,
    WRENCH_TOPIC,
    Streams,
    check,
    findings,
    not_run,
    robot,
    write,
)


class Watcher(Observer):
    """Counts what it sees, and remembers stamps."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.stamps: dict[str, list[int]] = {}
        self.samples_of: dict[str, int] = {}

    def messages(self, block: MessageBlock, stamps: NDArray[np.int64] | None) -> None:
        self.counts[block.topic] = self.counts.get(block.topic, 0) + len(block)
        if stamps is not None:
            self.stamps.setdefault(block.topic, []).extend(stamps.tolist())

    def samples(self, name: str, samples: Samples) -> None:
        self.samples_of[name] = self.samples_of.get(name, 0) + len(samples.stamps)


def test_every_message_is_seen_once_with_its_stamp(tmp_path: Path) -> None:
    streams = robot()
    recording = open_recording(write(tmp_path / 'bag', streams))
    watcher, shares = Watcher(), list[float]()
    outcome = read_once(recording, [watcher], None, shares.append)
    assert watcher.counts == {name: len(stream.logs) for name, stream in streams.items()}
    for name, stream in streams.items():
        assert watcher.stamps[name] == stream.stamps.tolist()
    assert watcher.samples_of == {
        'sound': 500, 'wrench': 3200, 'pose': 1600, 'twist': 1600, 'gripper': 240,
        '/joint_states': 1600,
    }  # fmt: skip
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert outcome == Pass()


def several_chunks(tmp_path: Path) -> tuple[Path, Streams]:
    """Return a bag of several chunks, the second of which is damaged."""
    streams = {name: robot()[name] for name in (POSE_TOPIC, WRENCH_TOPIC, '/mic/audio')}
    bag = write(tmp_path / 'bag', streams)
    (file,) = bag.glob('*.mcap')
    first, end = packed_bytes(file, START + 8 * SECOND)
    content = bytearray(file.read_bytes())
    content[(first + end) // 2] ^= 1
    file.write_bytes(content)
    return bag, streams


def test_a_damaged_chunk_is_left_out_and_the_rest_is_read(tmp_path: Path) -> None:
    bag, streams = several_chunks(tmp_path)
    watcher = Watcher()
    outcome = read_once(open_recording(bag), [watcher])
    (unread,) = outcome.unread
    assert unread.start < START + 8 * SECOND <= unread.end + 1
    assert 'CRC' in unread.why or 'chunk' in unread.why
    for name, stream in streams.items():
        lost = len(stream.logs) - watcher.counts[name]
        inside = (stream.logs >= unread.start) & (stream.logs < unread.end)
        assert 0 < lost <= inside.sum() + 1


def test_the_gap_that_a_damaged_chunk_leaves_is_not_told_again(tmp_path: Path) -> None:
    bag, _ = several_chunks(tmp_path)
    assert not findings(check(bag))


def test_what_no_check_saw_is_told(tmp_path: Path) -> None:
    bag, _ = several_chunks(tmp_path)
    told = not_run(check(bag), 'file.chunk')
    assert 'no check saw what was recorded from' in told and 'CRC' in told


def test_a_topic_that_cannot_be_read_is_told_and_stops_nothing(tmp_path: Path) -> None:
    streams = robot()
    some = {'/odd': streams[POSE_TOPIC], WRENCH_TOPIC: streams[WRENCH_TOPIC]}
    bag = write(tmp_path / 'bag', some)
    (file,) = bag.glob('*.mcap')
    with file.open('rb') as stream, (tmp_path / 'odd.mcap').open('wb') as out:
        writer = Writer(out)
        writer.start()
        ids: dict[str, int] = {}
        for schema, channel, message in make_reader(stream).iter_messages():
            assert schema is not None
            if channel.topic not in ids:
                kind = writer.register_schema(schema.name, schema.encoding, schema.data)
                encoding = 'json' if channel.topic == '/odd' else 'cdr'
                ids[channel.topic] = writer.register_channel(channel.topic, encoding, kind)
            writer.add_message(
                ids[channel.topic], message.log_time, message.data, message.publish_time
            )
        writer.finish()
    results = check(tmp_path / 'odd.mcap')
    assert not findings(results)
    (told,) = [r for r in results if r.topic == '/odd']
    assert isinstance(told, NotRun)
    assert "serialised as 'json'" in told.why


def test_a_database_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    class Breaking:
        """A file whose query fails, again and again."""

        path = tmp_path / 'x.db3'
        topics: ClassVar = {'/a': Topic('/a', 'std_msgs/msg/Float64', '', 5)}
        unreadable: ClassVar[dict[str, str]] = {}
        start, end = 10, 90
        notes: tuple[str, ...] = ()
        message_count, truncated = 5, False

        def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
            order = 0
            while True:
                yield FilePart(10 + order, order, self.load)
                order += 1

        def load(self) -> Loaded:
            msg = 'the disk image is malformed'
            raise BagError(msg)

    recording = Recording(tmp_path / 'x.db3', [cast(Source, Breaking())])
    watcher = Watcher()
    outcome = read_once(recording, [watcher])
    assert [(part.start, part.end) for part in outcome.unread] == [(10, 90)]


def test_a_recording_without_topics_is_read(tmp_path: Path) -> None:
    watcher = Watcher()
    assert read_once(open_recording(write(tmp_path / 'bag', {})), [watcher]) == Pass()
    assert not watcher.counts


def test_nobody_who_looks_costs_nothing(tmp_path: Path) -> None:
    bag = write(tmp_path / 'bag', {POSE_TOPIC: robot()[POSE_TOPIC]})
    recording = open_recording(bag)
    shutil.rmtree(bag)
    assert read_once(recording, [Observer()]) == Pass()


@pytest.mark.parametrize(
    ('type_name', 'at', 'single'),
    [
        ('sensor_msgs/msg/Imu', 4, True),
        ('sensor_msgs/msg/CompressedImage', 4, True),
        (SOUND, 4, True),
        ('tf2_msgs/msg/TFMessage', 8, False),
        ('rcl_interfaces/msg/Log', 4, True),
        ('builtin_interfaces/msg/Time', 4, True),
        ('nav_msgs/msg/Path', 4, True),
        ('visualization_msgs/msg/MarkerArray', 8, False),
    ],
)
def test_stamps_are_found_where_they_lie(type_name: str, at: int, single: bool) -> None:
    place = stamp_place(type_name, cell_types().generate_msgdef(type_name, ros_version=2)[0])
    assert place is not None
    assert (place.at, place.single) == (at, single)


@pytest.mark.parametrize(
    ('type_name', 'definition'),
    [
        ('std_msgs/msg/String', ''),
        ('geometry_msgs/msg/Wrench', ''),
        ('nobody/msg/Knows', ''),
        ('odd_msgs/msg/Named', 'string name\nbuiltin_interfaces/Time stamp\n'),
    ],
)
def test_types_without_a_stamp_at_one_place_have_none(type_name: str, definition: str) -> None:
    assert stamp_place(type_name, definition) is None


def test_a_stamp_behind_numbers_is_read_in_both_byte_orders() -> None:
    definition = 'float64 value\nuint8 kind\nbuiltin_interfaces/Time when\n'
    place = stamp_place('own_msgs/msg/Late', definition)
    assert place is not None
    assert place.at == 4 + 12
    for mark, order in ((b'\x00\x01', '<'), (b'\x00\x00', '>')):
        words = np.array([7, 5], f'{order}u4').tobytes()
        raw = mark + bytes(2) + bytes(12) + words
        data = np.frombuffer(raw + mark + bytes(2), np.uint8)
        block = MessageBlock(
            '/t', data, np.array([0, len(raw)]), np.array([len(raw), 4]), np.array([1, 2]),
            np.arange(2),
        )  # fmt: skip
        assert place.stamps(block).tolist() == [7 * SECOND + 5, 0]
