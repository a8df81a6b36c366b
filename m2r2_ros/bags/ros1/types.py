# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of ROS 1 as those of ROS 2: types by their definitions, bytes as CDR."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from m2r2_ros.bags.source import Topic
from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.reading import reading
from m2r2_ros.readers.definitions import message_definition, type_hash, typestore

#: Types that ROS 2 has under another name.
_RENAMED: Final = {'tf/msg/tfMessage': 'tf2_msgs/msg/TFMessage'}
_HEADER: Final = 'std_msgs/msg/Header'
#: Characters of a definition with those of its fields.
_MOST_TEXT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Conversion:
    """How the messages of a type are converted.

    Attributes:
        type_name: Type in ROS 2.
        definition: Full ros2msg text.
        type_hash: RIHS01 hash.
        convert: Makes CDR of a message of ROS 1.
    """

    type_name: str
    definition: str
    type_hash: str
    convert: Callable[[bytes], Any]

    def topic(self, name: str, count: int, qos: str) -> Topic:
        """Return a topic of this type."""
        return Topic(name, self.type_name, self.definition, count, qos, self.type_hash)


def conversion_of(type_name: str, definition: str) -> Conversion:
    """Return how messages of a type are converted.

    A type that ROS 2 has gets what ROS 2 has in it; others stay as they are but for the header,
    which has no running number there.

    Args:
        type_name: Such as 'sensor_msgs/msg/Image'.
        definition: Full text of the type as ROS 1 writes it.

    Raises:
        MessageError: The definition cannot be read.
    """
    if len(definition) > _MOST_TEXT:
        msg = f'the definition of type {type_name} has {len(definition)} characters'
        raise MessageError(msg)
    with reading(f'the definition of type {type_name}', 'text of ROS 1', MessageError):
        return _conversion(type_name, _RENAMED.get(type_name, type_name), definition)


def _conversion(name: str, renamed: str, definition: str) -> Conversion:
    from rosbags.convert.converter import is_same_wireformat, migrate_bytes
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    source, known = get_typestore(Stores.EMPTY), typestore()
    found = get_types_from_msg(definition, name)
    types = {n: fields for n, fields in found.items() if n not in source.fielddefs}
    if renamed in known.fielddefs:
        source.register(types)
        convert: Callable[[bytes], Any]
        if is_same_wireformat(source, known, name, renamed):
            convert = partial(known.ros1_to_cdr, typename=renamed)
        else:
            cache: dict[str, object] = {}
            move = partial(migrate_bytes, source, known, name, renamed, cache)
            convert = partial(move, src_is2=False, dst_is2=True)
        return Conversion(renamed, message_definition(renamed), type_hash(renamed), convert)
    if _HEADER in types:
        types[_HEADER] = known.fielddefs[_HEADER]
    source.register(types)
    text = source.generate_msgdef(name, ros_version=2)[0]
    convert = partial(source.ros1_to_cdr, typename=name)
    return Conversion(name, text, source.hash_rihs01(name), convert)
