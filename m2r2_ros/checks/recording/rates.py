# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gaps in a topic, and messages that were lost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import Recording
from m2r2_ros.checks.finding import Finding, Severity
from m2r2_ros.checks.recording.baseline import Baseline, TopicBaseline
from m2r2_ros.checks.recording.intervals import KEPT
from m2r2_ros.checks.recording.options import TimeOptions
from m2r2_ros.checks.recording.passing import Unread
from m2r2_ros.checks.recording.topic_times import TimeGrid, TopicTimes
from m2r2_ros.core.time import SECOND

GAP: Final = 'time.gap'
LOSS: Final = 'time.loss'
#: An interval of so many usual ones is a gap where it is longer than a sensor may be silent.
_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Rated:
    """A topic with a rate.

    Attributes:
        name: The topic.
        times: Its times.
        age: Age, s, from which on its sensor is masked; None for a topic of no sensor.
        good: What it is like in a good recording, if one was given.
    """

    name: str
    times: TopicTimes
    age: float | None
    good: TopicBaseline | None

    @property
    def max_age(self) -> float | None:
        """The age, but of a topic that is always older: no window could use it."""
        return self.age if self.age and self.age * SECOND >= self.median else None

    @property
    def median(self) -> float:
        """Median interval, nanoseconds."""
        return self.good.median if self.good else self.times.intervals.median

    @property
    def usual(self) -> float:
        """Mean interval without losses, nanoseconds; 0 if unknown."""
        return self.good.usual if self.good else self.times.intervals.usual


class Gap(NamedTuple):
    """An interval that is too long.

    Attributes:
        length: How long it is for certain, nanoseconds.
        first: Log time at which it begins, nanoseconds.
        last: Log time at which it ends, nanoseconds.
    """

    length: int
    first: int
    last: int


def gaps(
    rated: Rated, recording: Recording, options: TimeOptions, unread: Sequence[Unread]
) -> list[Finding]:
    """Return the gaps of a topic; those that no sensor is masked for are told as one, if many."""
    times, median = rated.times, rated.median
    long = options.gap * median
    old = rated.max_age * SECOND if rated.max_age else np.inf
    least = min(long, max(old, _PAUSE * median))
    rows = [Gap(*row) for row in times.intervals.longest.tolist() if row[0] > least]
    errors = [gap for gap in rows if gap.length > old]
    warnings = [gap for gap in rows if gap.length <= old]
    edge = max(least, options.edge * SECOND)
    for first, last in ((recording.start, times.first), (times.last, recording.end)):
        if last - first > edge:
            warnings.append(Gap(last - first, first, last))
    found = _told(errors, Severity.ERROR, old, rated, recording, options, unread)
    found += _told(warnings, Severity.WARNING, long, rated, recording, options, unread)
    return sorted(found, key=lambda finding: finding.start or 0)


def _told(
    gaps: Sequence[Gap],
    severity: Severity,
    threshold: float,
    rated: Rated,
    recording: Recording,
    options: TimeOptions,
    unread: Sequence[Unread],
) -> list[Finding]:
    """Tell gaps: few of them one by one, and otherwise those that are left as one."""
    gaps = sorted((g for g in gaps if not _is_unread(g.first, g.last, unread)), reverse=True)
    alone = options.most if severity is Severity.ERROR else options.most_warnings
    if len(gaps) > alone:
        gaps, rest = gaps[: alone - 1], gaps[alone - 1 :]
    else:
        rest = []
    found = [
        Finding(
            GAP, severity, _what(rated, gap, recording), rated.name, gap.first, gap.last,
            gap.length / SECOND, threshold / SECOND, 's',
        )
        for gap in gaps
    ]  # fmt: skip
    if rest:
        begin, end = min(gap.first for gap in rest), max(gap.last for gap in rest)
        some = 'at least ' if len(gaps) + len(rest) >= KEPT else ''
        text = f'{some}{len(rest)} more gaps of up to '
        longest = rest[0].length / SECOND
        found.append(
            Finding(
                GAP, severity, f'{text}{longest:.4g} s', rated.name, begin, end, longest,
                threshold / SECOND, 's',
            )
        )  # fmt: skip
    return found


