# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where something happens that a boundary may be put at: in gripper, velocity and force."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: A gripper moves where its width changes by this share of its range in a second, over so many s.
_SPEED, _GRIP_S = 0.4, 0.05
#: An arm stands where its speed is under this share of that of its strokes.
_STANDS: Final = 0.05
#: Force jumps by so many times what it usually changes by within this time, s.
_JUMP, _FORCE_S = 8.0, 0.1
#: Events of a kind are apart by at least this, s, and no more than so many.
_APART, _MOST = 0.2, 20_000


def events_of(kind: str, values: NDArray[np.float32], width: float) -> list[dict[str, Any]]:
    """Return the events of a signal in order of time, each with t (s) and kind.

    Args:
        kind: 'gripper' of the width of a gripper, 'velocity' of the speed of an arm, 'force' of
            the size of a force.
        values: float32 (n,), by bucket; NaN where it is not known.
        width: Seconds of a bucket.
    """
    return [{'t': round(t, 4), 'kind': kind} for t in _FINDERS[kind](values, width)[:_MOST]]


def _moves(values: NDArray[np.float32], width: float) -> list[float]:
    """Return when fingers begin and end to move."""
    known, steps = _filled(values), max(1, round(_GRIP_S / width))
    low, high = np.percentile(known, (2, 98)).tolist()
    if not high > low:
        return []
    fast = np.abs(known - _shifted(known, steps)) > _SPEED * (high - low) * steps * width
    # What is compared lies apart, so that a move seems to last longer than it does.
    ends = np.flatnonzero(np.diff(fast.astype(np.int8)) < 0) + 1 - steps
    return _apart(np.sort(np.concatenate([_starts(fast), ends])) * width)


def _stops(values: NDArray[np.float32], width: float) -> list[float]:
    """Return when an arm begins and ceases to stand."""
    known = _filled(values)
    return _edges(known > _STANDS * float(np.percentile(known, 95)), width)


def _jumps(values: NDArray[np.float32], width: float) -> list[float]:
    """Return when force rises or falls by much more than it usually does."""
    known, steps = _filled(values), max(1, round(_FORCE_S / width))
    change = np.abs(_shifted(known, -steps) - known)
    usual = float(np.median(change)) * _JUMP
    floor = 0.05 * float(np.percentile(known, 99) - np.percentile(known, 1))
    return _apart(_starts(change > max(usual, floor)) * width)


def _edges(active: NDArray[np.bool_], width: float) -> list[float]:
    changes = np.flatnonzero(np.diff(active.astype(np.int8))) + 1
    return _apart(changes * width)


def _starts(active: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(active.astype(np.int8), prepend=0) > 0)


def _apart(times: NDArray[np.floating]) -> list[float]:
    """Leave out times that follow another one at once."""
    kept: list[float] = []
    for time in times.tolist():
        if not kept or time - kept[-1] >= _APART:
            kept.append(time)
    return kept


def _shifted(values: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """Return values later (steps > 0) or earlier, repeated at the ends."""
    index = np.clip(np.arange(len(values)) - steps, 0, len(values) - 1)
    return values[index]


def _filled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values with each gap held at the one before."""
    there = np.isfinite(values)
    if not there.any():
        return np.zeros_like(values)
    last = np.maximum.accumulate(np.where(there, np.arange(len(values)), -1))
    return values[np.where(last >= 0, last, int(np.argmax(there)))]


_FINDERS: Final[Mapping[str, Callable[[NDArray[np.float32], float], list[float]]]] = {
    'gripper': _moves,
    'velocity': _stops,
    'force': _jumps,
}
