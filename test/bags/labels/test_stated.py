# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.stated import StatedTruth, load_stated, read_stated
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import ConfigError, LabelError, NoTruthError
from test.real_data import DATA
from test.replay.recordings import SECOND, START, Entry, cdr, joints, robot, write_bag

TENTH = SECOND // 10
STATES = [0, 0, 3, 3, 3, 0, 11, 11]


def state_bag(path: Path, kind: str = 'Int32', shift: int = 0) -> Path:
    """Write a robot of 2 s with a state every 0.2 s for the first 1.6 s."""
    name = f'std_msgs/msg/{kind}'
    values: list[object] = list(STATES)
    if kind == 'String':
        values = [{0: '', 3: 'push', 11: 'grip'}[s] for s in STATES]
    if kind == 'Bool':
        values = [s == 3 for s in STATES]
    entries = [
        Entry('/md/state', name, START + shift + 2 * k * TENTH, cdr(name, data=value))
        for k, value in enumerate(values)
    ]
    return write_bag(path, sorted(entries + robot(2.0, log_shift=shift), key=lambda e: e.log_time))


def found(bag: Path, stated: StatedTruth) -> list[tuple[float, float, str]]:
    recording = open_recording(bag)
    segments = read_stated(recording, stated, clock_of(recording))
    return [((s.start - START) / SECOND, (s.end - START) / SECOND, s.label) for s in segments]


@pytest.mark.parametrize('kind', ['Int8', 'UInt8', 'Int16', 'UInt16', 'Int32', 'UInt32', 'Int64'])
def test_numbers_hold_from_message_to_message(kind: str, tmp_path: Path) -> None:
    end = 1.980003
    bag = state_bag(tmp_path / 'bag', kind)
    expected = [(0, 0.4, '0'), (0.4, 1.0, '3'), (1.0, 1.2, '0'), (1.2, end, '11')]
    assert found(bag, StatedTruth('/md/state')) == expected
    names = {'0': '', '3': 'push', '11': 'grip'}
    expected = [(0.4, 1.0, 'push'), (1.2, end, 'grip')]
    assert found(bag, StatedTruth('/md/state', names=names)) == expected


def test_text_and_flags(tmp_path: Path) -> None:
    text = state_bag(tmp_path / 'text', 'String')
    assert [label for *_, label in found(text, StatedTruth('/md/state'))] == ['push', 'grip']
    flags = StatedTruth('/md/state', names={'true': 'contact', 'false': 'none'})
    assert found(state_bag(tmp_path / 'flag', 'Bool'), flags) == [(0.4, 1.0, 'contact')]


def test_messages_without_a_header_are_on_the_clock_of_the_others(tmp_path: Path) -> None:
    bag = state_bag(tmp_path / 'bag', shift=500 * SECOND)
    assert found(bag, StatedTruth('/md/state'))[1] == (0.4, 1.0, '3')


def test_fields_by_path_and_stamps_of_headers(tmp_path: Path) -> None:
    entries = [
        Entry(
            '/gripper', 'sensor_msgs/msg/JointState', START + k * TENTH + 7,
            joints(START + k * TENTH, [0.0], ['idle', 'push' if k > 4 else 'reach']),
        )
        for k in range(10)
    ]  # fmt: skip
    bag = write_bag(tmp_path / 'bag', entries)
    stated = StatedTruth('/gripper', 'name[1]')
    assert found(bag, stated)[0] == (0, 0.5, 'reach')


@pytest.mark.parametrize(
    ('path', 'words'),
    [
        ('phase', ('no field phase', 'header, name, position')),
        ('header.stamp', ('expected a whole number', 'sec, nanosec')),
        ('position', ('is an array',)),
        ('position[0]', ('is float64',)),
        ('name[2]', ('2 items, so no item 2',)),
        ('name[0].x', ('no field x',)),
        ('header[0]', ('no items',)),
    ],
)
def test_wrong_paths_are_told(path: str, words: tuple[str, ...], tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', robot(0.1))
    with pytest.raises(LabelError) as error:
        found(bag, StatedTruth('/gripper/joint_states', path))
    for word in (*words, f'{bag}: /gripper/joint_states (sensor_msgs/msg/JointState)'):
        assert word in str(error.value)


def test_values_without_a_name_and_absent_topics_are_told(tmp_path: Path) -> None:
    bag = state_bag(tmp_path / 'bag')
    with pytest.raises(LabelError, match=r'data has the values 0, 11, which `names`'):
        found(bag, StatedTruth('/md/state', names={'3': 'push'}))
    with pytest.raises(NoTruthError, match=r'no topic /state,.* text: /md/state'):
        found(bag, StatedTruth('/state'))


def test_a_number_that_counts_is_no_state(tmp_path: Path) -> None:
    kind = 'std_msgs/msg/Int32'
    entries = [Entry('/n', kind, START + k, cdr(kind, data=k)) for k in range(5000)]
    with pytest.raises(LabelError, match='5000 different values: it is no state'):
        found(write_bag(tmp_path / 'bag', entries), StatedTruth('/n'))


def test_damaged_messages_are_told(tmp_path: Path) -> None:
    kind = 'std_msgs/msg/String'
    raw = np.array([0, 1, 0, 0, 255, 255, 255, 127, 0], np.uint8).tobytes()
    bag = write_bag(tmp_path / 'bag', [Entry('/s', kind, START, raw)])
    with pytest.raises(LabelError, match=r'/s.* cannot be read'):
        found(bag, StatedTruth('/s'))


def test_a_file_says_it_all(tmp_path: Path) -> None:
    file = tmp_path / 'truth.yaml'
    file.write_text("topic: /a\nfield: status.phase[0]\nnames: {'0': null, '1': pick}\n")
    assert load_stated(file) == StatedTruth('/a', 'status.phase[0]', {'0': '', '1': 'pick'})
    file.write_text('topic: /a\nnames: [idle, pick]\n')
    assert load_stated(file) == StatedTruth('/a', 'data', {'0': 'idle', '1': 'pick'})
    for text, word in (
        ('field: data\n', 'topic'),
        ('topic: /a\nfield: a[0:3]\n', 'a path to one value'),
        ('topic: /a\nnames: 3\n', 'labels by value'),
        ("topic: /a\nnames: {'1': 2}\n", 'labels in quotes'),
        ('topic: /a\nphase: b\n', 'phase'),
    ):
        file.write_text(text)
        with pytest.raises(ConfigError, match=word):
            load_stated(file)


def test_a_real_state_machine() -> None:
    bag = DATA / 'real_bags' / 'ros2bag_ats_2025-12-02_12-48-52'
    if not bag.is_dir():
        pytest.skip(f'no real bags in {DATA}')
    recording = open_recording(bag)
    clock = clock_of(recording)
    segments = read_stated(recording, StatedTruth('/md/state'), clock)
    assert [s.label for s in segments] == ['0', '11', '3']
    assert clock.start <= segments[0].start
    assert segments[-1].end == clock.end
