# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the numbers of a feature are, by its name and theirs: which message type holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from m2r2_ros.bags.steps.names import is_action, words_of
from m2r2_ros.bags.tables.spec import JOINTS, NUMBER, POSE, TWIST, WRENCH

ARRAY: Final = 'std_msgs/msg/Float64MultiArray'
#: Numbers of a sample that readers take.
MOST_NUMBERS: Final = 4096

#: Names of numbers that together are one quantity; the columns in the order of the message.
_NAMED: Final[dict[tuple[str, ...], tuple[str, tuple[int, ...], bool]]] = {
    ('x', 'y', 'z', 'qx', 'qy', 'qz', 'qw'): (POSE, (0, 1, 2, 3, 4, 5, 6), False),
    ('x', 'y', 'z', 'qw', 'qx', 'qy', 'qz'): (POSE, (0, 1, 2, 4, 5, 6, 3), False),
    ('x', 'y', 'z', 'roll', 'pitch', 'yaw'): (POSE, (0, 1, 2, 3, 4, 5), True),
    ('pos_x', 'pos_y', 'pos_z', 'quat_x', 'quat_y', 'quat_z', 'quat_w'): (
        POSE, (0, 1, 2, 3, 4, 5, 6), False,
    ),
    ('force_x', 'force_y', 'force_z', 'torque_x', 'torque_y', 'torque_z'): (
        WRENCH, (0, 1, 2, 3, 4, 5), False,
    ),
    ('fx', 'fy', 'fz', 'tx', 'ty', 'tz'): (WRENCH, (0, 1, 2, 3, 4, 5), False),
    ('fx', 'fy', 'fz', 'mx', 'my', 'mz'): (WRENCH, (0, 1, 2, 3, 4, 5), False),
    ('vx', 'vy', 'vz', 'wx', 'wy', 'wz'): (TWIST, (0, 1, 2, 3, 4, 5), False),
}  # fmt: skip
#: Words in the names of features whose numbers are joints, named or not.
_JOINTS: Final = frozenset(
    {'state', 'states', 'action', 'actions', 'joint', 'joints', 'qpos', 'qvel', 'position',
     'positions', 'arm', 'motor', 'motors'}
)  # fmt: skip
_VELOCITY: Final = frozenset({'velocity', 'velocities', 'qvel', 'vel'})
_EFFORT: Final = frozenset({'effort', 'efforts', 'torque', 'torques', 'current', 'currents'})
_GRIPPER: Final = 'gripper'


@dataclass(frozen=True, slots=True)
class NumberTopic:
    """A topic made of the numbers of a feature.

    Attributes:
        below: What its name has behind that of the feature.
        type_name: Message type.
        columns: Which of the feature's numbers it holds, in the order of the message.
        joints: Names of the joints of a JointState.
        group: Which field of a JointState they fill.
        euler: The last three numbers are roll, pitch and yaw about fixed axes.
        note: What was assumed; '' where nothing was.
    """

    below: tuple[str, ...]
    type_name: str
    columns: tuple[int, ...]
    joints: tuple[str, ...] = ()
    group: str = ''
    euler: bool = False
    note: str = ''


def number_topics(feature: str, width: int, names: Sequence[str]) -> list[NumberTopic]:
    """Return the topics that a feature of numbers becomes.

    What is measured and called a gripper, or makes a pose, a wrench or a twist by its names, gets a
    topic of its own besides.

    Args:
        feature: Its name.
        width: Numbers of a step.
        names: What the numbers are called; () where nothing says it.
    """
    names = names if len(names) == width and len(set(names)) == width else ()
    whole = tuple(range(width))
    if width == 1:
        return [NumberTopic((), NUMBER, whole)]
    for count in (width, width - 1):
        if known := _NAMED.get(tuple(name.lower() for name in names[:count])):
            type_name, columns, euler = known
            first = NumberTopic((), type_name, columns, euler=euler)
            return [first, *_single(names, range(count, width))]
    if made := _by_feature(feature, width):
        return [made]
    words = set(words_of(feature))
    group = _group(words)
    if names or words & (_JOINTS | _VELOCITY | _EFFORT):
        joints = tuple(names) or tuple(f'{(words_of(feature) or ["value"])[-1]}_{k}' for k in whole)
        found = [NumberTopic((), JOINTS, whole, joints, group)]
        return found if is_action(feature) else [*found, *_quantities(names), *_grippers(names)]
    return [NumberTopic((), ARRAY, whole)]


def _by_feature(feature: str, width: int) -> NumberTopic | None:
    """Return what a feature's own name says that its numbers are, None where it says nothing."""
    words, whole = set(words_of(feature)), tuple(range(width))
    if width == 6 and (words & {'wrench', 'ft'} or {'force', 'torque'} <= words):
        return NumberTopic((), WRENCH, whole)
    if width == 6 and ('twist' in words or {'cartesian', 'velocity'} <= words):
        return NumberTopic((), TWIST, whole)
    if width == 6 and {'cartesian', 'position'} <= words:
        note = f'{feature}: its last three numbers are taken for roll, pitch and yaw'
        return NumberTopic((), POSE, whole, euler=True, note=note)
    if width == 7 and 'pose' in words:
        note = f'{feature}: its last four numbers are taken for a quaternion x y z w'
        return NumberTopic((), POSE, whole, note=note)
    return None


def _group(words: set[str]) -> str:
    if words & _VELOCITY:
        return 'velocity'
    return 'effort' if words & _EFFORT else 'position'


def _quantities(names: Sequence[str]) -> list[NumberTopic]:
    """Return topics of the poses, wrenches and twists among numbers, such as left_pose.x to .qw."""
    found = []
    for at, first in enumerate(names):
        for parts, (type_name, columns, euler) in _NAMED.items():
            prefix = first[: -len(parts[0])] if first.lower().endswith(parts[0]) else first
            whole = [f'{prefix}{part}' for part in parts]
            if [name.lower() for name in names[at : at + len(parts)]] != [w.lower() for w in whole]:
                continue
            if prefix and prefix[-1] not in '._/':
                continue
            below = prefix.rstrip('._/') or type_name.rpartition('/')[2].removesuffix('Stamped')
            places = tuple(at + k for k in columns)
            found.append(NumberTopic((below.lower(),), type_name, places, euler=euler))
    return found


def _grippers(names: Sequence[str]) -> list[NumberTopic]:
    return _single(names, [k for k, name in enumerate(names) if _GRIPPER in name.lower()])


def _single(names: Sequence[str], columns: Sequence[int]) -> list[NumberTopic]:
    """Return a topic for each of some numbers."""
    return [NumberTopic((names[k],), NUMBER, (k,)) for k in columns]
