# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames as messages: TFMessage, in CDR with encapsulation header."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.templates import number_marks, number_places
from m2r2_ros.core.time import SECOND
from m2r2_ros.simulation.frames import Edge
from m2r2_ros.simulation.messages import TRANSFORMS, cell_types

_NUMBERS: Final = 7
#: Seconds and nanoseconds of a stamp that nobody would mistake for others.
_MARK: Final = 0x5EA15EA1


class TransformTemplate:
    """Messages of some frames, which differ in stamps and numbers only."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        marks = number_marks(_NUMBERS * len(edges))
        types, rows = cell_types().types, marks.reshape(-1, _NUMBERS).tolist()
        stamp = types['builtin_interfaces/msg/Time'](sec=_MARK, nanosec=_MARK)
        transforms = [
            types['geometry_msgs/msg/TransformStamped'](
                types['std_msgs/msg/Header'](stamp, edge.parent),
                edge.child,
                types['geometry_msgs/msg/Transform'](
                    types['geometry_msgs/msg/Vector3'](*row[:3]),
                    types['geometry_msgs/msg/Quaternion'](*row[3:]),
                ),
            )
            for edge, row in zip(edges, rows, strict=True)
        ]
        raw = cell_types().serialize_cdr(types[TRANSFORMS](transforms), TRANSFORMS)
        self._bytes = np.frombuffer(raw, np.uint8)
        words = self._bytes.view('<u4')
        self._stamps = 4 * np.flatnonzero((words[:-1] == _MARK) & (words[1:] == _MARK))
        self._numbers = np.array(number_places(self._bytes, marks))

    def fill(self, stamps: NDArray[np.int64], places: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Return messages as the rows of uint8 (n, bytes of one).

        Args:
            stamps: int64 (n,), nanoseconds, of all frames in a message.
            places: (n, frames * 7), x, y, z and quaternion x, y, z, w of each.
        """
        messages = np.tile(self._bytes, (len(stamps), 1))
        time = np.stack(np.divmod(stamps, SECOND), 1).astype('<u4').view(np.uint8)
        messages[:, self._stamps[:, None] + np.arange(8)] = time[:, None, :]
        numbers = np.ascontiguousarray(places, '<f8').view(np.uint8)
        messages[:, (self._numbers[:, None] + np.arange(8)).ravel()] = numbers
        return messages
