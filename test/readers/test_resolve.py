# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.readers.fields import FieldReader
from m2r2_ros.readers.resolve import resolve
from m2r2_ros.readers.topics import TopicSpec
from test.readers.messages import new, pack, serialise
from test.readers.test_fields import JOINTS, joints

NAN = float('nan')


def filled(spec: TopicSpec, messages: Sequence[Any], kind: str = JOINTS) -> TopicSpec:
    raws = [m if isinstance(m, bytes) else serialise(m) for m in messages]
    return resolve(spec, kind, '', [pack(raws)])


def arm(**given: Any) -> TopicSpec:
    return TopicSpec('joints', '/topic', **given)


def test_fields_joints_and_dims_are_filled_in_and_then_read() -> None:
    messages = [joints(['b', 'a'], [2, 1], [4, 3])]
    spec = filled(arm(), messages)
    assert (spec.fields, spec.joints, spec.dims) == (('position', 'velocity'), ('b', 'a'), 4)
    again = FieldReader(spec, JOINTS).decode(pack([serialise(joints(['a', 'b'], [1, 2], [3, 4]))]))
    assert again.values.tolist() == [[2, 1, 4, 3]]


@pytest.mark.parametrize('velocities', [[], [NAN, NAN], [0.0, NAN]])
def test_velocities_that_are_not_there_are_left_out(velocities: list[float]) -> None:
    spec = filled(arm(), [joints(['a', 'b'], [1, 2], velocities)] * 3)
    assert (spec.fields, spec.dims) == (('position',), 2)


def test_velocities_that_come_late_are_kept() -> None:
    spec = filled(arm(), [joints(['a'], [1], [NAN]), joints(['a'], [1], [2])])
    assert spec.fields == ('position', 'velocity')


@pytest.mark.parametrize('efforts', [[], [NAN]])
def test_fields_that_were_given_have_to_be_there(efforts: list[float]) -> None:
    with pytest.raises(ConfigError, match=r'effort .*(is empty|is NaN).*position 1, velocity 0'):
        filled(arm(fields=('position', 'effort')), [joints(['a'], [1], [], efforts)])


def test_joints_that_were_given_have_to_be_there() -> None:
    with pytest.raises(ConfigError, match=r'/topic: joint9 not found.*joint1.*mean joint1'):
        filled(arm(joints=('joint9',)), [joints(['joint1'], [1])])
    assert filled(arm(joints=('b',)), [joints(['a', 'b'], [1, 2])]).dims == 1


def test_where_names_are_empty_there_are_no_joints_to_fill_in() -> None:
    spec = filled(arm(), [joints([], [1, 2, 3])])
    assert (spec.joints, spec.fields, spec.dims) == ((), ('position',), 3)


def test_of_several_publishers_the_one_with_most_joints_counts() -> None:
    spec = filled(arm(), [joints(['finger'], [0]), joints(['a', 'b'], [1, 2])])
    assert spec.joints == ('a', 'b')


def test_a_gripper_keeps_its_names_open() -> None:
    spec = filled(TopicSpec('gripper', '/topic'), [joints(['l', 'r'], [1, 2])])
    assert (spec.fields, spec.joints, spec.dims) == (('position',), (), 1)


def test_arrays_say_how_long_they_are() -> None:
    made = new('std_msgs/Float64MultiArray', new('std_msgs/MultiArrayLayout', [], 0), np.ones(5))
    kind = 'std_msgs/msg/Float64MultiArray'
    assert filled(TopicSpec('own', '/topic', fields=('data',)), [made], kind).dims == 5
    with pytest.raises(ConfigError, match='5 numbers, expected 7'):
        filled(TopicSpec('own', '/topic', fields=('data',), dims=7), [made], kind)
    with pytest.raises(ConfigError, match=r'data\[0:7\].*data 5'):
        filled(TopicSpec('own', '/topic', fields=('data[0:7]',)), [made], kind)


def test_a_topic_without_readable_messages_says_so() -> None:
    with pytest.raises(MessageError, match=r'joints: topic /topic: it has no messages'):
        filled(arm(), [])
    with pytest.raises(MessageError, match=r'none of its first 2 messages.*JointState'):
        filled(arm(), [b'\0\1\0\0', b''])
    with pytest.raises(MessageError, match=r'/topic.*is empty'):
        filled(arm(), [joints([], [])])


def test_messages_that_are_damaged_are_passed_over() -> None:
    assert filled(arm(), [b'', joints(['a'], [1])]).joints == ('a',)
