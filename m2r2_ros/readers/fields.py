# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Any message with numbers in it, as rows of these numbers."""

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.readers.cdr import EMPTY, JOINT_MISSING, LENGTH_CHANGED, MALFORMED, Unusable
from m2r2_ros.readers.layout import MessageLayout
from m2r2_ros.readers.selection import FieldSelection
from m2r2_ros.readers.stamps import resolve_stamps
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.readers.types import message_type
from m2r2_ros.readers.walk import Found, Run

#: Most topics have one layout, or that of several publishers. After this many new ones in a block,
#: messages are read one by one; as many are kept for the next block.
_MAX_LAYOUTS: Final = 8


class FieldReader:
    """Reads the numbers that the fields of a topic name.

    Where strings and sequences are as long as in a message that has been walked, everything lies
    where it lay in that one: such messages are read together.

    Attributes:
        dims: Numbers of a sample; 0 until the first message says it.
    """

    def __init__(self, spec: TopicSpec, type_name: str, definition: str = '') -> None:
        """Look the fields up in the type.

        Args:
            spec: What is wanted.
            type_name: Type of the messages.
            definition: ros2msg text of the type; '' for a type that is known here.

        Raises:
            MessageError: The type is unknown, or holds nothing of what is wanted.
            ConfigError: A field is not in the type, or they give another number of numbers.
        """
        self._spec = spec
        self._selection = FieldSelection(spec, message_type(type_name, definition))
        self._joints = spec.joints
        self.dims = self._selection.dims
        self._layouts: list[MessageLayout] = []

    def decode(self, block: MessageBlock) -> VectorSamples:
        """Read CDR messages."""
        rows = _Taken(block)
        left = np.arange(len(block))
        for layout in tuple(self._layouts):
            if not len(left):
                break
            left = self._take(layout, left, rows)
        fresh = 0
        while len(left):
            try:
                layout = self._layout(block.message(int(left[0])))
            except Unusable as unusable:
                rows.drop(unusable.reason)
                left = left[1:]
                continue
            fresh += 1
            if fresh <= _MAX_LAYOUTS:
                self._layouts = [layout, *self._layouts[: _MAX_LAYOUTS - 1]]
                left = self._take(layout, left, rows)
            else:
                rows.take(layout, left[:1])
                left = left[1:]
        return rows.samples(self._spec, self.dims, self._selection.adds)

    def _take(
        self, layout: MessageLayout, left: NDArray[np.intp], rows: '_Taken'
    ) -> NDArray[np.intp]:
        """Read the messages of a layout; returns the others."""
        alike = layout.matching(rows.block, left)
        if alike.all():
            rows.take(layout, left)
            return left[:0]
        if alike.any():
            rows.take(layout, left[alike])
            left = left[~alike]
        return left

    def _layout(self, raw: NDArray[np.uint8]) -> MessageLayout:
        """Find out how a message is laid out, and whether it holds a sample."""
        found = self._selection.walk(raw)
        try:
            if found.short:
                raise Unusable(LENGTH_CHANGED)
            runs = self._choose(found)
            self._expect(sum(run.count for run in runs))
        except Unusable as unusable:
            return MessageLayout(found, raw, reason=unusable.reason)
        self._note_joints(found)
        slot = self._selection.stamp
        stamp = None if slot is None else found.runs[slot][0].at
        return MessageLayout(found, raw, runs, stamp)

    def _choose(self, found: Found) -> list[Run]:
        """Return the numbers of a message, in order."""
        chosen: list[Run] = []
        for k, slot in enumerate(self._selection.names):
            runs = found.runs.get(k, [])
            if slot is not None:
                runs = by_name(runs, found.texts.get(slot, []), self._joints)
            chosen += runs
        return chosen

    def _expect(self, count: int) -> None:
        """Compare the number of numbers with that of the first message."""
        if not count:
            raise Unusable(EMPTY)
        if self._selection.adds:
            return
        if count != (self.dims or count):
            raise Unusable(LENGTH_CHANGED)
        self.dims = count

    def _note_joints(self, found: Found) -> None:
        """Keep to the joints, and to their order, of the first message that names them."""
        if self._selection.adds or self._joints:
            return
        lists = [found.texts.get(slot, []) for slot in self._selection.names if slot is not None]
        self._joints = tuple(next((names for names in lists if names), ()))


class _Taken:
    """What has been read of a block, in parts."""

    def __init__(self, block: MessageBlock) -> None:
        self.block = block
        self._which: list[NDArray[np.intp]] = []
        self._stamps: list[NDArray[np.int64]] = []
        self._values: list[NDArray[np.float64]] = []
        self._reasons: Counter[str] = Counter()

    def drop(self, reason: str, count: int = 1) -> None:
        """Count messages as dropped."""
        self._reasons[reason] += count

    def take(self, layout: MessageLayout, which: NDArray[np.intp]) -> None:
        """Read messages that match a layout."""
        if layout.reason:
            self.drop(layout.reason, len(which))
            return
        self._which.append(which)
        self._stamps.append(layout.stamps(self.block, which))
        self._values.append(layout.values(self.block, which))

    def samples(self, spec: TopicSpec, dims: int, add: bool) -> VectorSamples:
        """Return the samples, in order of arrival."""
        if add:
            self._values = [_added(values) for values in self._values]
        if len(self._which) == 1:
            which, stamps, values = self._which[0], self._stamps[0], self._values[0]
        else:
            which = np.concatenate([np.empty(0, np.intp), *self._which])
            order = np.argsort(which)
            which = which[order]
            stamps = np.concatenate([np.empty(0, np.int64), *self._stamps])[order]
            values = np.concatenate([np.empty((0, dims)), *self._values])[order]
        with np.errstate(invalid='ignore', over='ignore'):  # no numbers are dropped later
            values = values * spec.scale + spec.offset
        stamps = resolve_stamps(stamps, self.block.log_times[which], spec)
        return VectorSamples(stamps, self.block.arrival[which], values, self._reasons)


def by_name(runs: list[Run], names: list[str], joints: tuple[str, ...]) -> list[Run]:
    """Return the numbers of the joints, in order; in that of the message where it names none."""
    count = sum(run.count for run in runs)
    if not names:
        if not count or (joints and count != len(joints)):
            raise Unusable(JOINT_MISSING)
        return runs
    if count != len(names):
        raise Unusable(MALFORMED)
    places = {name: k for k, name in reversed(list(enumerate(names)))}
    if any(name not in places for name in joints):
        raise Unusable(JOINT_MISSING)
    run = runs[0]
    return [Run(run.kind, run.at + places[name] * run.size, 1) for name in joints or names]


def _added(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up each row (n, 1)."""
    # One after the other, so that the sum does not depend on how many messages there are.
    total = np.zeros(len(values))
    with np.errstate(invalid='ignore', over='ignore'):
        for column in values.T:
            total += column
    return total[:, None]
