# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Label messages that come from elsewhere: read, or refused where viewers could not show them."""

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

from rclpy.serialization import deserialize_message

from m2r2_ros.bags.labels.topics import LABEL, LABEL_SET, SEGMENT
from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.reading import reading
from m2r2_ros.msg import ActionLabel, ActionSegment, LabelSet


def _label_numbers(message: ActionLabel) -> Iterable[float]:
    return (message.confidence, message.boundary_score, message.latency, *message.probabilities)


def _segment_numbers(message: ActionSegment) -> Iterable[float]:
    return (message.confidence,)


def _set_numbers(message: LabelSet) -> Iterable[float]:
    return (x for c in message.colours for x in (c.r, c.g, c.b, c.a))


#: Class and numbers of each type.
_TYPES: Final[dict[str, tuple[Any, Callable[[Any], Iterable[float]]]]] = {
    LABEL: (ActionLabel, _label_numbers),
    SEGMENT: (ActionSegment, _segment_numbers),
    LABEL_SET: (LabelSet, _set_numbers),
}


def is_label_type(type_name: str) -> bool:
    """Return whether `read_label` reads messages of a type."""
    return type_name in _TYPES


def read_label(type_name: str, raw: bytes) -> Any:  # noqa: ANN401 - a generated class
    """Return a label, a segment or a label set.

    Args:
        type_name: For which `is_label_type` is true.
        raw: CDR bytes with encapsulation header.

    Raises:
        MessageError: It cannot be decoded, or one of its numbers is NaN or infinite.
    """
    kind, numbers = _TYPES[type_name]
    with reading(f'a message of {len(raw)} bytes', type_name, MessageError):
        message = deserialize_message(raw, kind)
    if not all(map(math.isfinite, numbers(message))):
        msg = f'a {type_name} has a number that is NaN or infinite'
        raise MessageError(msg)
    return message
