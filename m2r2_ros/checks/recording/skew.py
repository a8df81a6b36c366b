# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What log times and stamps say against each other: clocks that are off, and that drift."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.recording.options import TimeOptions
from m2r2_ros.checks.recording.topic_times import TimeGrid, TopicTimes
from m2r2_ros.core.time import SECOND

SKEW: Final = 'time.header_skew'
#: Windows of which a drift is taken, at least, and at most: each is compared with each.
_FEW, _MANY = 10, 400
#: Topics that have one clock, at least, for it to be that of all.
_SEVERAL: Final = 3
#: A topic was late by so many times what its latencies of one window and the next are apart.
_JUMP: Final = 8.0
#: A drift is one where it is so many times what the latencies scatter by around it.
_SCATTER: Final = 4.0


def skews(
    topics: Mapping[str, TopicTimes],
    grid: TimeGrid,
    options: TimeOptions,
    chunks: Mapping[str, float],
) -> Iterator[Result]:
    """Yield the topics whose clocks differ from the others, jump or drift.

    Args:
        topics: Topics with stamps.
        grid: The windows of the recording.
        options: Thresholds.
        chunks: Seconds of a chunk by topic, of sound, whose stamp is that of its first sample.
    """
    late = {
        name: times.latencies / SECOND - chunks.get(name, 0.0) for name, times in topics.items()
    }
    if not late:
        yield NotRun(SKEW, 'no topic says when its messages are from')
        return
    common = _common([values - np.nanmedian(values) for values in late.values()])
    late = {name: values - common for name, values in late.items()}
    usual = {name: float(np.nanmedian(values)) for name, values in late.items()}
    middle = _middle(list(usual.values()))
    yield from _jumps('', common, grid, options)
    yield from _drift('', common, grid, options)
    for name in sorted(usual):
        off = usual[name] - middle
        if len(usual) > 1 and abs(off) >= options.skew:
            side = 'after' if off > 0 else 'before'
            yield Finding(
                SKEW, Severity.WARNING,
                f'messages are logged {abs(off):.4g} s {side} their stamps, '
                'more than those of the other topics',
                name, topics[name].first, topics[name].last, off, options.skew, 's',
            )  # fmt: skip
        yield from _jumps(name, late[name] - usual[name], grid, options)
        yield from _drift(name, late[name], grid, options)
    if len(usual) < 2:
        yield NotRun(SKEW, 'its stamps cannot be compared with those of another', next(iter(usual)))


def _middle(values: list[float]) -> float:
    """Return the median; of two in the middle, the one that is closer to log time."""
    values = sorted(values)
    low, high = values[(len(values) - 1) // 2], values[len(values) // 2]
    return low if abs(low) <= abs(high) else high


def _common(rest: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return by how much most topics are late in each window, s: their clock is another one's.

    Of fewer than three topics it is 0: nobody knows which of two is wrong.
    """
    values = np.stack(rest)
    several = np.flatnonzero(np.isfinite(values).sum(0) >= _SEVERAL)
    windows = np.arange(values.shape[1])
    if not len(several):
        return np.zeros(len(windows))
    return np.interp(windows, several, np.nanmedian(values[:, several], axis=0))


def _jumps(
    name: str, late: NDArray[np.float64], grid: TimeGrid, options: TimeOptions
) -> Iterator[Finding]:
    """Yield when a topic, or all of them for '', was later or earlier than it is otherwise."""
    known = np.flatnonzero(np.isfinite(late))
    scatter = float(np.median(np.abs(np.diff(late[known], prepend=late[known[0]]))))
    least = max(options.skew, _JUMP * scatter)
    off = np.abs(late[known]) >= least
    edges = np.flatnonzero(np.diff(np.concatenate(([False], off, [False])))).reshape(-1, 2)
    for k, (a, b) in enumerate(edges[: options.most].tolist()):
        found = late[known[a:b]]
        worst = float(found[np.argmax(np.abs(found))])
        more = f'; {len(edges) - k - 1} more such times' if k == options.most - 1 else ''
        yield Finding(
            SKEW, Severity.WARNING,
            f'log time less stamp{_of(name)} differs by up to {worst:.4g} s from what it usually '
            f'is{more}',
            name, int(grid.start + known[a] * grid.window),
            int(grid.start + (known[b - 1] + 1) * grid.window), worst, least, 's',
        )  # fmt: skip


def _drift(
    name: str,
    late: NDArray[np.float64],
    grid: TimeGrid,
    options: TimeOptions,
) -> Iterator[Finding]:
    """Yield a clock that goes wrong steadily: by the median of all slopes between windows."""
    known = np.flatnonzero(np.isfinite(late))
    if len(known) < _FEW:
        return
    known = known[np.linspace(0, len(known) - 1, min(len(known), _MANY)).astype(np.int64)]
    at, value = known * (grid.window / SECOND), late[known]
    i, j = np.triu_indices(len(known), 1)
    slope = float(np.median((value[j] - value[i]) / (at[j] - at[i])))
    total = slope * float(at[-1] - at[0])
    rest = value - slope * at
    scatter = float(np.median(np.abs(rest - np.median(rest))))
    if abs(slope) * 1e6 <= options.drift or abs(total) < max(
        options.drift_least, _SCATTER * scatter
    ):
        return
    yield Finding(
        SKEW, Severity.WARNING,
        f'log time less stamp{_of(name)} drifts by {slope * 1e6:.4g} ppm, {total:.4g} s in all',
        name, grid.start + int(known[0]) * grid.window,
        grid.start + (int(known[-1]) + 1) * grid.window, slope * 1e6, options.drift, 'ppm',
    )  # fmt: skip


def _of(name: str) -> str:
    return '' if name else ' of most topics'
