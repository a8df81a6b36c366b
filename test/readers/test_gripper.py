# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.readers.registry import Reader, make_reader
from m2r2_ros.readers.topics import TopicSpec
from test.readers.messages import Topic, both, header, new, pack, serialise

STAMP = 1_700_000_000_000_000_001
NAMES = st.text(st.characters(exclude_characters='\0', codec='utf-8'), max_size=6)
ARRAYS = st.sampled_from([0, 1, 2])


def joints(
    names: Sequence[str],
    positions: Sequence[float],
    velocities: Sequence[float] = (),
    efforts: Sequence[float] = (),
) -> Any:
    numbers = [np.array(part, np.float64) for part in (positions, velocities, efforts)]
    return new('sensor_msgs/JointState', header(STAMP, 'h'), list(names), *numbers)


def topic(*names: str, **fields: Any) -> Topic:
    spec = TopicSpec('gripper', '/gripper', joints=names, **fields)
    return spec, 'sensor_msgs/msg/JointState', ''


def reader() -> Reader:
    return make_reader(*topic())


def read(messages: Sequence[Any], *names: str, little: bool = True, **fields: Any) -> VectorSamples:
    block = pack([serialise(m, little) for m in messages])
    samples = both(topic(*names, **fields), messages, block)
    assert isinstance(samples, VectorSamples)
    return samples


@given(data=st.data())
def test_chosen_joints_are_summed_whatever_else_is_listed(data: st.DataObject) -> None:
    lists = data.draw(st.lists(st.lists(NAMES, min_size=1, max_size=4, unique=True), max_size=4))
    messages, widths = [], []
    for names in [*lists, *lists]:
        others = [name for name in names if name not in ('left', 'right')]
        at = data.draw(st.integers(0, len(others)))
        listed = [*others[:at], 'left', *others[at:], 'right']
        values = data.draw(st.lists(st.floats(-1, 1), min_size=len(listed), max_size=len(listed)))
        velocities, efforts = ([0.5] * data.draw(ARRAYS) for _ in range(2))
        messages.append(joints(listed, values, velocities, efforts))
        widths.append(values[listed.index('left')] + values[-1])
    samples = read(messages, 'left', 'right', little=data.draw(st.booleans()))
    assert samples.values[:, 0].tolist() == widths
    assert samples.stamps.tolist() == [STAMP] * len(messages)


def test_all_joints_are_taken_by_default_then_scaled() -> None:
    messages = [joints(['a', 'b'], [0.01, 0.03], [1.0, 1.0]), joints(['a', 'b'], [0.0, 0.02])]
    samples = read(messages, scale=2.0, offset=0.5)
    np.testing.assert_allclose(samples.values, [[0.58], [0.54]])


def test_more_different_lists_than_expected_are_still_read() -> None:
    messages = [joints([f'arm{k}', 'finger'], [9.0, k / 100]) for k in range(30)]
    assert read(messages, 'finger').values[:, 0].tolist() == [k / 100 for k in range(30)]


def test_missing_joints_and_arrays_of_wrong_length_are_counted_apart() -> None:
    messages = [
        joints(['finger'], [0.1]),
        joints(['arm'], [0.2]),
        joints(['finger'], []),
        joints(['finger', 'arm'], [0.3]),
        joints([], []),
        joints(['finger'], [0.4]),
    ]
    samples = read(messages, 'finger')
    assert samples.values[:, 0].tolist() == [0.1, 0.4]
    assert samples.arrival.tolist() == [5, 15]
    assert samples.dropped == {'joint_missing': 2, 'malformed': 2}


@pytest.mark.parametrize('positions', [0, 2])
@pytest.mark.parametrize('numbers', [(v, e) for v in range(4) for e in range(4)])
def test_positions_of_other_joints_are_not_taken_for_those_of_the_finger(
    positions: int, numbers: tuple[int, int]
) -> None:
    for frame in ('h', 'hand', 'the_hand', 'gripper_base'):
        message = joints(['finger'], [0.0] * positions, [0.0] * numbers[0], [0.0] * numbers[1])
        message.header.frame_id = frame
        assert reader().decode(pack([serialise(message)])).dropped == {'malformed': 1}


def test_a_message_cut_anywhere_is_dropped_alone() -> None:
    whole = serialise(joints(['left', 'right'], [0.1, 0.2], [0.0, 0.0], [0.0, 0.0]))
    for cut in range(len(whole)):
        for raws in ([whole, whole[:cut], whole], [whole[:cut], whole, whole]):
            samples = reader().decode(pack(raws))
            assert samples.dropped == {'malformed': 1}
            assert len(samples.stamps) == 2


@given(at=st.integers(0, 75), byte=st.integers(0, 255))
def test_no_byte_makes_it_raise_or_harms_neighbours(at: int, byte: int) -> None:
    whole = serialise(joints(['left', 'right'], [0.25, 0.5], [0.0, 0.0], [0.0, 0.0]))
    bad = bytearray(whole)
    bad[at] = byte
    samples = reader().decode(pack([bytes(bad), whole, bytes(bad), whole]))
    assert isinstance(samples, VectorSamples)
    good = np.isin(samples.arrival, [7, 11])
    assert samples.values[good, 0].tolist() == [0.75, 0.75]
    assert len(samples.stamps) + samples.dropped.total() == 4


def test_a_huge_count_of_names_is_malformed() -> None:
    whole = bytearray(serialise(joints(['left'], [0.25])))
    at = whole.index(b'left') - 8
    whole[at : at + 4] = b'\xff\xff\xff\x7f'
    assert reader().decode(pack([bytes(whole)])).dropped == {'malformed': 1}


@pytest.mark.parametrize('messages', [0, 1])
def test_small_blocks(messages: int) -> None:
    assert read([joints(['a'], [1.0])] * messages).values.shape == (messages, 1)
