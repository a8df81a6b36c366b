# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fields of any type, against what rosbags makes of the same bytes."""

import tracemalloc
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.messages import single_message
from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.readers.definitions import message_definition, store_for
from m2r2_ros.readers.fields import FieldReader
from m2r2_ros.readers.topics import TopicSpec
from test.hostile.fuzzing import tries
from test.hostile.memory import MB
from test.readers.messages import header, new, pack, serialise
from test.readers.random_types import ROOT, TYPES, RandomType, message, numbers_at, paths

JOINTS = 'sensor_msgs/msg/JointState'
STAMP = 1_700_000_000_000_000_001


def joints(names: Sequence[str], *arrays: Sequence[float], frame: str = '') -> Any:
    numbers = [np.array(part, np.float64) for part in (*arrays, (), (), ())[:3]]
    return new('sensor_msgs/JointState', header(STAMP, frame), list(names), *numbers)


def read(spec: TopicSpec, messages: Sequence[Any], kind: str = JOINTS) -> VectorSamples:
    return FieldReader(spec, kind).decode(pack([serialise(m) for m in messages]))


def chosen(*joint: str, fields: tuple[str, ...] = ('position',), **more: Any) -> TopicSpec:
    return TopicSpec('arm', '/j', like='joints', fields=fields, joints=joint, **more)


def expected(
    kind: RandomType, fields: list[str], raws: Sequence[bytes]
) -> tuple[Any, Counter[str]]:
    """Return the rows, and what is dropped, of messages as rosbags reads them."""
    rows: list[list[float]] = []
    dropped: Counter[str] = Counter()
    for raw in raws:
        made = kind.store.deserialize_cdr(raw, ROOT)
        parts = [numbers_at(made, path) for path in fields]
        row = [v for part in parts for v in part or []]
        if None in parts:
            dropped['length_changed'] += 1
        elif not row:
            dropped['empty'] += 1
        elif rows and len(row) != len(rows[0]):
            dropped['length_changed'] += 1
        else:
            rows.append(row)
    return rows, dropped


@tries(40)
@given(kind=TYPES, data=st.data(), little=st.booleans())
def test_any_type_is_read_as_rosbags_reads_it(
    kind: RandomType, data: st.DataObject, little: bool
) -> None:
    every = paths(kind)
    assume(every)
    fields = data.draw(st.lists(st.sampled_from(every), min_size=1, max_size=4))
    made = [message(data, kind) for _ in range(data.draw(st.integers(1, 4)))]
    raws = [bytes(kind.store.serialize_cdr(m, ROOT, little_endian=little)) for m in made * 2]
    spec = TopicSpec('own', '/t', fields=tuple(fields))
    rows, dropped = expected(kind, fields, raws)

    samples = FieldReader(spec, ROOT, kind.definition).decode(pack(raws))
    assert samples.dropped == dropped
    assert len(samples.values) == len(rows)
    if rows:
        np.testing.assert_array_equal(samples.values, np.array(rows))

    # However they are cut into blocks.
    reader = FieldReader(spec, ROOT, kind.definition)
    singles = [reader.decode(single_message('/t', raw, 5, k)) for k, raw in enumerate(raws)]
    values = [row for part in singles for row in part.values.tolist()]
    assert values == samples.values.tolist()
    assert sum((part.dropped for part in singles), Counter()) == dropped


@tries(40)
@given(kind=TYPES, data=st.data())
def test_no_damage_makes_it_raise_or_reaches_the_neighbours(
    kind: RandomType, data: st.DataObject
) -> None:
    every = paths(kind)
    assume(every)
    whole = bytes(kind.store.serialize_cdr(message(data, kind), ROOT))
    at = data.draw(st.integers(0, len(whole) - 1))
    word = data.draw(st.sampled_from([b'\xff\xff\xff\xff', b'\xff\xff\xff\x7f', b'\0', b'\x80']))
    bad = data.draw(st.sampled_from([whole[:at], whole[:at] + word + whole[at + len(word) :]]))
    spec = TopicSpec('own', '/t', fields=tuple(every[:3]))
    alone = FieldReader(spec, ROOT, kind.definition).decode(pack([whole, whole]))
    samples = FieldReader(spec, ROOT, kind.definition).decode(pack([whole, bad, whole]))
    assert len(samples.stamps) + samples.dropped.total() == 3
    good = np.isin(samples.arrival, [5, 9])
    assert samples.values[good].tolist() == alone.values.tolist()


