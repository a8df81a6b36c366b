# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What message types look like: ROS 2 Jazzy's, our own, and those that a recording brings."""

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.share import PACKAGE, share_path

if TYPE_CHECKING:  # rosbags is imported for the first message
    from rosbags.typesys.store import Typestore


#: What messages of this package hold besides numbers and texts.
_HELD: Final = {
    'builtin_interfaces/msg/Time': 'int32 sec\nuint32 nanosec',
    'std_msgs/msg/Header': 'builtin_interfaces/Time stamp\nstring frame_id',
    'std_msgs/msg/ColorRGBA': 'float32 r\nfloat32 g\nfloat32 b\nfloat32 a',
}


@cache
def typestore() -> 'Typestore':
    """Return the types of ROS 2 Jazzy and of this package. Shared: do not register more in it."""
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    _register_own(store)
    return store


@cache
def own_types() -> 'Typestore':
    """Return the types of this package alone: those of ROS 2 Jazzy take a tenth of a second."""
    store = held_types()
    _register_own(store)
    return store


def held_types() -> 'Typestore':
    """Return a new store of what messages of this package hold, to register some in it."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.EMPTY)
    for name, text in _HELD.items():
        types = get_types_from_msg(text, name)
        store.register({n: fields for n, fields in types.items() if n not in store.fielddefs})
    return store


def _register_own(store: 'Typestore') -> None:
    from rosbags.typesys import get_types_from_msg

    for path in sorted(share_path('msg').glob('*.msg')):
        types = get_types_from_msg(path.read_text(), f'{PACKAGE}/msg/{path.stem}')
        store.register(types)


@lru_cache(maxsize=64)
def store_for(type_name: str, definition: str = '') -> 'Typestore':
    """Return a store that knows `type_name` as a recording defines it.

    Different recordings may define the same name differently (there are two packages called
    audio_common_msgs), so definitions from outside get a store of their own.

    Args:
        type_name: Such as 'sensor_msgs/msg/Image'.
        definition: Full ros2msg text with the definitions of the fields; '' takes the type from
            `typestore()`.

    Raises:
        MessageError: The type is unknown, or its definition cannot be read.
    """
    if not definition:
        if type_name.startswith(f'{PACKAGE}/') and type_name in own_types().fielddefs:
            return own_types()
        if type_name not in typestore().fielddefs:
            msg = (
                f'type {type_name} is unknown here and came without a definition: record it with '
                f'ROS 2 Iron or later, or as MCAP, which store definitions'
            )
            raise MessageError(msg)
        return typestore()
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore
    from rosbags.typesys.base import TypesysError

    store = get_typestore(Stores.EMPTY)
    try:
        types = get_types_from_msg(definition, type_name)
        builtin = [name for name in types if name in store.fielddefs]
        store.register({name: types[name] for name in types if name not in builtin})
        store.hash_rihs01(type_name)
    except (TypesysError, KeyError, RecursionError, SyntaxError, ValueError) as error:
        msg = f'the definition of type {type_name} cannot be read: {error}; expected ros2msg text'
        raise MessageError(msg) from error
    return store


def is_known(type_name: str) -> bool:
    """Return whether `typestore()` has the type."""
    return type_name in typestore().fielddefs


def type_hash(type_name: str, definition: str = '') -> str:
    """Return the RIHS01 hash of a type, as rmw gives it (REP 2016 type description hash).

    Raises:
        MessageError: As for `store_for`.
    """
    return store_for(type_name, definition).hash_rihs01(type_name)


def message_definition(type_name: str) -> str:
    """Return the full ros2msg text of a type known here, the types of its fields included.

    Raises:
        MessageError: The type is unknown.
    """
    return store_for(type_name).generate_msgdef(type_name, ros_version=2)[0]
