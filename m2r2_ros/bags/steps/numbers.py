# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of the numbers of steps, many at a time."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.source import Loaded, MessageRun
from m2r2_ros.bags.steps.meaning import ARRAY, NumberTopic
from m2r2_ros.bags.templates import (
    MessageTemplate,
    euler_to_quaternion,
    message_template,
    number_marks,
    number_places,
)
from m2r2_ros.readers.definitions import typestore


class NumberMessages:
    """Turns rows of a feature's numbers into the messages of a topic."""

    def __init__(self, plan: NumberTopic, frame_id: str) -> None:
        """Prepare a message to be copied.

        Args:
            plan: What the numbers are.
            frame_id: Of the header, where there is one.
        """
        self._plan = plan
        self._columns = list(plan.columns)
        self._fill = _fill_of(plan, frame_id)

    def make(
        self, topic: str, stamps: NDArray[np.int64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.uint8], MessageRun]:
        """Return the messages as one buffer, uint8 (bytes,), and where they lie in it.

        Args:
            topic: Topic name.
            stamps: int64 (n,), nanoseconds.
            values: float64 (n, numbers of the feature).
        """
        chosen = values[:, self._columns]
        if self._plan.euler:
            chosen = np.hstack([chosen[:, :3], euler_to_quaternion('xyz', chosen[:, 3:])])
        messages = self._fill.fill(stamps, chosen)
        lengths = np.full(len(messages), messages.shape[1], np.int64)
        run = MessageRun(topic, np.cumsum(lengths) - lengths, lengths, stamps)
        return messages.reshape(-1), run


def joined(
    makers: dict[str, NumberMessages], stamps: NDArray[np.int64], values: NDArray[np.float64]
) -> Loaded:
    """Return the messages of some topics of a feature in one buffer."""
    buffers, runs, base = [], [], 0
    for name, maker in makers.items():
        data, run = maker.make(name, stamps, values)
        buffers.append(data)
        runs.append(run.moved(base))
        base += len(data)
    return np.concatenate(buffers), runs


class _ArrayTemplate:
    """Copies of a Float64MultiArray with other numbers."""

    def __init__(self, width: int) -> None:
        store, marks = typestore(), number_marks(width)
        types = store.types
        layout = types['std_msgs/msg/MultiArrayLayout'](dim=[], data_offset=0)
        raw = store.serialize_cdr(types[ARRAY](layout=layout, data=marks), ARRAY)
        self._bytes = np.frombuffer(raw, np.uint8)
        self._first = number_places(self._bytes, marks[:1])[0]

    def fill(self, stamps: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Return messages as the rows of uint8 (n, bytes of one)."""
        messages = np.tile(self._bytes, (len(stamps), 1))
        numbers = np.ascontiguousarray(values, '<f8').view(np.uint8)
        messages[:, self._first : self._first + numbers.shape[1]] = numbers
        return messages


def _fill_of(plan: NumberTopic, frame_id: str) -> _ArrayTemplate | MessageTemplate:
    if plan.type_name == ARRAY:
        return _ArrayTemplate(len(plan.columns))
    groups = [plan.group] if plan.joints else []
    return message_template(plan.type_name, len(plan.columns), frame_id, plan.joints, groups)
