# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Wrenches, poses, twists and single numbers: messages that are a row of numbers each."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.readers.cdr import MALFORMED, CdrColumns, byte_orders
from m2r2_ros.readers.topics import TopicSpec


class VectorReader:
    """Reads messages that hold nothing but `width` numbers after a header and strings.

    Args:
        spec: Gives scale, offset and time offset.
        kind: numpy type of the numbers.
        width: How many there are.
        strings: Strings after the stamp; None for types without a header.
    """

    def __init__(
        self,
        spec: TopicSpec,
        kind: str,
        width: int,
        strings: int | None,
    ) -> None:
        self._spec = spec
        self._kind = kind
        self._width = width
        self._strings = strings

    def decode(self, block: MessageBlock) -> VectorSamples:
        """Read CDR messages."""
        stamps = np.zeros(len(block), np.int64)
        values = np.zeros((len(block), self._width))
        valid = np.zeros(len(block), np.bool_)
        for order, which in byte_orders(block):
            columns = CdrColumns(block, order, which)
            if self._strings is not None:
                stamps[which] = columns.stamp()
                for _ in range(self._strings):
                    columns.string()
            values[which] = columns.read(self._kind, self._width)
            valid[which] = columns.finish()
        reasons = Counter({MALFORMED: int((~valid).sum())})
        stamps = resolve_stamps(stamps, block.log_times, self._spec)
        with np.errstate(invalid='ignore', over='ignore'):  # no numbers are dropped later
            values = values * self._spec.scale + self._spec.offset
        return samples(stamps, block.arrival, values, valid, reasons)


def resolve_stamps(
    stamps: NDArray[np.int64], log_times: NDArray[np.int64], spec: TopicSpec
) -> NDArray[np.int64]:
    """Use log times where stamps were not set, and add the time offset of the device."""
    return np.where(stamps == 0, log_times, stamps) + spec.time_offset_ns


def samples(
    stamps: NDArray[np.int64],
    arrival: NDArray[np.int64],
    values: NDArray[np.float64],
    valid: NDArray[np.bool_],
    reasons: Counter[str],
) -> VectorSamples:
    """Leave out invalid messages, which are counted in `reasons`."""
    if valid.all():
        return VectorSamples(stamps, arrival, values)
    return VectorSamples(stamps[valid], arrival[valid], values[valid], +reasons)


#: By type, what VectorReader needs: kind and number of the numbers, strings after the stamp.
VECTOR_TYPES: dict[str, tuple[str, int, int | None]] = {
    'geometry_msgs/msg/WrenchStamped': ('f8', 6, 1),
    'geometry_msgs/msg/Wrench': ('f8', 6, None),
    'geometry_msgs/msg/TwistStamped': ('f8', 6, 1),
    'geometry_msgs/msg/Twist': ('f8', 6, None),
    'geometry_msgs/msg/PoseStamped': ('f8', 7, 1),
    'geometry_msgs/msg/TransformStamped': ('f8', 7, 2),
    'std_msgs/msg/Float32': ('f4', 1, None),
    'std_msgs/msg/Float64': ('f8', 1, None),
}
