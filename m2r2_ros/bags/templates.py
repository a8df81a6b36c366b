# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turn blocks of table rows into serialised messages."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.tables.spec import (
    JOINTS,
    NUMBER,
    POSE,
    TWIST,
    WRENCH,
    TableSpec,
    TextFormat,
)
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.definitions import typestore

_ENCAPSULATION: Final = 4
_STAMP: Final = 8
_DOUBLE: Final = 8


class MessageTemplate:
    """Messages of one topic, which differ in stamp and numbers only.

    One message is serialised with numbers that mark their places; every other is a copy of its
    bytes with its own stamp and numbers put there.
    """

    def __init__(self, table: TableSpec) -> None:
        size = 7 if table.type_name == POSE else len(table.columns)
        marks = number_marks(size)
        raw = typestore().serialize_cdr(_BUILDERS[table.type_name](table, marks), table.type_name)
        self._bytes = np.frombuffer(raw, np.uint8)
        self._places = number_places(self._bytes, marks)
        self._stamped = table.type_name != NUMBER

    def fill(self, stamps: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Return messages as the rows of uint8 (n, bytes of one).

        Args:
            stamps: int64 (n,), nanoseconds.
            values: float64 (n, numbers of a message), in the order of the message.
        """
        messages = np.tile(self._bytes, (len(stamps), 1))
        if self._stamped:
            time = np.stack(np.divmod(stamps, SECOND), 1).astype('<u4')
            messages[:, _ENCAPSULATION : _ENCAPSULATION + _STAMP] = time.view(np.uint8)
        for k, place in enumerate(self._places):
            number = np.ascontiguousarray(values[:, k : k + 1], '<f8')
            messages[:, place : place + _DOUBLE] = number.view(np.uint8)
        return messages


def number_marks(size: int) -> NDArray[np.float64]:
    """Return numbers that nobody would mistake for others, (size,)."""
    return np.arange(1, size + 1, dtype=np.float64) * 1.2345e300


def number_places(raw: NDArray[np.uint8], marks: NDArray[np.float64]) -> list[int]:
    """Return where each mark lies in a CDR message."""
    body = raw[_ENCAPSULATION:]
    # CDR aligns doubles to eight bytes, counted from the end of the encapsulation header.
    doubles = body[: len(body) // _DOUBLE * _DOUBLE].view('<f8')
    found = [np.flatnonzero(doubles == mark)[0] for mark in marks]
    return [_ENCAPSULATION + _DOUBLE * int(k) for k in found]


def message_template(
    type_name: str,
    numbers: int,
    frame_id: str,
    joints: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> MessageTemplate:
    """Return a template for messages that come from no file.

    Args:
        type_name: One of GROUPS.
        numbers: How many there are in a message, without an orientation's fourth.
        frame_id: Frame of the header.
        joints: Names of the joints of a JointState.
        groups: Which of its fields are filled: 'position', 'velocity', 'effort'.
    """
    table = TableSpec(
        file='',
        topic='',
        type_name=type_name,
        frame_id=frame_id,
        text=TextFormat(None, False, ''),
        time=0,
        time_unit=1,
        columns=tuple(range(numbers)),
        scales=(1.0,) * numbers,
        euler='',
        joints=tuple(joints),
        groups=dict.fromkeys(groups, len(joints)),
    )
    return MessageTemplate(table)


def message_values(table: TableSpec, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return SI values in the order of the message, orientations as quaternions.

    Args:
        table: What the columns are.
        cells: float64 (n, columns), as in the file.
    """
    values: NDArray[np.float64] = cells * np.array(table.scales)
    if table.euler:
        return np.hstack([values[:, :-3], euler_to_quaternion(table.euler, values[:, -3:])])
    return values


def euler_to_quaternion(convention: str, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit quaternions x y z w, float64 (n, 4).

    Each angle is a rotation about one axis, with the quaternion (sin(a/2) axis, cos(a/2)). About
    fixed axes (extrinsic), a later rotation multiplies from the left, about the axes of the
    moving body (intrinsic) from the right.

    Args:
        convention: Three axes, lower-case for fixed and upper-case for moving ones.
        angles: float64 (n, 3), radians, in the order of the axes.
    """
    whole = np.tile([0.0, 0.0, 0.0, 1.0], (len(angles), 1))
    for axis, angle in zip(convention, angles.T, strict=True):
        turn = np.zeros((len(angles), 4))
        turn[:, 'xyz'.index(axis.lower())] = np.sin(angle / 2)
        turn[:, 3] = np.cos(angle / 2)
        pair = (turn, whole) if axis.islower() else (whole, turn)
        whole = quaternion_product(*pair)
    return whole


def quaternion_product(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Hamilton product of quaternions x y z w."""
    vector = a[:, 3:] * b[:, :3] + b[:, 3:] * a[:, :3] + np.cross(a[:, :3], b[:, :3])
    scalar = a[:, 3:] * b[:, 3:] - np.sum(a[:, :3] * b[:, :3], axis=1, keepdims=True)
    return np.hstack([vector, scalar])


def _header(table: TableSpec) -> Any:  # noqa: ANN401 - a generated class
    types = typestore().types
    stamp = types['builtin_interfaces/msg/Time'](sec=0, nanosec=0)
    return types['std_msgs/msg/Header'](stamp=stamp, frame_id=table.frame_id)


def _vector(numbers: NDArray[np.float64], name: str = 'Vector3') -> Any:  # noqa: ANN401
    return typestore().types[f'geometry_msgs/msg/{name}'](*numbers.tolist())


def _wrench(table: TableSpec, v: NDArray[np.float64]) -> object:
    wrench = typestore().types['geometry_msgs/msg/Wrench'](_vector(v[:3]), _vector(v[3:]))
    return typestore().types[WRENCH](_header(table), wrench)


def _pose(table: TableSpec, v: NDArray[np.float64]) -> object:
    parts = _vector(v[:3], 'Point'), _vector(v[3:], 'Quaternion')
    pose = typestore().types['geometry_msgs/msg/Pose'](*parts)
    return typestore().types[POSE](_header(table), pose)


def _twist(table: TableSpec, v: NDArray[np.float64]) -> object:
    twist = typestore().types['geometry_msgs/msg/Twist'](_vector(v[:3]), _vector(v[3:]))
    return typestore().types[TWIST](_header(table), twist)


def _joints(table: TableSpec, v: NDArray[np.float64]) -> object:
    groups = ('position', 'velocity', 'effort')
    ends = np.cumsum([table.groups.get(group, 0) for group in groups])
    parts = [v[end - table.groups.get(g, 0) : end] for g, end in zip(groups, ends, strict=True)]
    return typestore().types[JOINTS](_header(table), list(table.joints), *parts)


def _number(table: TableSpec, v: NDArray[np.float64]) -> object:
    return typestore().types[NUMBER](float(v[0]))


_BUILDERS: Final[dict[str, Callable[[TableSpec, NDArray[np.float64]], object]]] = {
    WRENCH: _wrench,
    POSE: _pose,
    TWIST: _twist,
    JOINTS: _joints,
    NUMBER: _number,
}
