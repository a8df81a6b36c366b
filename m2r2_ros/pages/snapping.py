# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where something happens that a boundary may be put at: in gripper, velocity and force."""

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


def snap_events(
    width: float,
    gripper: NDArray[np.float32] | None,
    speed: NDArray[np.float32] | None,
    force: NDArray[np.float32] | None,
) -> list[dict[str, Any]]:
    """Return events in order of time, each with t (s) and kind.

    Args:
        width: Seconds of a bucket of all of them.
        gripper: float32 (n,), width by bucket, NaN where it is not known; None without a gripper.
        speed: float32 (n,), as of an arm's tool.
        force: float32 (n,), size of the force.
    """
    found = {
        'gripper': _moves(gripper, width) if gripper is not None else [],
        'velocity': _stops(speed, width) if speed is not None else [],
        'force': _jumps(force, width) if force is not None else [],
    }
    events = [
        {'t': round(t, 4), 'kind': kind} for kind, times in found.items() for t in times[:_MOST]
    ]
    return sorted(events, key=lambda event: event['t'])


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
