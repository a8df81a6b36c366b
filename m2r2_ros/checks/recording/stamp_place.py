# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the messages of a type say themselves when they are from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.cdr import ENCAPSULATION, ORDERS, gather
from m2r2_ros.readers.types import Many, Message, Node, message_type, past

#: Bytes of a stamp, and of the length of a sequence.
SIZE: Final = 8
_WORD: Final = 4
_TIME: Final = 'builtin_interfaces/msg/Time'


@dataclass(frozen=True, slots=True)
class StampPlace:
    """A stamp that lies at one place in all messages of a type.

    Attributes:
        at: Bytes from the beginning of a message to the stamp.
        single: It stands for the whole message; else it is that of its first item, as in
            transforms, whose publishers share a topic and have times of their own.
    """

    at: int
    single: bool

    def stamps(self, block: MessageBlock) -> NDArray[np.int64]:
        """Return the stamps of some messages, int64 (n,), nanoseconds.

        What is too short or no plain CDR has stamp 0, as what was never stamped.
        """
        stamps = np.zeros(len(block), np.int64)
        which = np.flatnonzero(block.lengths >= self.at + SIZE)
        if not len(which):
            return stamps
        offsets = block.offsets[which]
        marks = gather(block.data, offsets, 2)
        words = gather(block.data, offsets + self.at, SIZE)
        for mark, order in ORDERS.items():
            own = marks == np.void(mark)
            pairs = words[own].view(f'{order}u4').reshape(-1, 2)
            seconds = pairs[:, 0].astype(np.int32).astype(np.int64)
            stamps[which[own]] = seconds * SECOND + pairs[:, 1].astype(np.int64)
        return stamps


def stamp_place(type_name: str, definition: str = '') -> StampPlace | None:
    """Return where the messages of a type have their stamp: the first time in them.

    Args:
        type_name: Such as 'sensor_msgs/msg/Imu'.
        definition: Full ros2msg text; '' takes a type that is known here.

    Returns:
        None where there is none, it lies at no fixed place, or the type is unknown.
    """
    try:
        root = message_type(type_name, definition)
    except MessageError:
        return None
    found = _search(root, 0, single=True)
    return found if isinstance(found, StampPlace) else None


def _search(node: Node, at: int, *, single: bool) -> StampPlace | int | None:
    """Look for a time in a part of a type that begins at `at`, counted from behind the mark.

    Returns:
        The place; where the part ends, if it holds none; None where nobody can say that.
    """
    if isinstance(node, Message):
        if node.name == _TIME:
            return StampPlace(-(-at // _WORD) * _WORD + ENCAPSULATION, single)
        for part in node.fields.values():
            found = _search(part, at, single=single)
            if not isinstance(found, int):
                return found
            at = found
        return at
    if isinstance(node, Many) and node.count is None:
        begin = -(-at // _WORD) * _WORD + _WORD
        inside = _search(node.item, begin, single=False)
        return inside if isinstance(inside, StampPlace) else None
    return past(node, at) if node.fixed and not isinstance(node, Message) else None
