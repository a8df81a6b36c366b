# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.errors import MessageError
from m2r2_ros.readers.types import Message, Number, message_type, past
from test.readers.random_types import NUMBERS, RULE


@given(
    names=st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=4),
    at=st.integers(0, 40),
    count=st.integers(0, 60),
)
def test_many_are_as_long_as_one_after_the_other(names: list[str], at: int, count: int) -> None:
    node = Message('a/msg/A', {str(k): Number(name) for k, name in enumerate(names)})
    end = at
    for _ in range(count):
        end = node.past(end)
    assert past(node, at, count) == end


def test_counts_beyond_all_measure_take_no_time() -> None:
    text = f'x_msgs/Two[4000000000] f\n{RULE}MSG: x_msgs/Two\nint8 a\nfloat64 b\n'
    node = message_type('x_msgs/msg/Huge', text)
    assert node.past(0) == 16 * 4_000_000_000


def test_types_that_hold_each_other_or_are_nested_too_deep_are_refused() -> None:
    chain = ''.join(f'{RULE}MSG: x_msgs/T{k}\nx_msgs/T{k + 1} f\n' for k in range(60))
    deep = f'x_msgs/T0 f\n{chain}{RULE}MSG: x_msgs/T60\nint8 f\n'
    circle = f'x_msgs/A f\n{RULE}MSG: x_msgs/A\nx_msgs/B f\n{RULE}MSG: x_msgs/B\nx_msgs/A f\n'
    for text in (deep, circle, 'x_msgs/Nowhere f\n'):
        with pytest.raises(MessageError, match='x_msgs/msg/Root'):
            message_type('x_msgs/msg/Root', text)


def test_a_header_without_a_time_gives_no_stamp() -> None:
    text = f'std_msgs/Header header\n{RULE}MSG: std_msgs/Header\nfloat64 stamp\n'
    assert message_type('x_msgs/msg/Odd', text).stamp == ()
    assert message_type('sensor_msgs/msg/Imu').stamp == ('header', 'stamp')
    assert message_type('x_msgs/msg/Own', 'builtin_interfaces/Time stamp\n').stamp == ('stamp',)
