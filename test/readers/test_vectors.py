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

MODALITIES = {
    'WrenchStamped': 'wrench',
    'Wrench': 'wrench',
    'PoseStamped': 'pose',
    'TransformStamped': 'pose',
    'TwistStamped': 'twist',
    'Twist': 'twist',
}
STAMP = 1_700_000_000_123_456_789


def message(kind: str, v: Sequence[float], stamp: int = STAMP, frame: str = 'base') -> Any:
    """Make a geometry message of seven numbers, or of the first six."""
    first, second = new('geometry_msgs/Vector3', *v[:3]), new('geometry_msgs/Vector3', *v[3:6])
    turn = new('geometry_msgs/Quaternion', *v[3:7])
    if kind == 'TransformStamped':
        transform = new('geometry_msgs/Transform', first, turn)
        return new('geometry_msgs/' + kind, header(stamp, frame), frame * 2 + 'x', transform)
    if kind == 'PoseStamped':
        body = new('geometry_msgs/Pose', new('geometry_msgs/Point', *v[:3]), turn)
    else:
        body = new('geometry_msgs/' + kind.replace('Stamped', ''), first, second)
    return new('geometry_msgs/' + kind, header(stamp, frame), body) if 'Stamped' in kind else body


def topic(kind: str, **fields: Any) -> Topic:
    return TopicSpec(MODALITIES[kind], '/topic', **fields), 'geometry_msgs/msg/' + kind, ''


def reader(kind: str) -> Reader:
    return make_reader(*topic(kind))


def read(kind: str, raws: Sequence[bytes]) -> VectorSamples:
    samples = reader(kind).decode(pack(raws))
    assert isinstance(samples, VectorSamples)
    return samples


@pytest.mark.parametrize('kind', MODALITIES)
@given(data=st.data())
def test_bytes_and_objects_give_the_same_numbers(kind: str, data: st.DataObject) -> None:
    width = 7 if MODALITIES[kind] == 'pose' else 6
    rows = data.draw(
        st.lists(st.lists(st.floats(), min_size=7, max_size=7), min_size=1, max_size=6)
    )
    frames = [
        data.draw(st.text(st.characters(exclude_characters='\0', codec='utf-8'))) for _ in rows
    ]
    littles = [data.draw(st.booleans()) for _ in rows]
    stamps = [data.draw(st.integers(1, 2**31 * 10**9 - 1)) for _ in rows]
    messages = [message(kind, *args) for args in zip(rows, stamps, frames, strict=True)]
    raws = [serialise(m, little) for m, little in zip(messages, littles, strict=True)]

    samples = both(topic(kind), messages, pack(raws))

    assert isinstance(samples, VectorSamples)
    np.testing.assert_array_equal(samples.values, np.array(rows)[:, :width] + 0.0)
    if 'Stamped' in kind:
        assert samples.stamps.tolist() == stamps
    else:
        assert samples.stamps.tolist() == pack(raws).log_times.tolist()
    assert not samples.dropped


def test_a_stamp_that_was_not_set_is_the_log_time() -> None:
    raws = [serialise(message('WrenchStamped', [0.0] * 7, stamp)) for stamp in (STAMP, 0, STAMP)]
    block = pack(raws)
    samples = reader('WrenchStamped').decode(block)
    assert samples.stamps.tolist() == [STAMP, int(block.log_times[1]), STAMP]


def test_the_time_offset_moves_every_stamp() -> None:
    messages = [message('WrenchStamped', [0.0] * 7, stamp) for stamp in (STAMP, 0)]
    block = pack([serialise(m) for m in messages])
    samples = both(topic('WrenchStamped', time_offset=-0.25), messages, block)
    assert samples.stamps.tolist() == [STAMP - 250_000_000, int(block.log_times[1]) - 250_000_000]


@pytest.mark.parametrize('kind', MODALITIES)
def test_a_message_cut_anywhere_is_dropped_alone(kind: str) -> None:
    whole = serialise(message(kind, [1, 2, 3, 4, 5, 6, 7]))
    for cut in range(len(whole)):
        samples = read(kind, [whole, whole[:cut], whole])
        assert samples.dropped == {'malformed': 1}
        assert samples.arrival.tolist() == [5, 9]
        assert samples.values[:, 0].tolist() == [1, 1]


@given(at=st.integers(0, 23), byte=st.integers(0, 255), little=st.booleans())
def test_no_byte_of_the_head_makes_it_raise_or_harms_neighbours(
    at: int, byte: int, little: bool
) -> None:
    whole = serialise(message('TransformStamped', [1, 2, 3, 4, 5, 6, 7]), little)
    bad = bytearray(whole)
    bad[at] = byte
    samples = read('TransformStamped', [whole, bytes(bad), whole])
    assert samples.values[0].tolist() == samples.values[-1].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert len(samples.stamps) + samples.dropped.total() == 3


def test_impossible_string_lengths_and_other_encapsulations_are_malformed() -> None:
    whole = serialise(message('WrenchStamped', [1, 2, 3, 4, 5, 6, 7]))
    endless = whole[:12] + b'\xff\xff\xff\xff' + whole[16:]
    open_end = whole[:16] + b'base!' + whole[21:]
    parameter_list = b'\x00\x03' + whole[2:]
    longer = whole + bytes(4)
    samples = read('WrenchStamped', [endless, open_end, parameter_list, longer, whole])
    assert samples.dropped == {'malformed': 4}
    assert samples.arrival.tolist() == [13]


def test_a_message_may_be_padded_to_four_bytes() -> None:
    whole = serialise(message('WrenchStamped', [1, 2, 3, 4, 5, 6, 7]))
    assert not read('WrenchStamped', [whole + bytes(3)]).dropped


def test_an_empty_frame_may_be_no_byte_long() -> None:
    whole = serialise(message('WrenchStamped', [1, 2, 3, 4, 5, 6, 7], frame=''))
    plain = whole[:12] + bytes(4) + bytes(4) + whole[-48:]
    assert len(plain) == len(whole)
    assert read('WrenchStamped', [plain]).values.tolist() == [[1, 2, 3, 4, 5, 6]]


def test_an_empty_block_gives_empty_samples() -> None:
    samples = both(topic('PoseStamped'), [], pack([]))
    assert isinstance(samples, VectorSamples)
    assert samples.values.shape == (0, 7)
    assert samples.stamps.dtype == np.int64


@given(
    values=st.lists(st.floats(width=32), min_size=1, max_size=5),
    wide=st.booleans(),
    little=st.booleans(),
)
def test_single_numbers_are_scaled_to_metres(values: list[float], wide: bool, little: bool) -> None:
    name = 'std_msgs/Float64' if wide else 'std_msgs/Float32'
    spec = TopicSpec('gripper', '/width', scale=0.5, offset=0.25)
    width = spec, name.replace('/', '/msg/'), ''
    messages = [new(name, value) for value in values]
    samples = both(width, messages, pack([serialise(m, little) for m in messages]))
    assert isinstance(samples, VectorSamples)
    np.testing.assert_array_equal(samples.values[:, 0], np.array(values) * 0.5 + 0.25)
