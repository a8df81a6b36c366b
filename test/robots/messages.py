# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of any type, in which no number is there twice."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype

from test.robots.layouts import store

_ENTRIES = 2
_HALF = 0.5**0.5


def filled(type_name: str, **given: Any) -> Any:
    """Make a message such as 'geometry_msgs/msg/Wrench': counted up, but for what is given."""
    message = _message(type_name, count(1))
    for name, value in given.items():
        assert hasattr(message, name)
        setattr(message, name, value)
    return message


def _message(type_name: str, numbers: Iterator[int]) -> Any:
    _, fields = store().fielddefs[type_name]
    return store().types[type_name](*(_value(kind, about, numbers) for _, (kind, about) in fields))


def _value(kind: Nodetype, about: Any, numbers: Iterator[int]) -> Any:
    if kind == Nodetype.NAME:
        return _message(about, numbers)
    if kind == Nodetype.BASE:
        return _number(about[0], numbers)
    (inner, what), length = about
    values = [_value(inner, what, numbers) for _ in range(length or _ENTRIES)]
    numeric = inner == Nodetype.BASE and what[0] != 'string'
    return np.array(values, what[0]) if numeric else values


def _number(kind: str, numbers: Iterator[int]) -> Any:
    if kind == 'string':
        return f'text {next(numbers)}'
    if kind == 'bool':
        return True
    # Halves are exact as float32, and the smallest integers hold 127.
    return next(numbers) + 0.5 if kind.startswith('float') else next(numbers) % 100


def joint_state(names: Sequence[str], first: float = 1.0) -> Any:
    """Make a JointState: positions from `first` on, velocities 100 more, efforts 200 more."""
    position = first + np.arange(len(names), dtype=np.float64)
    return filled(
        'sensor_msgs/msg/JointState',
        name=list(names),
        position=position,
        velocity=position + 100,
        effort=position + 200,
    )


def transforms(*chains: Sequence[str]) -> Any:
    """Make a TFMessage of chains of frames, base first; the k-th one begins k metres higher.

    The first link is turned by 90 degrees about z and the last by 90 degrees about x. Those between
    are where their parent is. `end_pose` says where that leads.
    """
    links: list[Any] = []
    for k, frames in enumerate(chains):
        poses = [_pose()] * (len(frames) - 1)
        poses[0] = _pose((1, 2, 3 + k), (0, 0, _HALF, _HALF))
        poses[-1] = _pose((0.5, 0, 0), (_HALF, 0, 0, _HALF))
        links += map(_link, frames[:-1], frames[1:], poses)
    return filled('tf2_msgs/msg/TFMessage', transforms=links)


def end_pose(k: int = 0) -> list[float]:
    """Return the pose of the last frame of the k-th chain of `transforms` in its first one."""
    return [1, 2.5, 3 + k, 0.5, 0.5, 0.5, 0.5]


def _pose(place: Sequence[float] = (0, 0, 0), turn: Sequence[float] = (0, 0, 0, 1)) -> Any:
    """Make a Transform."""
    types = store().types
    return types['geometry_msgs/msg/Transform'](
        types['geometry_msgs/msg/Vector3'](*map(float, place)),
        types['geometry_msgs/msg/Quaternion'](*map(float, turn)),
    )


def _link(parent: str, child: str, transform: Any) -> Any:
    head = filled('std_msgs/msg/Header', frame_id=parent)
    return store().types['geometry_msgs/msg/TransformStamped'](head, child, transform)


def leaves(message: Any) -> list[float]:
    """Return the numbers of a message of messages, such as a Pose, in order."""
    _, fields = store().fielddefs[message.__msgtype__]
    values = [getattr(message, name) for name, _ in fields]
    return [n for v in values for n in (leaves(v) if hasattr(v, '__msgtype__') else [v])]
