# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Thresholds of the checks of recordings."""

from dataclasses import dataclass

from m2r2_ros.core.options import above, between, check_options
from m2r2_ros.windows.config import WindowConfig

_YEAR = 3.2e7
_MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class FileOptions:
    """Of file.cut and file.chunk.

    Attributes:
        most: Damaged places that are told one by one.
    """

    most: int = between(20, 1, _MANY)

    def __post_init__(self) -> None:
        check_options(self, 'file')


@dataclass(frozen=True, slots=True)
class TimeOptions:
    """Of the checks called time.

    Attributes:
        gap: Median intervals from which on an interval is a gap.
        edge: Seconds that a topic may begin after the recording, and end before it.
        least: Messages below which nothing is said of the rate of a topic.
        irregular: Third quartile of the intervals over the first from which on a topic is one of
            events, of which nobody can say when one is missing.
        loss: Share of the usual rate below which messages are lost.
        window: Seconds over which a rate is taken, or longer for as many messages as `samples`.
        samples: Messages that a rate is taken of, at least.
        skew: Seconds by which log time less stamp may differ between topics, or in one.
        drift: Parts per million by which a clock may go wrong.
        drift_least: Seconds that a clock goes wrong in a recording before this is called a drift.
        most: Places that are told one by one, of a topic.
        most_warnings: Gaps for which no sensor is masked that are told one by one, of a topic.
    """

    gap: float = above(5.0, 1, _MANY)
    edge: float = between(1.0, 0, _YEAR)
    least: int = between(10, 3, _MANY)
    irregular: float = above(2.5, 1, _MANY)
    loss: float = between(0.9, 0, 1)
    window: float = between(1.0, 1e-3, _YEAR)
    samples: int = between(20, 1, _MANY)
    skew: float = above(0.05, 0, _YEAR)
    drift: float = above(100.0, 0, 1e6)
    drift_least: float = above(0.005, 0, _YEAR)
    most: int = between(10, 1, _MANY)
    most_warnings: int = between(3, 1, _MANY)

    def __post_init__(self) -> None:
        check_options(self, 'time')


@dataclass(frozen=True, slots=True)
class OffsetOptions:
    """Of time.content_offset.

    Attributes:
        warning: Seconds between two sensors that are worth a warning.
        error: Seconds that are an error: beyond the deadline of windows, one of the two is masked.
        lag: Longest offset that is looked for, s.
        step: Seconds of a point of the signals that are compared.
        correlation: A peak is clear from this correlation on,
        twice: or where it is so many times the second.
        least: Correlation below which no peak is clear.
        moving: Seconds with something to compare, at least.
    """

    warning: float = above(0.05, 0, 10)
    error: float = above(WindowConfig().deadline, 0, 10)
    lag: float = above(1.0, 0, 10)
    step: float = between(0.01, 0.001, 0.1)
    correlation: float = between(0.9, 0, 1)
    twice: float = above(2.0, 1, 100)
    least: float = between(0.2, 0, 1)
    moving: float = between(5.0, 0, _YEAR)

    def __post_init__(self) -> None:
        check_options(self, 'offset')


@dataclass(frozen=True, slots=True)
class ValueOptions:
    """Of the checks called value.

    Attributes:
        clip_samples: Samples in a row with exactly one value that are a plateau.
        clip_runs: Plateaus of one value that are clipping.
        frozen: Times the age from which on a sensor is masked that its values may be the same.
        noise: Share of samples that are exactly like the one before, below which a sensor is noisy.
        moving: Share of the fastest motion from which on a robot is said to move.
        most: Places that are told one by one, of a topic.
    """

    clip_samples: int = between(5, 2, _MANY)
    clip_runs: int = between(2, 1, _MANY)
    frozen: float = above(1.0, 0, _MANY)
    noise: float = between(0.02, 0, 1)
    moving: float = between(0.03, 0, 1)
    most: int = between(10, 1, _MANY)

    def __post_init__(self) -> None:
        check_options(self, 'value')
