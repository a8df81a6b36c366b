# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics by homogeneous matrices: along a URDF, and along transforms."""

from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def about(axis: Any, angle: float) -> Matrix:
    """Return a rotation about a unit axis, (4, 4), after Rodrigues."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    whole = np.eye(4)
    whole[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return whole


def shifted(way: Any) -> Matrix:
    whole = np.eye(4)
    whole[:3, 3] = way
    return whole


def numbers(element: ElementTree.Element | None, name: str) -> list[float]:
    assert element is not None
    return [float(word) for word in element.get(name, '').split()]


def origin_of(element: ElementTree.Element) -> Matrix:
    """Return the place that a joint or a visual begins at; rpy are about fixed axes."""
    origin = element.find('origin')
    roll, pitch, yaw = numbers(origin, 'rpy')
    turn = about((0, 0, 1), yaw) @ about((0, 1, 0), pitch) @ about((1, 0, 0), roll)
    return shifted(numbers(origin, 'xyz')) @ turn


def by_description(urdf: str, positions: dict[str, float], link: str) -> Matrix:
    """Return where a link of a URDF is in its root."""
    joints = {}
    for joint in ElementTree.fromstring(urdf).iter('joint'):
        child, parent = joint.find('child'), joint.find('parent')
        assert child is not None and parent is not None
        joints[child.get('link')] = joint, parent.get('link')
    whole, at = np.eye(4), str(link)
    while at in joints:
        joint, at = joints[at]  # type: ignore[assignment]
        place = origin_of(joint)
        if joint.get('type') != 'fixed':
            axis, q = numbers(joint.find('axis'), 'xyz'), positions[str(joint.get('name'))]
            slides = joint.get('type') == 'prismatic'
            place = place @ (shifted(np.array(axis) * q) if slides else about(axis, q))
        whole = place @ whole
    return whole


def by_transforms(transforms: list[Any], frame: str) -> Matrix:
    """Return where a frame is in the root of a tree of TransformStamped."""
    edges = {t.child_frame_id: t for t in transforms}
    assert len(edges) == len(transforms)
    whole = np.eye(4)
    while frame in edges:
        move = edges[frame].transform
        frame = edges[frame].header.frame_id
        whole = placed(move.translation, move.rotation) @ whole
    return whole


def placed(position: Any, turn: Any) -> Matrix:
    """Return what a position and a quaternion of ROS messages are as a matrix."""
    angle = 2 * np.arctan2(np.linalg.norm((turn.x, turn.y, turn.z)), turn.w)
    axis = np.array((turn.x, turn.y, turn.z)) / (np.sin(angle / 2) or 1.0)
    return shifted((position.x, position.y, position.z)) @ about(axis, angle)
