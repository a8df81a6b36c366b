# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cameras and single numbers are called in a data set."""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from m2r2_ros.readers.topics import TopicSpec

#: Parts of the names of image topics that say nothing about which camera it is.
_USUAL: Final = frozenset(
    {
        'image',
        'raw',
        'rect',
        'color',
        'colour',
        'rgb',
        'compressed',
        'camera',
        'mono',
        'img',
        'images',
        'observation',
    }
)
_AXES: Final[dict[str, tuple[str, ...]]] = {
    'wrench': ('force_x', 'force_y', 'force_z', 'torque_x', 'torque_y', 'torque_z'),
    'pose': ('x', 'y', 'z', 'qx', 'qy', 'qz', 'qw'),
    'twist': ('vx', 'vy', 'vz', 'wx', 'wy', 'wz'),
    'gripper': ('width',),
    'imu': ('wx', 'wy', 'wz', 'ax', 'ay', 'az'),
}
_SHORT: Final = {
    'position': 'pos', 'positions': 'pos', 'velocity': 'vel', 'velocities': 'vel',
    'effort': 'effort', 'efforts': 'effort',
}  # fmt: skip
#: What ends the name of a joint that says itself what its number is.
_TOLD: Final = ('.pos', '.vel', '.effort')
_LONGEST: Final = 80


def camera_name(topic: str, taken: Collection[str]) -> str:
    """Return what the camera of a topic is called, such as hand_camera; no other one is."""
    parts = [part for part in topic.strip('/').split('/') if part]
    telling = [p for p in parts if not set(re.split('[^a-z0-9]+', p.lower())) <= _USUAL]
    stem = plain_name('_'.join(telling or parts[:1])) or 'camera'
    return next(n for n in (stem, *(f'{stem}_{k}' for k in range(2, 9999))) if n not in taken)


def plain_name(text: str) -> str:
    """Return a text as small letters, digits and underscores: a name for a file or a feature."""
    bare = unicodedata.normalize('NFKD', text).encode('ascii', 'ignore').decode()
    return '_'.join(re.findall('[a-z0-9]+', bare.lower()))[:_LONGEST]


def number_names(spec: TopicSpec) -> tuple[str, ...]:
    """Return what the numbers of a vector are called, such as wrench.force_x.

    Args:
        spec: With its fields, joints and number of numbers filled in.
    """
    own = _of_joints(spec) or _AXES.get(spec.convention, ())
    if len(own) != spec.dims:
        own = spec.fields if len(spec.fields) == spec.dims else ()
    names = own or tuple(str(k) for k in range(spec.dims))
    return tuple(f'{spec.modality}.{name}' for name in names)


def _of_joints(spec: TopicSpec) -> tuple[str, ...]:
    """Return the names of the numbers of joints, field by field; () of others."""
    if not spec.joints or spec.convention == 'gripper':
        return ()
    last = [field.split('[')[0].rpartition('.')[2] for field in spec.fields]
    kinds = [_SHORT.get(name, name) for name in last]
    full = tuple(f'{joint}.{kind}' for kind in kinds for joint in spec.joints)
    # Those of a data set say it already, whose states are all positions of joints to readers.
    told = _TOLD if kinds == ['pos'] else ()
    short = tuple(
        joint.removeprefix(f'{spec.modality}.') if joint.endswith(told) else f'{joint}.{kind}'
        for kind in kinds
        for joint in spec.joints
    )
    return short if len({*short}) == len(short) else full
