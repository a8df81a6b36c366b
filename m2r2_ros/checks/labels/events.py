# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What happens in a recording that labels can be compared with, found in its signals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.time import SECOND

Array = NDArray[np.float64]
Times = NDArray[np.int64]

#: Fingers move where their width changes by this share of its range in a second, over so many s.
_SPEED, _GRIP_S = 0.4, 0.1
#: A range of widths under this share of their level, or under so many m, is noise.
_SAME, _WIDTH = 1e-2, 1e-4
#: An arm comes to stand under the first share of the speed of its strokes, and moves from the
#: second one on; slower than _STROKES, m/s or rad/s, it never moves.
_STANDS, _MOVES, _STROKES = 0.06, 0.10, 1e-3
#: Force jumps by so many times what it usually changes by within this time, s, and by this share of
#: its range; a range under _NEWTONS is noise.
_JUMP, _FORCE_S, _SHARE, _NEWTONS = 8.0, 0.1, 0.08, 1.0
#: SensedEvents of a kind that follow each other within this time are one, nanoseconds.
_APART: Final = SECOND // 5
#: What kinds of an event that a taxonomy may expect end with.
VERBS: Final = {
    'closing': 'closes', 'opening': 'opens', 'contact': 'rises', 'free': 'falls',
    'motion': 'starts', 'rest': 'stops',
}  # fmt: skip
#: SensedEvents of a kind at most.
MOST_EVENTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class SensedEvents:
    """What happened in a recording.

    Attributes:
        times: int64 (n,) for each kind of event that can be told, sorted, nanoseconds; a kind that
            never happened has none. Kinds are called as people say it, such as 'gripper closes'.
    """

    times: Mapping[str, Times]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What can be told."""
        return tuple(sorted(self.times))


def gripper_events(
    name: str, widths: Array, origin: int, width: int
) -> Iterator[tuple[str, Times]]:
    """Yield when fingers begin and end to close and to open.

    Args:
        name: What is in front of the kinds.
        widths: (n,), NaN where it is not known.
        origin: Where the first one lies, nanoseconds.
        width: Between two, nanoseconds.
    """
    known = _bridged(widths)  # which grippers report so rarely that they move in leaps
    low, high = np.percentile(known, (1, 99)).tolist() if len(known) else (0.0, 0.0)
    moves = high - low > max(_SAME * abs(high), _WIDTH)
    steps = max(1, round(_GRIP_S * SECOND / width))
    change = _shifted(known, -((steps + 1) // 2)) - _shifted(known, steps // 2)
    fast = _SPEED * (high - low) * steps * width / SECOND
    for verb, past, moving in (
        ('closes', 'closed', change < -fast),
        ('opens', 'opened', change > fast),
    ):
        starts, ends = _spans(moving if moves else np.zeros_like(moving))
        yield f'{name} {verb}', _times(starts, origin, width)
        yield f'{name} is {past}', _times(ends, origin, width)


def motion_events(name: str, speed: Array, origin: int, width: int) -> Iterator[tuple[str, Times]]:
    """Yield when an arm begins to move, and when it comes to stand; see `gripper_events`."""
    known = _filled(speed)
    fast = float(np.percentile(known, 95)) if len(known) else 0.0
    moving = _between(known, _STANDS * fast, _MOVES * fast)
    starts, ends = _spans(moving if fast > _STROKES else np.zeros_like(moving))
    yield f'{name} starts', _times(starts, origin, width)
    yield f'{name} stops', _times(ends, origin, width)


def force_events(name: str, force: Array, origin: int, width: int) -> Iterator[tuple[str, Times]]:
    """Yield when force rises or falls at once, as in contact; see `gripper_events`.

    Args:
        name: What is in front of the kinds.
        force: (n, 3), N, NaN where it is not known.
        origin: Where the first one lies, nanoseconds.
        width: Between two, nanoseconds.
    """
    size = _filled(np.linalg.norm(force - _rest(force), axis=1))
    low, high = np.percentile(size, (1, 99)).tolist() if len(size) else (0.0, 0.0)
    steps = max(1, round(_FORCE_S * SECOND / width))
    change = _shifted(size, -((steps + 1) // 2)) - _shifted(size, steps // 2)
    usual = float(np.median(np.abs(change))) if len(change) else 0.0
    jump = max(_JUMP * usual, _SHARE * (high - low), _NEWTONS / 2)
    known = high - low > _NEWTONS
    for verb, jumps in (('rises', change > jump), ('falls', change < -jump)):
        starts, _ = _spans(jumps if known else np.zeros_like(jumps))
        yield f'{name} {verb}', _times(starts + steps // 2, origin, width)


def _rest(force: Array) -> Array:
    """Return the usual force, which a sensor's offset and a tool's weight are most of."""
    known = force[np.isfinite(force).all(axis=1)]
    return np.median(known, axis=0) if len(known) else np.zeros(force.shape[1])


def _between(values: Array, low: float, high: float) -> NDArray[np.bool_]:
    """Return where values are up: from where they exceed `high` until they are under `low`."""
    state = np.where(values > high, 1, np.where(values < low, 0, -1))
    last = np.maximum.accumulate(np.where(state >= 0, np.arange(len(state)), -1))
    up: NDArray[np.bool_] = (last >= 0) & (state[last] == 1)
    return up


def _spans(active: NDArray[np.bool_]) -> tuple[Times, Times]:
    """Return where what is active begins, and where it ends."""
    edges = np.diff(active.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)


def _times(places: Times, origin: int, width: int) -> Times:
    """Return nanoseconds, without those that follow another one at once."""
    times = origin + places[: 4 * MOST_EVENTS] * width
    kept: list[int] = []
    for time in times.tolist():
        if not kept or time - kept[-1] >= _APART:
            kept.append(time)
    return np.array(kept[:MOST_EVENTS], np.int64)


def _shifted(values: Array, steps: int) -> Array:
    """Return values later (steps > 0) or earlier, repeated at the ends."""
    index = np.clip(np.arange(len(values)) - steps, 0, max(len(values) - 1, 0))
    return values[index]


def _bridged(values: Array) -> Array:
    """Return values with gaps bridged by a line; nothing where none is known."""
    there = np.flatnonzero(np.isfinite(values))
    if not len(there):
        return np.zeros(0)
    return np.interp(np.arange(len(values)), there, values[there])


def _filled(values: Array) -> Array:
    """Return values with each gap held at the one before; nothing where none is known."""
    there = np.isfinite(values)
    if not there.any():
        return np.zeros(0)
    last = np.maximum.accumulate(np.where(there, np.arange(len(values)), -1))
    return values[np.where(last >= 0, last, int(np.argmax(there)))]