@pytest.mark.parametrize('cut', [0, 1, 3, 4, 5, 20])
def test_what_is_cut_short_too_long_or_no_cdr_is_malformed(cut: int) -> None:
    whole = serialise(joints(['a'], [1.0]))
    odd = b'\0\3' + whole[2:]
    samples = FieldReader(chosen('a'), JOINTS).decode(
        pack([whole[:cut], whole + bytes(4), odd, whole + bytes(3), whole])
    )
    assert samples.dropped == {'malformed': 3}
    assert samples.values.tolist() == [[1.0], [1.0]]


def test_declared_lengths_take_no_memory() -> None:
    whole = bytearray(serialise(joints(['a'], [1.0])))
    at = whole.index(b'a\0') - 8
    words = (b'\xff\xff\xff\xff', b'\xff\xff\xff\x7f', b'\0\0\0\x10')
    raws = [bytes(whole[:at] + word + whole[at + 4 :]) for word in words]
    reader = FieldReader(chosen('a'), JOINTS)
    tracemalloc.start()
    try:
        samples = reader.decode(pack(raws))
        assert tracemalloc.get_traced_memory()[1] < MB
    finally:
        tracemalloc.stop()
    assert samples.dropped == {'malformed': 3}


def test_names_may_change_their_order_and_frames_their_length() -> None:
    messages = [
        joints(['a', 'b'], [1, 2], frame='x'),
        joints(['b', 'c', 'a'], [2, 9, 1], frame='base_link'),
        joints(['a'], [1]),
        joints(['a', 'b'], [1, 2], frame=''),
    ]
    samples = read(chosen('b', 'a'), messages)
    assert samples.values.tolist() == [[2, 1]] * 3
    assert samples.dropped == {'joint_missing': 1}
    assert samples.stamps.tolist() == [STAMP] * 3


def test_messages_as_long_as_each_other_may_have_their_numbers_elsewhere() -> None:
    found = read(
        chosen(fields=('velocity',)),
        [joints((), (1.0, 2.0), (3.0,), (6.0,)), joints((), (4.0,), (5.0,), (6.0, 7.0))],
    )
    assert found.values.tolist() == [[3], [5]]
    assert not found.dropped


def test_where_names_are_empty_numbers_are_taken_by_order() -> None:
    spec = chosen('a', 'b', fields=('position', 'velocity'))
    messages = [joints([], [1, 2], [3, 4]), joints([], [1, 2, 3], [4, 5, 6]), joints([], [1, 2])]
    samples = read(spec, messages)
    assert samples.values.tolist() == [[1, 2, 3, 4]]
    assert samples.dropped == {'joint_missing': 2}


def test_without_joints_the_first_message_says_which_and_in_what_order() -> None:
    messages = [joints(['a', 'b'], [1, 2]), joints(['b', 'a'], [2, 1]), joints(['c', 'd'], [3, 4])]
    samples = read(chosen(), messages)
    assert samples.values.tolist() == [[1, 2], [1, 2]]
    assert samples.dropped == {'joint_missing': 1}


def test_a_nested_list_of_names_belongs_to_its_numbers() -> None:
    text = (
        'string[] joint_names\nsensor_msgs/JointState measured\nfloat64[] torques\n'
        + '=' * 80
        + '\nMSG: sensor_msgs/JointState\nstring[] name\nfloat64[] position\n'
    )
    known = store_for('x_msgs/msg/State', text)
    state = known.types['sensor_msgs/msg/JointState'](['b', 'a'], np.array([2.0, 1.0]))
    made = known.types['x_msgs/msg/State'](['a', 'b'], state, np.array([10.0, 20.0]))
    raw = bytes(known.serialize_cdr(made, 'x_msgs/msg/State'))
    spec = chosen('a', 'b', fields=('measured.position', 'torques'))
    samples = FieldReader(spec, 'x_msgs/msg/State', text).decode(pack([raw]))
    assert samples.values.tolist() == [[1, 2, 10, 20]]


def test_arrays_that_change_their_length_are_counted() -> None:
    kind = 'std_msgs/msg/Float64MultiArray'
    layout = new('std_msgs/MultiArrayLayout', [], 0)
    lengths = (3, 2, 3, 0, 4)
    messages = [new('std_msgs/Float64MultiArray', layout, np.ones(n)) for n in lengths]
    samples = read(TopicSpec('own', '/t', fields=('data',)), messages, kind)
    assert samples.values.shape == (2, 3)
    assert samples.dropped == {'length_changed': 2, 'empty': 1}
    assert read(TopicSpec('own', '/t', fields=('data',), dims=4), messages, kind).values.shape == (
        1,
        4,
    )
    short = read(TopicSpec('own', '/t', fields=('data[1:3]', 'data[0]')), messages, kind)
    assert short.dropped == {'length_changed': 2}


