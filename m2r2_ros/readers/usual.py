# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is read of a message where the user does not say: by what is wanted, and by the type."""

from typing import Final

from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.text import listed
from m2r2_ros.readers.guessing import MODALITY_TYPES
from m2r2_ros.readers.paths import Path, Step, every_path, find_path, number_paths
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.readers.types import Many, Message, Node, Text

_JOINT_STATE: Final = 'sensor_msgs/msg/JointState'
#: Messages in which the numbers of a built-in sensor lie, wherever these are in a type.
_PARTS: Final[dict[str, tuple[str, ...]]] = {
    'wrench': ('geometry_msgs/msg/Wrench',),
    'pose': ('geometry_msgs/msg/Pose', 'geometry_msgs/msg/Transform'),
    'twist': ('geometry_msgs/msg/Twist',),
    'gripper': (_JOINT_STATE,),
    'joints': (_JOINT_STATE,),
    'imu': ('sensor_msgs/msg/Imu',),
}
#: Fields of these that are taken, all where none is named.
_TAKEN: Final[dict[str, tuple[str, ...]]] = {
    'gripper': ('position',),
    'joints': ('position', 'velocity'),
    'imu': ('angular_velocity', 'linear_acceleration'),
}
#: Fields of types that hold no such message; the first that the type has.
_FIELDS: Final[dict[tuple[str, str], tuple[tuple[str, ...], ...]]] = {
    ('gripper', 'std_msgs/msg/Float64'): (('data',),),
    ('gripper', 'std_msgs/msg/Float32'): (('data',),),
    ('joints', 'std_msgs/msg/Float64MultiArray'): (('data',),),
    ('joints', 'std_msgs/msg/Float32MultiArray'): (('data',),),
    ('joints', 'control_msgs/msg/JointTrajectoryControllerState'): (
        ('feedback.positions', 'feedback.velocities'),
        ('actual.positions', 'actual.velocities'),
    ),
}
_NAME_LISTS: Final = ('name', 'joint_names', 'names')


def choose_paths(spec: TopicSpec, root: Message) -> list[Path]:
    """Return the paths that are read of a type: those that were given, or the usual ones.

    Raises:
        ConfigError: A path that was given is not in the type, or none was and several would do.
        MessageError: None was given, and none is usual.
    """
    where = place(spec)
    fields = spec.fields or usual_fields(spec, root)
    return [find_path(root, text, where) for text in fields]


def usual_fields(spec: TopicSpec, root: Message) -> tuple[str, ...]:
    """Return the fields that are read of a type where none is given.

    Raises:
        ConfigError: Several would do.
        MessageError: None is usual.
    """
    kind = spec.convention
    for fields in _FIELDS.get((kind, root.name), ()):
        if all(_exists(root, text) for text in fields):
            return fields
    wanted = _PARTS.get(kind, ())
    found = [path for path, node in every_path(root) if node.name in wanted]
    # A message in one that serves already, such as the pose in an odometry, is no other one.
    found = [p for p in found if not any(q != p and p.startswith(q and f'{q}.') for q in found)]
    if not found:
        raise MessageError(_unfit(spec, root, kind))
    if len(found) > 1:
        msg = (
            f'{place(spec)}: type {root.name} has several: {listed(found, 10)}; say which in '
            f'{spec.modality}.fields'
        )
        raise ConfigError(msg)
    taken = _TAKEN.get(kind, ())
    if found[0]:
        return tuple(f'{found[0]}.{name}' for name in taken) or (found[0],)
    return taken or tuple(name for name, node in root.fields.items() if node.numbers != 0)


def names_path(spec: TopicSpec, root: Message, path: Path) -> tuple[Step, ...] | None:
    """Return where the names are that belong to an array of numbers, one for each joint.

    Returns:
        None where numbers are not taken by name.

    Raises:
        ConfigError: Joints were given, but there is no list of names, or no array beside it.
    """
    if spec.names and path.is_list:
        return _named(spec, root)
    if not spec.joints and spec.convention not in ('gripper', 'joints'):
        return None
    if path.is_list:
        for depth in range(len(path.steps) - 1, -1, -1):
            level = _at(root, path.steps[:depth])
            for name in _NAME_LISTS:
                if isinstance(level, Message) and _is_texts(level.fields.get(name)):
                    return *path.steps[:depth], Step(name)
    if not spec.joints:
        return None
    lacking = (
        'there is no list of names beside it; name it in'
        if path.is_list
        else 'it is not an array with a number for each joint; leave out'
    )
    option = f'{spec.modality}.{"names" if path.is_list else "joints"}'
    msg = f'{place(spec)}: {path.text!r} in type {root.name}: {lacking} {option}'
    raise ConfigError(msg)


def place(spec: TopicSpec) -> str:
    """Return how errors name a topic."""
    return f'{spec.modality}: topic {spec.topic}'


def _named(spec: TopicSpec, root: Message) -> tuple[Step, ...]:
    """Look up the list of names that was given."""
    steps = tuple(Step(name) for name in spec.names.split('.'))
    if not _is_texts(_at(root, steps)):
        lists = [path for path, node in every_path(root) if _is_texts(node)]
        msg = (
            f'{spec.modality}.names: topic {spec.topic}: {spec.names!r} is not a list of names in '
            f'type {root.name}; it has {listed(lists) or "none"}'
        )
        raise ConfigError(msg)
    return steps


def _at(root: Message, steps: tuple[Step, ...]) -> Node | None:
    node: Node | None = root
    for step in steps:
        node = node.fields.get(step.name) if isinstance(node, Message) else None
        if isinstance(node, Many) and step.items:
            node = node.item
    return node


def _is_texts(node: Node | None) -> bool:
    return isinstance(node, Many) and isinstance(node.item, Text)


def _exists(root: Message, text: str) -> bool:
    try:
        find_path(root, text, '')
    except ConfigError:
        return False
    return True


def _unfit(spec: TopicSpec, root: Message, kind: str) -> str:
    """Return what to say of a type that holds nothing of the kind."""
    if not kind:
        what = 'nothing is usual for this one'
    else:
        what = (
            f'{kind} cannot be read from it; expected {" or ".join(MODALITY_TYPES.get(kind, ()))}'
        )
    return (
        f'{place(spec)} is of type {root.name}, and no fields are given: {what}; or name what is '
        f'to be read in {spec.modality}.fields, of {listed(number_paths(root), 10)}'
    )
