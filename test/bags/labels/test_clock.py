# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.csv import read_segments_csv
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import LabelError
from test.replay.recordings import SECOND, START, Entry, cdr, header, robot, robot_bag, write_bag

IMAGE = 'sensor_msgs/msg/CompressedImage'


def camera(topic: str, times: list[int]) -> list[Entry]:
    data = np.zeros(3, np.uint8)
    return [
        Entry(topic, IMAGE, START + t + 9, cdr(IMAGE, header=stamp, format='', data=data))
        for t, stamp in ((t, header(START + t)) for t in times)
    ]


def test_seconds_count_from_the_first_message_whoever_s_clock_it_is(tmp_path: Path) -> None:
    same = clock_of(open_recording(robot_bag(tmp_path / 'same', 2.0)))
    assert (same.start, same.end // SECOND) == (START, START // SECOND + 2)
    moved = robot(2.0, log_shift=3600 * SECOND)
    clock = clock_of(open_recording(write_bag(tmp_path / 'moved', moved)))
    assert (clock.start, clock.end) == (same.start, moved[-1].log_time - 3600 * SECOND)
    text = 'std_msgs/msg/String'
    first = Entry('/note', text, START - 2 * SECOND, cdr(text, data=''))
    early = clock_of(open_recording(write_bag(tmp_path / 'early', [first, *robot(1.0)])))
    assert early.start == START - 2 * SECOND


def test_frames_are_those_of_the_camera(tmp_path: Path) -> None:
    times = [0, 30_000_000, 70_000_000, 100_000_000]
    bag = write_bag(tmp_path / 'bag', camera('/cam', times))
    table = tmp_path / 'bag.csv'
    table.write_text('start_frame,end_frame,label\n1,2,push\n2,4,grip\n')
    clock = clock_of(open_recording(bag))
    found = [(s.start - START, s.end - START) for s in read_segments_csv(table, clock)]
    assert found == [(30_000_000, 70_000_000), (70_000_000, 130_000_000)]
    table.write_text('frame,label\n0,push\n5,grip\n')
    with pytest.raises(LabelError, match=r'bag.csv: frame 5, expected 0 to 3.*--truth-rate'):
        read_segments_csv(table, clock)


def test_frames_of_which_camera(tmp_path: Path) -> None:
    table = tmp_path / 'bag.csv'
    table.write_text('frame,label\n0,push\n1,grip\n')
    two = write_bag(tmp_path / 'two', camera('/cam', [0, 9]) + camera('/other', [0, 9]))
    for bag, found in ((two, '/cam, /other'), (robot_bag(tmp_path / 'none', 1.0), 'found none')):
        with pytest.raises(LabelError, match='--truth-rate') as error:
            read_segments_csv(table, clock_of(open_recording(bag)))
        assert found in str(error.value)