def test_no_sample_has_more_than_4096_numbers() -> None:
    kind = 'std_msgs/msg/Float64MultiArray'
    layout = new('std_msgs/MultiArrayLayout', [], 0)
    messages = [new('std_msgs/Float64MultiArray', layout, np.ones(n)) for n in (4097, 4096)]
    samples = read(TopicSpec('own', '/t', fields=('data',)), messages, kind)
    assert samples.values.shape == (1, 4096)
    assert samples.dropped == {'length_changed': 1}


def test_more_layouts_than_are_kept_are_read_in_any_cut() -> None:
    messages = [joints([f'{"n" * k}', 'a'], [0, k]) for k in range(30)] * 2
    raws = [serialise(m) for m in messages]
    reader = FieldReader(chosen('a'), JOINTS)
    singles = [reader.decode(single_message('/t', raw, 1, k)).values for k, raw in enumerate(raws)]
    together = FieldReader(chosen('a'), JOINTS).decode(pack(raws)).values
    assert np.concatenate(singles).tolist() == together.tolist() == [[k] for k in range(30)] * 2


@pytest.mark.parametrize(
    ('spec', 'kind', 'says'),
    [
        (TopicSpec('own', '/t', fields=('postion',)), JOINTS, 'did you mean position'),
        (TopicSpec('wrench', '/t', fields=('force.z',)), 'geometry_msgs/msg/WrenchStamped',
         'did you mean wrench.force.z'),
        (TopicSpec('own', '/t', fields=('name',)), JOINTS, 'text'),
        (TopicSpec('own', '/t', fields=('header.frame_id',)), JOINTS, 'text'),
        (TopicSpec('own', '/t', fields=('transforms',)), 'tf2_msgs/msg/TFMessage', 'array of'),
        (TopicSpec('own', '/t', fields=('position[1',)), JOINTS, 'expected field names'),
        (TopicSpec('own', '/t', fields=('position[3:3]',)), JOINTS, 'no items'),
        (TopicSpec('own', '/t', fields=('position[0:9999]',)), JOINTS, 'at most 4096'),
        (TopicSpec('own', '/t', fields=('orientation_covariance[9]',)), 'sensor_msgs/msg/Imu',
         'has 9 items'),
        (TopicSpec('pose', '/t', fields=('pose.position',)), 'geometry_msgs/msg/PoseStamped',
         'give 3 numbers, expected 7'),
        (chosen('a', fields=('position[0:2]',)), JOINTS, 'leave out arm.joints'),
        (chosen('a', names='header.frame_id'), JOINTS, 'not a list of names'),
        (chosen('a', names='name', fields=('position[0:1]',)), JOINTS, 'leave out arm.joints'),
    ],
)  # fmt: skip
def test_a_declaration_that_does_not_fit_is_refused(spec: TopicSpec, kind: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        FieldReader(spec, kind)
    assert spec.topic in str(caught.value)
    assert kind in str(caught.value)


@pytest.mark.parametrize(
    ('modality', 'kind', 'dims'),
    [
        ('pose', 'geometry_msgs/msg/Pose', 7),
        ('pose', 'geometry_msgs/msg/PoseWithCovarianceStamped', 7),
        ('pose', 'geometry_msgs/msg/TransformStamped', 7),
        ('pose', 'nav_msgs/msg/Odometry', 7),
        ('twist', 'nav_msgs/msg/Odometry', 6),
        ('twist', 'geometry_msgs/msg/TwistWithCovarianceStamped', 6),
        ('imu', 'sensor_msgs/msg/Imu', 6),
        ('joints', 'std_msgs/msg/Float64MultiArray', 0),
        ('gripper', JOINTS, 1),
    ],
)
def test_usual_fields_are_found(modality: str, kind: str, dims: int) -> None:
    assert FieldReader(TopicSpec(modality, '/t'), kind).dims == dims


@pytest.mark.parametrize('modality', ['twist', 'own', 'wrench'])
def test_nothing_is_made_of_a_type_that_has_nothing_of_the_kind(modality: str) -> None:
    with pytest.raises(MessageError, match=rf'/t .*Imu.*{modality}.fields'):
        FieldReader(TopicSpec(modality, '/t'), 'sensor_msgs/msg/Imu')


def test_definitions_of_a_recording_count_more_than_ours() -> None:
    text = message_definition('std_msgs/msg/Float64').replace('float64', 'int16')
    samples = FieldReader(TopicSpec('own', '/t', fields=('data',)), 'std_msgs/msg/Float64', text)
    assert samples.decode(pack([b'\0\1\0\0\xfe\xff'])).values.tolist() == [[-2]]
