# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of /tf, read together where they name the same frames."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.readers.cdr import MALFORMED, Unusable
from m2r2_ros.readers.layout import MessageLayout
from m2r2_ros.readers.paths import Step
from m2r2_ros.readers.topics import TRANSFORMS
from m2r2_ros.readers.types import message_type
from m2r2_ros.readers.walk import Run, plan_for, walk

_EACH: Final = Step('transforms', (0, None))
_PARENT, _CHILD, _STAMP, _TRANSFORM = range(4)
_WANTED: Final = (
    (_EACH, Step('header'), Step('frame_id')),
    (_EACH, Step('child_frame_id')),
    (_EACH, Step('header'), Step('stamp')),
    (_EACH, Step('transform')),
)
#: Layouts that are kept for the next block.
_KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class TransformRows:
    """Messages that name the same frames.

    Attributes:
        static: They hold for all time.
        edges: For each transform of a message, parent and child frame.
        arrival: int64 (n,), increasing.
        stamps: int64 (n, k), nanoseconds.
        values: float64 (n, k, 7), translation and rotation.
    """

    static: bool
    edges: tuple[tuple[str, str], ...]
    arrival: NDArray[np.int64]
    stamps: NDArray[np.int64]
    values: NDArray[np.float64]


class TransformMessages:
    """Reads tf2_msgs/TFMessage; keeps what it knows of layouts from block to block."""

    def __init__(self) -> None:
        self._root = message_type(TRANSFORMS)
        self._plan = plan_for(self._root, _WANTED)
        self._layouts: list[tuple[MessageLayout, tuple[tuple[str, str], ...]]] = []

    def read(self, block: MessageBlock, dropped: Counter[str]) -> list[TransformRows]:
        """Return the transforms of a block, and count messages that cannot be read."""
        rows: list[TransformRows] = []
        left = np.arange(len(block))
        for layout, edges in tuple(self._layouts):
            left = self._take(layout, edges, block, left, rows)
        while len(left):
            try:
                layout, edges = self._layout(block.message(int(left[0])))
            except Unusable as unusable:
                dropped[unusable.reason] += 1
                left = left[1:]
                continue
            self._layouts = [(layout, edges), *self._layouts[: _KEPT - 1]]
            left = self._take(layout, edges, block, left, rows)
        return rows

    def _take(
        self,
        layout: MessageLayout,
        edges: tuple[tuple[str, str], ...],
        block: MessageBlock,
        left: NDArray[np.intp],
        rows: list[TransformRows],
    ) -> NDArray[np.intp]:
        """Read the messages of a layout; returns the others."""
        alike = layout.matching(block, left)
        which = left[alike]
        if len(which) and edges:
            n, k = len(which), len(edges)
            numbers = layout.values(block, which)
            seconds, nanoseconds = numbers[:, :k], numbers[:, k : 2 * k]
            stamps = seconds.astype(np.int64) * 10**9 + nanoseconds.astype(np.int64)
            stamps = np.where(stamps == 0, block.log_times[which][:, None], stamps)
            rows.append(
                TransformRows(
                    block.topic.endswith('_static'),
                    edges,
                    block.arrival[which],
                    stamps,
                    numbers[:, 2 * k :].reshape(n, k, 7),
                )
            )
        others: NDArray[np.intp] = left[~alike]
        return others

    def _layout(self, raw: NDArray[np.uint8]) -> tuple[MessageLayout, tuple[tuple[str, str], ...]]:
        """Find out where the transforms of a message are, and between which frames.

        Raises:
            Unusable: It is malformed.
        """
        found = walk(raw.data, self._root, self._plan)
        if found.short:
            raise Unusable(MALFORMED)
        times = found.runs.get(_STAMP, [])
        runs = [*times[::2], *times[1::2], *found.runs.get(_TRANSFORM, [])]
        names = (found.texts.get(slot, []) for slot in (_PARENT, _CHILD))
        edges = tuple(
            (parent.lstrip('/'), child.lstrip('/')) for parent, child in zip(*names, strict=True)
        )
        return MessageLayout(found, raw, [Run(r.kind, r.at, r.count) for r in runs]), edges
