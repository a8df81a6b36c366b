# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses out of /tf and /tf_static: the chain of transforms between two frames."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.readers.rigid import IDENTITY, between, compose, inverse
from m2r2_ros.readers.tf_messages import TransformMessages, TransformRows
from m2r2_ros.readers.topics import TopicSpec

#: Why messages give no pose: no tree connects the frames, or a frame has a parent already.
NOT_CONNECTED: Final = 'not_connected'
SECOND_PARENT: Final = 'second_parent'
NON_FINITE: Final = 'non_finite'
#: Transforms that come too late for another one that moves with them.
WAITING: Final = 'waiting'
#: Frames that are known at most; more are not a robot's.
_MOST_FRAMES: Final = 4096
#: Transforms wait for the others of a chain for so long, ns.
_PATIENCE: Final = 10 * 10**9
#: A stamp this far behind the newest of its transform is a clock that went back.
_BACK: Final = 500_000_000


class TransformReader:
    """Gives the pose of a tool in the frame of a base, out of tf2_msgs/TFMessage.

    It reads two topics, one of which ends with _static. The frames are connected by the parents
    that they were first seen with. A pose is given at each stamp of the moving transform that is
    nearest to the tool, once the other moving ones have reached it; these are interpolated to it.
    What it gives depends on stamps and on the order of arrival alone.
    """

    def __init__(self, spec: TopicSpec) -> None:
        """Begin without transforms; `spec.frames` are base and tool."""
        self._offset = spec.time_offset_ns
        self._base, self._tool = (frame.lstrip('/') for frame in spec.frames)
        self._messages = TransformMessages()
        self._parents: dict[str, str] = {}
        self._static: dict[str, NDArray[np.float64]] = {}
        self._moving: dict[str, _Transform] = {}
        self._chain: _Chain | None = None
        self._emitted: int | None = None
        #: Arrival of the message that connected the chain: no pose comes before it.
        self._since = 0

    @property
    def frames(self) -> list[str]:
        """The frames that have been seen."""
        return sorted({*self._parents, *self._parents.values()})

    def decode(self, block: MessageBlock) -> VectorSamples:
        """Read messages of one of the topics."""
        return self.decode_together([block])

    def decode_together(self, blocks: Sequence[MessageBlock]) -> VectorSamples:
        """Read messages of both topics that came after all before."""
        dropped: Counter[str] = Counter()
        groups = [rows for block in blocks for rows in self._messages.read(block, dropped)]
        cuts = self._changes(groups)
        found = []
        for lo, hi in zip([-1, *cuts], [*cuts, np.iinfo(np.int64).max], strict=True):
            for rows in groups:
                first, last = np.searchsorted(rows.arrival, [lo, hi])
                if last > first:
                    self._take(rows, slice(first, last), dropped)
            found.append(self._poses(dropped))
        stamps, arrival, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return VectorSamples(stamps + self._offset, arrival, values, +dropped)

    def _changes(self, groups: Iterable[TransformRows]) -> list[int]:
        """Return the arrivals from which on the tree may be another one."""
        found: set[int] = set()
        known = dict(self._parents)
        for rows in groups:
            if rows.static:
                found.update(rows.arrival.tolist())
            elif any(child not in known for _, child in rows.edges):
                found.add(int(rows.arrival[0]))
        return sorted(found | {arrival + 1 for arrival in found})

    def _take(self, rows: TransformRows, part: slice, dropped: Counter[str]) -> None:
        """Take transforms in."""
        arrival = rows.arrival[part]
        for k, (parent, child) in enumerate(rows.edges):
            if child not in self._parents:
                if len(self._parents) >= _MOST_FRAMES:
                    continue
                self._parents[child] = parent
                self._chain = None
            if self._parents[child] != parent:
                dropped[SECOND_PARENT] += len(arrival)
                continue
            values, good = _normalised(rows.values[part, k])
            dropped[NON_FINITE] += int((~good).sum())
            if rows.static:
                if good.any() and child not in self._moving:
                    self._static[child] = values[good][-1:]
                    self._chain = None
            elif child not in self._static:
                if child not in self._moving:
                    self._moving[child] = _Transform()
                    self._chain = None
                self._moving[child].add(rows.stamps[part, k][good], arrival[good], values[good])
        if self._chain is None:
            self._chain, self._since = self._connect(), int(arrival[0])
        if self._chain is None and not rows.static:
            dropped[NOT_CONNECTED] += len(arrival)

    def _connect(self) -> '_Chain | None':
        """Return the chain between the frames, None where there is none."""
        up, down = self._ancestors(self._tool), self._ancestors(self._base)
        common = next((frame for frame in up if frame in down), None)
        if common is None:
            return None
        towards = up[: up.index(common)][::-1]
        back = down[: down.index(common)][::-1]
        if any(c not in self._static and c not in self._moving for c in (*towards, *back)):
            return None
        return _Chain(towards, back)

    def _ancestors(self, frame: str) -> list[str]:
        """Return a frame and those above it; a circle ends where it closes."""
        found = [frame]
        while (parent := self._parents.get(found[-1])) is not None and parent not in found:
            found.append(parent)
        return found

    def _poses(
        self, dropped: Counter[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return stamps, arrival and values of the poses that are complete, and forget the rest."""
        nothing = np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 7))
        chain = self._chain
        moving = [self._moving[c] for c in chain.order if c in self._moving] if chain else []
        if chain is None or not moving:
            for transform in self._moving.values():
                transform.forget_all_but_last()
            return nothing
        lead = moving[0]
        stamps = lead.stamps
        if self._emitted is not None:
            if len(stamps) and stamps[-1] < self._emitted - _BACK:
                self._emitted = None  # the clock went back
            else:
                stamps = stamps[stamps > self._emitted]
        ready = np.ones(len(stamps), np.bool_)
        arrival = np.full(len(stamps), self._since)
        for transform in moving:
            reached, when = transform.reached(stamps)
            ready &= reached
            arrival = np.maximum(arrival, when)
        begun = np.all([transform.begun(stamps) for transform in moving], axis=0)
        count = int(ready.argmin()) if not ready.all() else len(ready)
        use = np.flatnonzero(begun[:count])
        if count:
            self._emitted = int(stamps[count - 1])
        poses = self._composed(chain, stamps[use]) if len(use) else nothing[2]
        late = 0
        for transform in moving:
            late += transform.forget(self._emitted, lead is transform)
        if late:
            dropped[WAITING] += late
        # What waits for a later message comes with it, in order.
        return stamps[use], np.maximum.accumulate(arrival[use]), poses

    def _composed(self, chain: '_Chain', stamps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the pose of the tool at these stamps (n, 7)."""

        def along(frames: Sequence[str]) -> NDArray[np.float64]:
            whole = np.broadcast_to(IDENTITY, (len(stamps), 7))
            for frame in frames:
                if frame in self._moving:
                    whole = compose(whole, self._moving[frame].at(stamps))
                else:
                    fixed = np.broadcast_to(self._static[frame], (len(stamps), 7))
                    whole = compose(whole, fixed)
            return whole

        return compose(inverse(along(chain.back)), along(chain.towards))


class _Chain:
    """The frames between two, by the transforms from their parents.

    Attributes:
        towards: From the common ancestor to the tool.
        back: From the common ancestor to the base.
        order: All of them, the nearest to the tool first.
    """

    def __init__(self, towards: list[str], back: list[str]) -> None:
        self.towards, self.back = towards, back
        self.order = [*towards[::-1], *back]


class _Transform:
    """What is known of a moving transform since it was last needed."""

    def __init__(self) -> None:
        self.stamps = np.empty(0, np.int64)
        self._arrival = np.empty(0, np.int64)
        self._values = np.empty((0, 7))

    def add(
        self, stamps: NDArray[np.int64], arrival: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Add samples that came after all before; what is not newer is left out."""
        if not len(stamps):
            return
        before = self.stamps[-1:] if len(self.stamps) else stamps[:1] - 1
        newest = np.maximum.accumulate(np.concatenate([before, stamps]))[:-1]
        jumps = np.flatnonzero(stamps < newest - _BACK)
        if len(jumps):  # the clock went back: what is older belongs to another time
            self._cut(len(self.stamps))
            k = int(jumps[0])
            self.add(stamps[k:], arrival[k:], values[k:])
            return
        newer = stamps > newest
        self.stamps = np.concatenate([self.stamps, stamps[newer]])
        self._arrival = np.concatenate([self._arrival, arrival[newer]])
        self._values = np.concatenate([self._values, values[newer]])

    def reached(self, stamps: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which stamps it has passed, and with which arrivals."""
        first = np.searchsorted(self.stamps, stamps)
        there = first < len(self.stamps)
        when = np.zeros(len(stamps), np.int64)
        when[there] = self._arrival[first[there]]
        return there, when

    def begun(self, stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which stamps are not before its first sample."""
        return np.asarray(stamps >= self.stamps[:1]) if len(self.stamps) else stamps < 0

    def at(self, stamps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return it at stamps between its samples (n, 7)."""
        right = np.searchsorted(self.stamps, stamps)
        exact = self.stamps[right] == stamps
        left = np.where(exact, right, right - 1)
        span = np.maximum(self.stamps[right] - self.stamps[left], 1)
        share = (stamps - self.stamps[left]) / span
        return between(self._values[left], self._values[right], share)

    def forget(self, emitted: int | None, is_lead: bool) -> int:
        """Forget what no pose will need; return the poses that others were waited for too long."""
        if not len(self.stamps):
            return 0
        oldest = self.stamps[-1] - _PATIENCE
        late = 0
        if is_lead:
            waiting = self.stamps if emitted is None else self.stamps[self.stamps > emitted]
            late = int((waiting < oldest).sum())
        needed = oldest if emitted is None else max(emitted, oldest)
        keep = max(0, int(np.searchsorted(self.stamps, needed, side='right')) - 1)
        self._cut(keep)
        return late

    def forget_all_but_last(self) -> None:
        """Forget all but the newest sample."""
        self._cut(max(0, len(self.stamps) - 1))

    def _cut(self, keep: int) -> None:
        self.stamps = self.stamps[keep:]
        self._arrival, self._values = self._arrival[keep:], self._values[keep:]


def _normalised(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return transforms with unit quaternions, and which of them are transforms at all."""
    with np.errstate(invalid='ignore', divide='ignore', over='ignore'):
        length = np.linalg.norm(values[:, 3:], axis=1, keepdims=True)
        unit = np.concatenate([values[:, :3], values[:, 3:] / length], axis=1)
    good: NDArray[np.bool_] = np.isfinite(unit).all(axis=1) & (length[:, 0] > 1e-6)
    return unit, good


def seen_frames(blocks: Iterable[Sequence[MessageBlock]]) -> list[str]:
    """Return the frames that messages of /tf and /tf_static name."""
    reader = TransformReader(TopicSpec('pose', '', frames=('', '')))
    for together in blocks:
        reader.decode_together(together)
    return reader.frames