def losses(
    rated: Rated, grid: TimeGrid, options: TimeOptions, unread: Sequence[Unread]
) -> Iterator[Finding]:
    """Yield when a topic had fewer messages than it usually has, gaps of whole windows left out."""
    times = rated.times
    begin, end = (int(grid.places(np.array([t]))[0]) for t in (times.first, times.last))
    whole = times.counts[begin + 1 : end]  # the first window and the last are not whole
    usual = rated.usual / SECOND
    seconds = grid.window / SECOND
    typical = seconds / usual if usual else float(np.median(whole)) if len(whole) else 0.0
    if not typical:
        return
    several = max(1, int(np.ceil(options.samples / typical)))
    count = len(whole) // several
    sums = whole[: count * several].reshape(count, several).sum(1)
    # Of a steady clock, a window holds one message more or less.
    low = sums + 1 < options.loss * typical * several
    starts = grid.start + (begin + 1 + several * np.arange(count)) * grid.window
    longest = times.intervals.longest.tolist()
    spans = [(first, last) for length, first, last in longest if length > grid.window / 2]
    spans += [(part.start, part.end) for part in unread]
    for a, b in spans:
        low &= (starts >= b) | (starts + several * grid.window <= a)
    runs = _runs(low)
    for a, b in runs[: options.most]:
        rate = float(sums[a:b].sum() / ((b - a) * several * seconds))
        normal = typical / seconds
        share = 100 * (1 - rate / normal)
        more = f'; {len(runs) - options.most} more such times' if len(runs) > options.most else ''
        yield Finding(
            LOSS, Severity.WARNING,
            f'{rate:.4g} messages per second instead of {normal:.4g}: {share:.2g} % are lost'
            + (more if (a, b) == runs[: options.most][-1] else ''),
            rated.name, int(starts[a]), int(starts[b - 1] + several * grid.window),
            rate, options.loss * normal, 'Hz',
        )  # fmt: skip


def missing(baseline: Baseline, recording: Recording, options: TimeOptions) -> Iterator[Finding]:
    """Yield the topics that a good recording has and this one has not, or without messages.

    Those at no steady rate may have had nothing to say.
    """
    for name, good in sorted(baseline.topics.items()):
        topic = recording.topics.get(name)
        if good.count and (topic is None or not topic.count):
            yield Finding(
                LOSS, Severity.ERROR if good.is_steady(options) else Severity.WARNING,
                f'no message; {baseline.name} has {good.count}', name,
                recording.start, recording.end, 0.0, float(good.count),
            )  # fmt: skip


def _what(rated: Rated, gap: Gap, recording: Recording) -> str:
    """Say what a gap is."""
    seconds, times = gap.length / SECOND, rated.times
    if gap.first == recording.start and gap.last == times.first:
        return f'the first message comes {seconds:.4g} s after the beginning'
    if gap.last == recording.end and gap.first == times.last:
        return f'the last message comes {seconds:.4g} s before the end'
    many = ''
    if rated.median:
        share = gap.length / rated.median
        many = f', {share:.{0 if share >= 100 else 1}f} times the usual interval'
    age = ''
    if rated.max_age and gap.length > rated.max_age * SECOND:
        age = f'; a sensor is masked after {rated.max_age:g} s'
    return f'no message for {seconds:.4g} s{many}{age}'


def _is_unread(first: int, last: int, unread: Sequence[Unread]) -> bool:
    """Return whether a part that could not be read lies in a gap."""
    return any(part.start <= last and part.end >= first for part in unread)


def _runs(low: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where runs of True begin and end."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], low, [False]))))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
