# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows of three consecutive actions, thinned to N_w points (paper section III-C)."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.network.losses import boundary_targets

#: Consecutive actions of a window.
ACTIONS = 3


@dataclass(frozen=True, slots=True)
class LabelRun:
    """Frames lo .. hi - 1 of one label; the label UNKNOWN is a gap between actions."""

    lo: int
    hi: int
    label: int


@dataclass(frozen=True, slots=True)
class WindowSpan:
    """What one window is drawn from.

    Attributes:
        sections: The padding before, the actions and gaps of [i_b, i_e), the padding after; a
            padding has the label UNKNOWN, and either may be empty.
        begins: int64, frames of the recording on which an action begins.
    """

    sections: tuple[LabelRun, ...]
    begins: NDArray[np.int64]

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels of the actions in their order."""
        return tuple(run.label for run in self.sections if run.label != UNKNOWN)


@dataclass(frozen=True, slots=True)
class Points:
    """Points drawn from a span.

    Attributes:
        frames: int64 (N_w,), frames of the recording, in order.
        places: int64 (N_w,), 0, 1, 2 in the first, second and third action, -1 outside them.
        boundaries: float32 (N_w,), B smoothed.
    """

    frames: NDArray[np.int64]
    places: NDArray[np.int64]
    boundaries: Tensor


def runs(targets: NDArray[np.int64]) -> list[LabelRun]:
    """Return the runs of equal labels, gaps among them.

    Args:
        targets: int64 (n,), label ids; UNKNOWN outside every segment.
    """
    edges = np.flatnonzero(np.diff(targets)) + 1
    starts = [0, *edges.tolist()]
    ends = [*edges.tolist(), len(targets)]
    return [LabelRun(a, b, int(targets[a])) for a, b in zip(starts, ends, strict=True) if a < b]


def spans(targets: NDArray[np.int64], padding: int) -> list[WindowSpan]:
    """Return the span of every three consecutive actions; a single one if there are fewer.

    Args:
        targets: int64 (n,), label ids; UNKNOWN outside every segment.
        padding: p, frames on either side; fewer at the ends of the recording.
    """
    found = runs(targets)
    actions = [k for k, run in enumerate(found) if run.label != UNKNOWN]
    begins = np.array([found[k].lo for k in actions], np.int64)
    result = []
    for first in range(min(len(actions), max(1, len(actions) - ACTIONS + 1))):
        inside = actions[first : first + ACTIONS]
        middle = found[inside[0] : inside[-1] + 1]
        before = LabelRun(max(0, middle[0].lo - padding), middle[0].lo, UNKNOWN)
        after = LabelRun(middle[-1].hi, min(len(targets), middle[-1].hi + padding), UNKNOWN)
        result.append(WindowSpan((before, *middle, after), begins))
    return result


def allot(lengths: list[int], least: list[int], points: int) -> list[int]:
    """Distribute points in proportion to lengths, by largest remainder.

    Args:
        lengths: Frames of each section.
        least: Minimum of points of each section; the others give up what it lacks.
        points: N_w, at least the sum of `least`.
    """
    size, floor = np.array(lengths), np.array(least)
    raised = np.zeros(len(size), np.bool_)
    while True:
        free = points - int(floor[raised].sum())
        quota = np.where(raised, 0, size) * free / max(int(size[~raised].sum()), 1)
        counts = np.floor(quota).astype(np.int64)
        # Of equal remainders the earlier one comes first.
        order = np.argsort(counts - quota, kind='stable')
        counts[order[: free - int(counts.sum())]] += 1
        counts[raised] = floor[raised]
        short = ~raised & (counts < floor)
        if not short.any():
            return [int(c) for c in counts]
        raised |= short


def draw(span: WindowSpan, points: int, sigma: float, rng: np.random.Generator) -> Points:
    """Draw the points of a span at random.

    Every action has at least one point. A frame is drawn twice only where a section has fewer
    frames than points.

    Args:
        span: Where from.
        points: N_w.
        sigma: Width of smoothed boundaries, points.
        rng: Source of randomness.
    """
    counts = allot(
        [run.hi - run.lo for run in span.sections],
        [int(run.label != UNKNOWN) for run in span.sections],
        points,
    )
    frames, places, place = [], [], -1
    for run, count in zip(span.sections, counts, strict=True):
        length = run.hi - run.lo
        chosen = rng.choice(length, count, replace=count > length) if count else np.zeros(0, int)
        frames.append(run.lo + np.sort(chosen))
        place += run.label != UNKNOWN
        places.append(np.full(count, place if run.label != UNKNOWN else -1))
    drawn = np.concatenate(frames).astype(np.int64)
    return Points(drawn, np.concatenate(places).astype(np.int64), _boundaries(span, drawn, sigma))


def _boundaries(span: WindowSpan, frames: NDArray[np.int64], sigma: float) -> Tensor:
    """Return the smoothed B: 1 at the first point of an action that began since the last point."""
    # Counting beginnings, not labels, separates two actions of the same label.
    begun = np.searchsorted(span.begins, frames, side='right')
    return boundary_targets(torch.from_numpy(begun), sigma)
