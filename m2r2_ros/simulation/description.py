# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cell's robot as URDF: the frames that move with it, and simple shapes to look at.

Cameras are no part of it: where they are differs from episode to episode, and is in /tf_static.
"""

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

import numpy as np

from m2r2_ros.simulation.arm import (
    DARK,
    GREY,
    GRIP_FORCE,
    KNUCKLES,
    LINKS,
    RANGES,
    STROKE,
    TOOL_LENGTH,
    TORQUES,
    WHITE,
    radius_of,
)  # fmt: skip
from m2r2_ros.simulation.frames import ARM_JOINTS, BASE_LINK, FIXED, MOVING, Edge

Numbers = Sequence[float]
Element = ElementTree.Element

NAME: Final = 'm2r2_cell_arm'
#: Nothing moves faster, rad/s and m/s.
_TURNING, _SLIDING = 3.0, 0.25
_COLOURS: Final = {'white': WHITE, 'grey': GREY, 'dark': DARK}
_AT_ORIGIN: Final = (0.0, 0.0, 0.0)


def robot_description() -> str:
    """Return the URDF."""
    root = Element('robot', name=NAME)
    for name, colour in _COLOURS.items():
        material = ElementTree.SubElement(root, 'material', name=name)
        ElementTree.SubElement(material, 'color', rgba=_text(colour))
    for name in (BASE_LINK, *(edge.child for edge in (*MOVING, *FIXED))):
        _add_shapes(ElementTree.SubElement(root, 'link', name=name))
    for edge in (*MOVING, *FIXED):
        root.append(_joint(edge))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding='unicode', xml_declaration=True) + '\n'


def _joint(edge: Edge) -> Element:
    """Return how a link hangs on another, with the limits of the joint that moves it."""
    kind = ('prismatic' if edge.slide else 'revolute') if edge.joint else 'fixed'
    joint = Element('joint', name=edge.joint or f'{edge.child}_fixed', type=kind)
    ElementTree.SubElement(joint, 'parent', link=edge.parent)
    ElementTree.SubElement(joint, 'child', link=edge.child)
    joint.append(_origin(edge.position, _angles(edge.turn)))
    if edge.joint:
        ElementTree.SubElement(joint, 'axis', xyz=_text(edge.slide or (0, 0, 1)))
        low, high, effort, speed = 0.0, STROKE, GRIP_FORCE, _SLIDING
        if not edge.slide:
            k = ARM_JOINTS.index(edge.joint)
            (low, high), effort, speed = RANGES[k], TORQUES[k], _TURNING
        limits = {'lower': low, 'upper': high, 'effort': effort, 'velocity': speed}
        ElementTree.SubElement(joint, 'limit', {name: f'{x:g}' for name, x in limits.items()})
    return joint


def _add_shapes(link: Element) -> None:
    """Add what is to be seen of a link; most frames have nothing."""
    name = link.get('name', '')
    side = {'finger_left': 1, 'finger_right': -1}.get(name)
    if name == BASE_LINK:
        _add_capsule(link, (0, 0, 0.28), 0.07, 'grey')
    elif name.startswith('link'):
        k = int(name.removeprefix('link')) - 1
        _add_capsule(link, LINKS[k][3], radius_of(k), 'grey' if k % 2 else 'white')
    elif name == 'hand':
        _add_box(link, (0.060, 0.090, 0.060), (0, 0, 0.03), 'dark')
    elif side:
        _add_box(link, (0.020, 0.008, 0.056), (0, side * 0.0065, 0.030), 'grey')
        pad = (0, side * 0.004, TOOL_LENGTH - KNUCKLES)
        _add_box(link, (0.018, 0.008, 0.022), pad, 'dark')


def _add_capsule(link: Element, end: Numbers, radius: float, colour: str) -> None:
    """Add a cylinder from the origin to `end` with a ball at either end: URDF has no capsules."""
    way = np.array(end, np.float64)
    length = float(np.linalg.norm(way))
    for place in (_AT_ORIGIN, end) if length else (_AT_ORIGIN,):
        _add_visual(link, colour, place, _AT_ORIGIN, 'sphere', radius=f'{radius:g}')
    if length:
        x, y, z = way / length
        along = (0.0, float(np.arccos(z)), float(np.arctan2(y, x)))
        shape = {'radius': f'{radius:g}', 'length': repr(length)}
        _add_visual(link, colour, (way / 2).tolist(), along, 'cylinder', **shape)


def _add_box(link: Element, size: Numbers, place: Numbers, colour: str) -> None:
    _add_visual(link, colour, place, _AT_ORIGIN, 'box', size=_text(size))


def _add_visual(
    link: Element, colour: str, place: Numbers, angles: Numbers, shape: str, **measures: str
) -> None:
    visual = ElementTree.SubElement(link, 'visual')
    visual.append(_origin(place, angles))
    ElementTree.SubElement(ElementTree.SubElement(visual, 'geometry'), shape, measures)
    ElementTree.SubElement(visual, 'material', name=colour)


def _origin(place: Numbers, angles: Numbers) -> Element:
    return Element('origin', xyz=_text(place), rpy=_text(angles))


def _angles(turn: Numbers) -> tuple[float, float, float]:
    """Return roll, pitch and yaw of a quaternion, about fixed axes in this order, rad."""
    x, y, z, w = turn
    roll = np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = np.arcsin(np.clip(2 * (w * y - z * x), -1.0, 1.0))
    yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return float(roll), float(pitch), float(yaw)


def _text(numbers: Numbers) -> str:
    """Write numbers that read back as the same."""
    return ' '.join(repr(float(number)) for number in numbers)
