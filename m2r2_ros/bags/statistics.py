# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rates and gaps of the topics of a recording."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import Recording

#: A pause of so many usual periods is a gap.
GAP = 5.0


@dataclass(frozen=True, slots=True)
class TopicStatistics:
    """How regularly a topic was recorded, by log time.

    Attributes:
        count: Messages.
        rate: Messages per second between the first and the last; 0 with fewer than two.
        longest_gap: Longest pause, s.
        gaps: Pauses longer than GAP times the mean period so far.
    """

    count: int
    rate: float
    longest_gap: float
    gaps: int


def topic_statistics(recording: Recording) -> dict[str, TopicStatistics]:
    """Measure every readable topic, in one pass and in constant memory."""
    meters = {name: _Meter() for name in recording.topics}
    for blocks in recording.blocks(recording.readable):
        for block in blocks:
            meters[block.topic].add(block.log_times)
    return {name: meter.result(recording.topics[name].count) for name, meter in meters.items()}


class _Meter:
    def __init__(self) -> None:
        self._first = self._last = 0
        self._n = 0
        self._longest = 0
        self._gaps = 0

    def add(self, times: NDArray[np.int64]) -> None:
        if not self._n:
            self._first = self._last = int(times[0])
        pauses = np.diff(times, prepend=self._last)
        self._n += len(times)
        self._last = int(times[-1])
        period = (self._last - self._first) / max(self._n - 1, 1)
        self._longest = max(self._longest, int(pauses.max()))
        self._gaps += int((pauses > GAP * period).sum()) if self._n > 2 else 0

    def result(self, count: int) -> TopicStatistics:
        span = (self._last - self._first) * 1e-9
        rate = (self._n - 1) / span if span > 0 else 0.0
        return TopicStatistics(count, rate, self._longest * 1e-9, self._gaps)
