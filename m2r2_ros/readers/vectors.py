# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Wrenches, poses, twists and single numbers: messages that are a row of numbers each."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.readers.cdr import MALFORMED, CdrColumns, byte_orders
from m2r2_ros.readers.topics import TopicSpec


class VectorReader:
    """Reads messages that hold, after a header and strings, nothing but `width` numbers.

    Args:
        spec: Gives scale, offset and time offset.
        kind: numpy type of the numbers.
        width: How many there are.
        strings: Strings behind the stamp; None where there is no header at all.
        extract: Takes the numbers from a message object.
    """

    def __init__(
        self,
        spec: TopicSpec,
        kind: str,
        width: int,
        strings: int | None,
        extract: Callable[[Any], Sequence[float]],
    ) -> None:
        self._spec = spec
        self._kind = kind
        self._width = width
        self._strings = strings
        self._extract = extract

    def decode(self, block: MessageBlock) -> VectorSamples:
        """Read CDR messages."""
        stamps = np.zeros(len(block), np.int64)
        values = np.zeros((len(block), self._width))
        sound = np.zeros(len(block), np.bool_)
        for order, which in byte_orders(block):
            columns = CdrColumns(block, order, which)
            if self._strings is not None:
                stamps[which] = columns.stamp()
                for _ in range(self._strings):
                    columns.string()
            values[which] = columns.read(self._kind, self._width)
            sound[which] = columns.finish()
        reasons = Counter({MALFORMED: int((~sound).sum())})
        stamps = resolve_stamps(stamps, block.log_times, self._spec)
        values = values * self._spec.scale + self._spec.offset
        return samples(stamps, block.arrival, values, sound, reasons)

    def convert(
        self,
        topic: str,
        messages: Sequence[Any],
        log_times: NDArray[np.int64],
        arrival: NDArray[np.int64],
    ) -> VectorSamples:
        """Read message objects."""
        rows = [self._extract(message) for message in messages]
        values = np.array(rows, np.float64).reshape(-1, self._width)
        values = values * self._spec.scale + self._spec.offset
        stamped = self._strings is not None
        stamps = np.array([object_stamp(m.header.stamp) if stamped else 0 for m in messages])
        stamps = resolve_stamps(stamps.astype(np.int64), log_times, self._spec)
        return VectorSamples(stamps, arrival, values)


def object_stamp(stamp: Any) -> int:  # noqa: ANN401
    """Return a builtin_interfaces/Time object in nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def resolve_stamps(
    stamps: NDArray[np.int64], log_times: NDArray[np.int64], spec: TopicSpec
) -> NDArray[np.int64]:
    """Put log times for stamps that nobody set, and add the time offset of the device."""
    return np.where(stamps == 0, log_times, stamps) + spec.time_offset_ns


def samples(
    stamps: NDArray[np.int64],
    arrival: NDArray[np.int64],
    values: NDArray[np.float64],
    sound: NDArray[np.bool_],
    reasons: Counter[str],
) -> VectorSamples:
    """Leave out the messages that hold no sample, counted in `reasons`."""
    if sound.all():
        return VectorSamples(stamps, arrival, values)
    return VectorSamples(stamps[sound], arrival[sound], values[sound], +reasons)


def _xyz(v: Any) -> tuple[float, ...]:  # noqa: ANN401
    return v.x, v.y, v.z


def _wrench(m: Any) -> tuple[float, ...]:  # noqa: ANN401
    return *_xyz(m.force), *_xyz(m.torque)


def _twist(m: Any) -> tuple[float, ...]:  # noqa: ANN401
    return *_xyz(m.linear), *_xyz(m.angular)


def _pose(position: Any, q: Any) -> tuple[float, ...]:  # noqa: ANN401
    return *_xyz(position), q.x, q.y, q.z, q.w


#: Type, and what VectorReader wants to know of it: numbers, how many, strings, extraction.
VECTOR_TYPES: dict[str, tuple[str, int, int | None, Callable[[Any], Sequence[float]]]] = {
    'geometry_msgs/msg/WrenchStamped': ('f8', 6, 1, lambda m: _wrench(m.wrench)),
    'geometry_msgs/msg/Wrench': ('f8', 6, None, _wrench),
    'geometry_msgs/msg/TwistStamped': ('f8', 6, 1, lambda m: _twist(m.twist)),
    'geometry_msgs/msg/Twist': ('f8', 6, None, _twist),
    'geometry_msgs/msg/PoseStamped': (
        'f8',
        7,
        1,
        lambda m: _pose(m.pose.position, m.pose.orientation),
    ),
    'geometry_msgs/msg/TransformStamped': (
        'f8',
        7,
        2,
        lambda m: _pose(m.transform.translation, m.transform.rotation),
    ),
    'std_msgs/msg/Float32': ('f4', 1, None, lambda m: (m.data,)),
    'std_msgs/msg/Float64': ('f8', 1, None, lambda m: (m.data,)),
}
