# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a good recording is like, for others to be compared with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import Recording
from m2r2_ros.checks.observer import Observer
from m2r2_ros.checks.recording.options import TimeOptions
from m2r2_ros.checks.recording.passing import read_once
from m2r2_ros.checks.recording.topic_times import TimeGrid, TopicTimes
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import Samples, VectorSamples
from m2r2_ros.readers.topics import TopicSpec

Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TopicBaseline:
    """A topic of a good recording.

    Attributes:
        count: Messages.
        median: Median interval between them, nanoseconds; 0 with fewer than two.
        usual: Mean interval without losses, nanoseconds; 0 at no steady rate.
    """

    count: int
    median: float
    usual: float

    def is_steady(self, options: TimeOptions) -> bool:
        """Return whether it has a rate, and messages enough to tell."""
        return bool(self.usual) and self.count >= options.least


@dataclass(frozen=True, slots=True)
class Baseline:
    """A good recording.

    Attributes:
        name: What it is called.
        topics: Its topics by name.
        ranges: The least and the greatest values of each sensor by name, each (d,).
    """

    name: str
    topics: Mapping[str, TopicBaseline]
    ranges: Mapping[str, tuple[Row, Row]]


def baseline_of(
    recording: Recording,
    topics: Mapping[str, TopicSpec] | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Baseline:
    """Measure a good recording.

    Args:
        recording: The recording.
        topics: Topics of sensors by name; what is not given is guessed.
        progress: Called with the share of it that was read.

    Raises:
        ConfigError: A topic that was given is of another type.
        MessageError: A topic that was given cannot be read.
    """
    survey = _Survey(recording)
    read_once(recording, [survey], topics, progress)
    found = {
        name: TopicBaseline(times.count, times.intervals.median, times.intervals.usual)
        for name, times in survey.times.items()
    }
    return Baseline(recording.name, found, survey.ranges)


class _Survey(Observer):
    """Keeps rates and ranges."""

    def __init__(self, recording: Recording) -> None:
        self._grid = TimeGrid(recording.start, recording.end, 1.0)
        self.times: dict[str, TopicTimes] = {}
        self.ranges: dict[str, tuple[Row, Row]] = {}

    def messages(self, block: MessageBlock, stamps: NDArray[np.int64] | None) -> None:
        if block.topic not in self.times:
            self.times[block.topic] = TopicTimes(self._grid)
        self.times[block.topic].add(block.log_times, stamps)

    def samples(self, name: str, samples: Samples) -> None:
        if not isinstance(samples, VectorSamples):
            return
        finite = samples.values[np.isfinite(samples.values).all(1)]
        if not len(finite):
            return
        low, high = finite.min(0), finite.max(0)
        if name in self.ranges:
            before = self.ranges[name]
            low, high = np.minimum(low, before[0]), np.maximum(high, before[1])
        self.ranges[name] = low, high
