# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gripper width from joint states."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.readers.cdr import JOINT_MISSING, MALFORMED, CdrColumns, Fields, Unusable, byte_orders
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.readers.vectors import resolve_stamps, samples

#: A topic has one list of joints, or that of several publishers. After this many different ones in
#: a block, messages are read one by one.
_MAX_LISTS = 8


class JointReader:
    """Reads sensor_msgs/JointState: the positions of the chosen joints, summed.

    A gripper whose fingers each move half the width gives its width that way.
    """

    def __init__(self, spec: TopicSpec) -> None:
        self._spec = spec

    def decode(self, block: MessageBlock) -> VectorSamples:
        """Read CDR messages."""
        result = _Result(len(block))
        for order, which in byte_orders(block):
            left = which
            for _ in range(_MAX_LISTS):
                if not len(left):
                    break
                left = self._decode_like_first(block, order, left, result)
            for k in range(len(left)):
                self._decode_like_first(block, order, left[k : k + 1], result)
        return self._samples(result, block.log_times, block.arrival)

    def _samples(
        self, result: '_Result', log_times: NDArray[np.int64], arrival: NDArray[np.int64]
    ) -> VectorSamples:
        """Bring the sums to metres."""
        result.drop(np.flatnonzero(~result.valid & ~result.counted), MALFORMED)
        values = result.values * self._spec.scale + self._spec.offset
        stamps = resolve_stamps(result.stamps, log_times, self._spec)
        return samples(stamps, arrival, values[:, None], result.valid, result.reasons)

    def _choose(self, names: list[str]) -> list[int]:
        """Return where the joints are in a message."""
        try:
            chosen = [names.index(name) for name in self._spec.joints or names]
        except ValueError:
            raise Unusable(JOINT_MISSING) from None
        if not chosen:
            raise Unusable(JOINT_MISSING)
        return chosen

    def _decode_like_first(
        self, block: MessageBlock, order: str, which: NDArray[np.intp], result: '_Result'
    ) -> NDArray[np.intp]:
        """Read the messages that list the same joints as the first; returns the others."""
        try:
            fields = Fields(block.message(int(which[0])))
            fields.stamp()
            fields.string()
            begin = fields.tell(4)
            names = [fields.string() for _ in fields.items(smallest=4)]
            size = fields.tell(1) - begin
        except Unusable:
            return which[1:]
        stamps, listed, columns = _past_names(block, order, which, size)
        # A message too short for this list may hold another one.
        same = columns.valid & (listed == listed[0]).all(1)
        alike = which[same]
        if not same.all():
            stamps, _, columns = _past_names(block, order, alike, size)
        try:
            result.take(alike, stamps, columns, self._choose(names), len(names))
        except Unusable as unusable:
            result.drop(alike, unusable.reason)
        others: NDArray[np.intp] = which[~same]
        return others


def _past_names(
    block: MessageBlock, order: str, which: NDArray[np.intp], size: int
) -> tuple[NDArray[np.int64], NDArray[np.uint8], CdrColumns]:
    """Read stamps and the `size` bytes of the list of names; returns the cursors after it too."""
    columns = CdrColumns(block, order, which)
    stamps = columns.stamp()
    columns.string()
    return stamps, columns.take(size, 4), columns


class _Result:
    """What has been read of a block.

    Attributes:
        stamps: int64 (n,), nanoseconds.
        values: float64 (n,), sums of positions.
        valid: bool (n,), which messages hold a sample.
        counted: bool (n,), which messages have been counted as dropped.
        reasons: Dropped messages by reason.
    """

    def __init__(self, n: int) -> None:
        self.stamps = np.zeros(n, np.int64)
        self.values = np.zeros(n)
        self.valid = np.zeros(n, np.bool_)
        self.counted = np.zeros(n, np.bool_)
        self.reasons: Counter[str] = Counter()

    def drop(self, which: NDArray[np.intp], reason: str) -> None:
        """Count messages as dropped."""
        self.counted[which] = True
        self.reasons[reason] += len(which)

    def take(
        self,
        which: NDArray[np.intp],
        stamps: NDArray[np.int64],
        columns: CdrColumns,
        chosen: list[int],
        joints: int,
    ) -> None:
        """Read positions, velocities and efforts, with the cursors after the names."""
        columns.valid &= columns.count() == joints
        positions = columns.read('f8', joints).astype(np.float64, copy=False)
        columns.numbers('f8')
        columns.numbers('f8')
        self.valid[which] = columns.finish()
        self.stamps[which] = stamps
        # One after the other, so that the sum does not depend on how many messages there are.
        total = np.zeros(len(which))
        with np.errstate(invalid='ignore', over='ignore'):  # no numbers are dropped later
            for joint in chosen:
                total += positions[:, joint]
        self.values[which] = total
