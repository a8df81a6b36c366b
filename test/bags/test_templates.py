# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.bags.tables.spec import JOINTS, NUMBER, POSE, TWIST, WRENCH, TableSpec, TextFormat
from m2r2_ros.bags.templates import MessageTemplate, euler_to_quaternion, message_values
from m2r2_ros.readers.definitions import typestore

CONVENTIONS = [
    ''.join(axes)
    for letters in ('xyz', 'XYZ')
    for axes in product(letters, repeat=3)
    if axes[0] != axes[1] and axes[1] != axes[2]
]
STAMP = 1_700_000_000_123_456_789


def table(type_name: str, size: int, frame_id: str = 'base', euler: str = '') -> TableSpec:
    groups = {'position': 2, 'effort': 2} if type_name == JOINTS else {}
    columns = tuple(range(size))
    text = TextFormat(None, False, '#')
    return TableSpec(
        'file', '/topic', type_name, frame_id, text, 0, 1, columns, (1.0,) * size, euler,
        ('a', 'joint_b') if type_name == JOINTS else (), groups,
    )  # fmt: skip


@pytest.mark.parametrize('convention', CONVENTIONS)
def test_euler_angles_are_those_of_scipy(convention: str) -> None:
    rotation = pytest.importorskip('scipy.spatial.transform', reason='needs scipy').Rotation
    angles = np.random.default_rng(0).uniform(-4, 4, (50, 3))
    ours = rotation.from_quat(euler_to_quaternion(convention, angles))
    theirs = rotation.from_euler(convention, angles)
    assert (ours * theirs.inv()).magnitude().max() < 1e-9


def test_quaternions_have_length_one_and_pass_nan_on() -> None:
    angles = np.array([[0.1, 2.0, -3.0], [np.nan, 0.0, 0.0]])
    quaternions = euler_to_quaternion('xyz', angles)
    assert np.linalg.norm(quaternions[0]) == pytest.approx(1.0)
    assert np.isnan(quaternions[1]).any()
    assert euler_to_quaternion('xyz', np.zeros((0, 3))).shape == (0, 4)


@pytest.mark.parametrize(
    ('type_name', 'size'), [(WRENCH, 6), (POSE, 7), (TWIST, 6), (JOINTS, 4), (NUMBER, 1)]
)
@pytest.mark.parametrize('frame_id', ['', 'a', 'base_link', 'tool0_with_a_long_name'])
@given(st.data())
def test_messages_are_those_of_rosbags(
    type_name: str, size: int, frame_id: str, data: st.DataObject
) -> None:
    numbers = st.lists(st.floats(), min_size=size, max_size=size)
    values = np.array(data.draw(st.lists(numbers, min_size=1, max_size=3)))
    stamps = STAMP + np.arange(len(values))
    for stamp, row, raw in zip(
        stamps.tolist(), values, MessageTemplate(table(type_name, size, frame_id)).fill(
            stamps, values
        ), strict=True,
    ):  # fmt: skip
        message = typestore().deserialize_cdr(raw.tobytes(), type_name)
        assert bytes(typestore().serialize_cdr(message, type_name)) == raw.tobytes()
        if type_name != NUMBER:
            assert message.header.frame_id == frame_id  # type: ignore[attr-defined]
            time = message.header.stamp  # type: ignore[attr-defined]
            assert time.sec * 10**9 + time.nanosec == stamp
        np.testing.assert_array_equal(numbers_of(message, type_name), row)


def numbers_of(message: object, type_name: str) -> list[float]:
    paths = {
        WRENCH: [f'wrench.{g}.{a}' for g in ('force', 'torque') for a in 'xyz'],
        POSE: [f'pose.position.{a}' for a in 'xyz'] + [f'pose.orientation.{a}' for a in 'xyzw'],
        TWIST: [f'twist.{g}.{a}' for g in ('linear', 'angular') for a in 'xyz'],
        NUMBER: ['data'],
    }
    if type_name == JOINTS:
        assert message.name == ['a', 'joint_b']  # type: ignore[attr-defined]
        assert len(message.velocity) == 0  # type: ignore[attr-defined]
        return [*message.position, *message.effort]  # type: ignore[attr-defined]
    found = []
    for path in paths[type_name]:
        part = message
        for name in path.split('.'):
            part = getattr(part, name)
        found.append(float(part))  # type: ignore[arg-type]
    return found


def test_units_come_before_angles() -> None:
    spec = table(POSE, 6, euler='ZYX')
    degrees = np.pi / 180
    scaled = TableSpec(
        spec.file, spec.topic, POSE, 'base', spec.text, 0, 1, spec.columns,
        (1e-3, 1e-3, 1e-3, degrees, degrees, degrees), 'ZYX', (), {},
    )  # fmt: skip
    [row] = message_values(scaled, np.array([[1000.0, 2000.0, -500.0, 90.0, 0.0, 0.0]]))
    np.testing.assert_allclose(row[:3], [1.0, 2.0, -0.5])
    np.testing.assert_allclose(row[3:], [0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)], atol=1e-15)
