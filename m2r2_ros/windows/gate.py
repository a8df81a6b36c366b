# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which samples are believed: order within a stream, and the clock that all streams share."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.windows.masks import every

#: A stamp this far behind its own stream's newest one is a clock that went back, not disorder.
BACK = 500_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a run of samples.

    Attributes:
        accepted: bool (n,).
        clock: int64 (n,), the data clock just after each sample, nanoseconds.
        resets: Positions at which the data clock jumped: what is before such a position and what
            is from it on belong to different recordings.
        dropped: Dropped samples by (stream, reason).
    """

    accepted: NDArray[np.bool_]
    clock: NDArray[np.int64]
    resets: list[int]
    dropped: Counter[tuple[int, str]]


class TimeGate:
    """The data clock and the guard in front of it.

    The data clock is the newest believed stamp of any stream. It makes deadlines and drops a
    function of the data and its order of arrival alone, so that live and replay agree.
    A sample is dropped where its stamp is not newer than its stream's newest one (disorder and
    repeats), and where it is off the clock: back by more than BACK in its own stream, ahead of
    the clock by more than max_gap, or behind it by as much as its stream's first. Once most
    streams are off the clock, twice in a row each, they are right and the clock is wrong: it
    jumps to them. Streams that have been silent for longer than max_gap have no say.
    """

    def __init__(self, streams: int, max_gap: int) -> None:
        """Make a gate for streams 0 .. streams - 1; max_gap in nanoseconds."""
        self._max_gap = max_gap
        self._last: list[int | None] = [None] * streams
        self._off = [0] * streams
        self._clock: int | None = None

    @property
    def clock(self) -> int | None:
        """The data clock, nanoseconds; None before the first sample."""
        return self._clock

    def admit(self, stamps: NDArray[np.int64], streams: NDArray[np.int64]) -> Verdict:
        """Judge samples in their order of arrival.

        Args:
            stamps: int64 (n,), nanoseconds.
            streams: int64 (n,), the stream of each sample.
        """
        if self._clock is None and len(stamps):
            self._clock = int(stamps[0])
        return self._admit_run(stamps, streams) or self._admit_each(stamps, streams)

    def _admit_run(self, stamps: NDArray[np.int64], streams: NDArray[np.int64]) -> Verdict | None:
        """Judge samples together; None where one of them is off the clock."""
        if any(self._off):
            return None
        n = len(stamps)
        start = self._clock if self._clock is not None else 0
        clock = np.empty(n + 1, np.int64)
        clock[0], clock[1:] = start, stamps
        np.maximum.accumulate(clock, out=clock)
        if n and (stamps - clock[:-1]).max() > self._max_gap:
            return None
        accepted = np.ones(n, np.bool_)
        dropped: Counter[tuple[int, str]] = Counter()
        newest: dict[int, int] = {}
        order = streams.argsort(kind='stable')
        lo = 0
        for stream, count in enumerate(np.bincount(streams).tolist()):
            if not count:
                continue
            rows = order[lo : lo + count]
            lo += count
            own = stamps.take(rows)
            last = self._last[stream]
            if last is None and own[0] < clock[rows[0]] - self._max_gap:
                return None
            if (last is None or own[0] > last) and every(own[1:] > own[:-1]):
                newest[stream] = int(own[-1])
                continue
            before = np.maximum.accumulate(
                np.concatenate([[own[0] - 1 if last is None else last], own])
            )
            if np.min(own - before[:-1]) < -BACK:
                return None
            repeated, late = own == before[:-1], own < before[:-1]
            accepted[rows] = ~(repeated | late)
            dropped[stream, 'repeated'] += int(repeated.sum())
            dropped[stream, 'out_of_order'] += int(late.sum())
            newest[stream] = int(before[-1])
        for stream, last in newest.items():
            self._last[stream] = last
        if n:
            self._clock = int(clock[-1])
        return Verdict(accepted, clock[1:], [], +dropped)

    def _admit_each(self, stamps: NDArray[np.int64], streams: NDArray[np.int64]) -> Verdict:
        """Judge samples one by one, while some stream is off the clock."""
        accepted = np.zeros(len(stamps), np.bool_)
        clock = np.empty(len(stamps), np.int64)
        dropped: Counter[tuple[int, str]] = Counter()
        resets: list[int] = []
        for i, (stamp, stream) in enumerate(zip(stamps.tolist(), streams.tolist(), strict=True)):
            reason = self._judge(stamp, stream)
            if reason == 'off_clock' and self._outvoted():
                self._jump(stamp)
                resets.append(i)
                reason = ''
            if reason:
                dropped[stream, reason] += 1
            else:
                accepted[i] = True
                self._last[stream] = stamp
                self._clock = stamp if self._clock is None else max(self._clock, stamp)
            clock[i] = stamp if self._clock is None else self._clock
        return Verdict(accepted, clock, resets, dropped)

    def _judge(self, stamp: int, stream: int) -> str:
        """Return the reason to drop a sample, '' to keep it."""
        last, clock = self._last[stream], stamp if self._clock is None else self._clock
        oldest = clock - self._max_gap if last is None else last - BACK
        if not oldest <= stamp <= clock + self._max_gap:
            self._off[stream] += 1
            return 'off_clock'
        self._off[stream] = 0
        if last is None or stamp > last:
            return ''
        return 'repeated' if stamp == last else 'out_of_order'

    def _outvoted(self) -> bool:
        # What has been silent for longer than max_gap may be dead, and has no say.
        oldest = (self._clock or 0) - self._max_gap
        seen = [
            s for s, last in enumerate(self._last)
            if self._off[s] or (last is not None and last >= oldest)
        ]  # fmt: skip
        return 2 * sum(self._off[s] >= 2 for s in seen) > len(seen)  # twice

    def _jump(self, stamp: int) -> None:
        self._last = [None] * len(self._last)
        self._off = [0] * len(self._off)
        self._clock = stamp
