# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import pytest

from m2r2_ros.bags import merge
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError, MessageError
from m2r2_ros.core.modalities import SENSORS
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.windows.config import WindowConfig
from test.replay.recordings import (
    GRIPPER,
    POSE,
    SECOND,
    START,
    TWIST,
    TYPES,
    WRENCH,
    Entry,
    robot,
    write_bag,
    write_mcap,
    write_sqlite,
)
from test.windows.streams import same

HOUR = 3600 * SECOND


def stream_of(path: Path, modalities: Sequence[str] = SENSORS, **given: TopicSpec) -> WindowStream:
    return WindowStream(open_recording(path), WindowConfig(), modalities, given)


def windows_of(path: Path, modalities: Sequence[str] = SENSORS, **given: TopicSpec) -> FrameWindows:
    return FrameWindows.join(list(stream_of(path, modalities, **given)))


def present(windows: FrameWindows, modality: str) -> 'np.ndarray[Any, np.dtype[np.bool_]]':
    return windows.has(modality)


def test_windows_hold_what_was_sensed(tmp_path: Path) -> None:
    stream = stream_of(write_bag(tmp_path / 'robot', robot(6.0)))
    windows = FrameWindows.join(list(stream))
    assert len(windows) == stream.counters['windows'] == 59
    assert windows.present.all()
    assert set(np.diff(windows.stamps)) == {SECOND // 10}
    assert not stream.derived
    assert stream.topics['gripper'] == TopicSpec(
        'gripper', GRIPPER, TYPES[GRIPPER], like='gripper', dims=1, unit='m'
    )
    assert stream.read == pytest.approx(6 * SECOND, rel=0.02)
    millimetres = np.round(windows.sensors['gripper'][:, -1, 0] * 1000)
    assert {0, 40} <= set(millimetres.tolist())


def test_twist_is_made_from_the_pose_where_no_topic_has_it(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'robot', robot(4.0))
    less = write_bag(tmp_path / 'less', robot(4.0, topics=[WRENCH, POSE, GRIPPER]))
    made = windows_of(less)
    assert stream_of(less).derived == ('twist',)
    assert stream_of(less, ['twist']).derived == ('twist',)
    assert set(stream_of(less, ['twist']).topics) == {'pose'}
    assert not stream_of(less, ['pose']).derived
    assert present(made, 'twist')[1:].all()
    places = made.sensors['pose'][2:, :, :2]
    moved = (places[:, -1] - places[:, 0]) / 0.1
    speed = made.sensors['twist'][2:, :, :2].mean(axis=1)
    assert np.corrcoef(moved.ravel(), speed.ravel())[0, 1] > 0.95
    assert np.abs(moved - speed).mean() < 0.02
    # It is masked as any twist topic would be, and has the same shape.
    assert made.sensors['twist'].shape == windows_of(bag).sensors['twist'].shape


def test_twist_that_is_off_or_absent_is_not_made(tmp_path: Path) -> None:
    less = write_bag(tmp_path / 'less', robot(2.0, topics=[POSE]))
    off = stream_of(less, twist=TopicSpec('twist', ''))
    assert not off.derived
    assert off.absent == {}
    elsewhere = stream_of(less, twist=TopicSpec('twist', '/elsewhere'))
    assert not elsewhere.derived
    assert elsewhere.absent == {'twist': '/elsewhere'}
    for stream in (off, elsewhere):
        windows = FrameWindows.join(list(stream))
        assert not present(windows, 'twist').any()
        assert stream.counters['twist.masked'] == len(windows)


def test_a_pose_that_is_given_but_absent_makes_no_twist(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'robot', robot(1.0, topics=[WRENCH, POSE]))
    stream = stream_of(bag, pose=TopicSpec('pose', '/elsewhere'))
    assert not stream.derived
    assert stream.absent == {'pose': '/elsewhere'}
    assert set(stream.topics) == {'wrench'}


def test_topics_of_modalities_that_are_not_wanted_are_left_alone(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'robot', robot(1.0))
    stream = stream_of(bag, ['wrench'], pose=TopicSpec('pose', '/elsewhere'))
    assert stream.absent == {}
    assert set(stream.topics) == {'wrench'}


def test_topics_that_do_not_serve_are_refused(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'robot', robot(0.2, topics=[WRENCH]))
    with pytest.raises(
        BagError, match=r'no topic serves any of pose, twist; topics that could serve: /wrench'
    ):
        stream_of(bag, ['pose', 'twist'])
    with pytest.raises(MessageError, match='/wrench'):
        stream_of(bag, pose=TopicSpec('pose', WRENCH))


def test_topics_that_cannot_be_read_are_not_guessed(tmp_path: Path) -> None:
    """A topic of two types cannot be read; the other one that would serve is taken."""
    wrench = TYPES[WRENCH]
    with BagWriter(tmp_path / 'robot') as bag:
        bag.add_topic('/ft/wrench', wrench)
        bag.add_topic('/ft', wrench)
        for entry in robot(1.0, topics=[WRENCH]):
            bag.write('/ft/wrench', entry.raw, entry.log_time)
            bag.write('/ft', entry.raw, entry.log_time)
    recording = open_recording(tmp_path / 'robot')
    stream = WindowStream(recording, WindowConfig(), ['wrench'])
    best = stream.topics['wrench'].topic
    recording.unreadable[best] = 'it is JSON'
    other = WindowStream(recording, WindowConfig(), ['wrench'])
    assert {best, other.topics['wrench'].topic} == {'/ft/wrench', '/ft'}
    assert list(other)
    named = WindowStream(
        recording, WindowConfig(), ['wrench'], {'wrench': TopicSpec('wrench', best)}
    )
    with pytest.raises(BagError, match=f'{best} cannot be read: it is JSON'):
        list(named)


def test_topics_without_messages_are_not_guessed_but_stay_those_of_the_model(
    tmp_path: Path,
) -> None:
    with BagWriter(tmp_path / 'robot') as bag:
        for topic in ('/wrench', '/twist', '/sensors/of/the/hand/wrench'):
            bag.add_topic(topic, TYPES[WRENCH] if topic.endswith('wrench') else TYPES[TWIST])
        bag.add_topic(POSE, TYPES[POSE])
        for entry in robot(3.0, topics=[WRENCH, POSE]):
            topic = entry.topic.replace(WRENCH, '/sensors/of/the/hand/wrench')
            bag.write(topic, entry.raw, entry.log_time)
    stream = stream_of(tmp_path / 'robot', ('wrench', 'pose', 'twist'))
    assert FrameWindows.join(list(stream)).present[2:].all()
    assert stream.topics['wrench'].topic == '/sensors/of/the/hand/wrench'
    assert stream.derived == ('twist',)
    recording = open_recording(tmp_path / 'robot')
    trained = {'wrench': {'topic': '/wrench', 'type': TYPES[WRENCH]}}
    same_robot = WindowStream(recording, WindowConfig(), ('wrench', 'pose'), {}, trained)
    assert same_robot.topics['wrench'].topic == '/wrench'
    assert not present(FrameWindows.join(list(same_robot)), 'wrench').any()


@pytest.mark.parametrize(
    ('shift', 'expected'),
    [(0, 0), (SECOND // 2, 0), (HOUR, HOUR), (-HOUR, -HOUR), (SECOND, SECOND)],
)
def test_log_offset_is_that_of_another_clock(tmp_path: Path, shift: int, expected: int) -> None:
    stream = stream_of(write_bag(tmp_path / 'robot', robot(1.0, log_shift=shift)))
    windows = FrameWindows.join(list(stream))
    assert stream.log_offset == expected
    # Windows are on the clock of the stamps whatever the recorder's was.
    assert START < windows.stamps[0] < windows.stamps[-1] < START + SECOND


STORES: dict[str, Callable[[Path, list[Entry]], Path]] = {
    'one chunk': lambda p, e: write_mcap(p / 'x.mcap', e, chunk=1 << 30),
    'tiny chunks': lambda p, e: write_mcap(p / 'x.mcap', e, chunk=700),
    'middling chunks': lambda p, e: write_mcap(p / 'x.mcap', e, chunk=33_333),
    'no chunks': lambda p, e: write_mcap(p / 'x.mcap', e, chunked=False),
    'no index': lambda p, e: write_mcap(p / 'x.mcap', e, indexed=False, chunk=5_000),
    'sqlite3': lambda p, e: write_sqlite(p / 'x', e),
    'topic by topic': lambda p, e: write_mcap(
        p / 'x.mcap', sorted(e, key=lambda m: m.topic), chunk=5_000
    ),
    'backwards': lambda p, e: write_mcap(p / 'x.mcap', e[::-1], chunk=5_000),
}


@pytest.mark.parametrize('batch', [1, merge._BATCH])
@pytest.mark.parametrize('store', STORES)
def test_windows_are_the_same_however_messages_are_stored(
    tmp_path: Path, store: str, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    entries = robot(5.0, 5)
    # Log times that lag behind the stamps by far more than a window, each topic by its own.
    lag = dict(zip(TYPES, (0, 30_000_000, 5_000_000, 90_000_000), strict=True))
    late = [
        e._replace(log_time=e.log_time + HOUR + lag[e.topic] + int(rng.integers(0, 1_000_000)))
        for e in entries
    ]
    late.sort(key=lambda e: e.log_time)
    plain = stream_of(write_bag(tmp_path / 'plain', late))
    stored = stream_of(STORES[store](tmp_path, late))
    runs = [FrameWindows.join(list(plain))]
    # Small parts of files are put together up to so many bytes.
    monkeypatch.setattr(merge, '_BATCH', batch)
    runs.append(FrameWindows.join(list(stored)))
    assert len(runs[0]) == 49
    assert same(*runs)
    assert plain.counters == stored.counters
    assert plain.log_offset == stored.log_offset >= HOUR


#: Not data of the stream but what the interpreter keeps for all.
SHARED = (type, ModuleType, FunctionType, MethodType)


def data_size(root: object) -> int:
    """Return the bytes of all data that an object refers to."""
    seen: set[int] = set()
    left, size = [root], 0
    while left:
        item = left.pop()
        if id(item) in seen or isinstance(item, SHARED):
            continue
        seen.add(id(item))
        size += item.nbytes if isinstance(item, np.ndarray) else sys.getsizeof(item)
        if isinstance(item, np.ndarray) and item.base is not None:
            left.append(item.base)
        left += gc.get_referents(item)
    return size


def test_memory_does_not_grow_with_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window keeps nothing of those long before: the stream is as large at 10 s as at 40 s."""
    monkeypatch.setattr(merge, '_BATCH', 20_000)
    path = write_mcap(tmp_path / 'robot.mcap', robot(40.0), chunk=20_000)
    stream = stream_of(path)
    sizes = []
    longest = 0
    for windows in stream:
        longest = max(longest, len(windows))
        sizes.append((int(windows.stamps[-1]) - START, data_size(stream._driver)))
    early = max(size for t, size in sizes if 3 * SECOND < t < 10 * SECOND)
    late = max(size for t, size in sizes if t > 30 * SECOND)
    assert late < 1.1 * early
    assert longest < 30
    assert stream.counters['windows'] == 399
