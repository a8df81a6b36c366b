# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a segment looks like as a few numbers, by which segments are told apart."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.discovery.observations import Observed

#: Frames at each end of a segment whose median is a level, at most.
_ENDS: Final = 3
#: Frames at the beginning in which fingers may still come from the segment before.
_EARLY: Final = 6
#: How much a width counts.
_HELD: Final = 2.0
#: Force that counts as little in logarithms, N.
_LITTLE: Final = 0.3


@dataclass(frozen=True, slots=True)
class SegmentReference:
    """What widths and forces are compared with.

    Attributes:
        gripper_step: Change of a width that counts; 0 without a gripper.
        free_force: Force while nothing is touched, N, (F,).
        free_range: How far from it force may be then, N.
    """

    gripper_step: float = 0.0
    free_force: tuple[float, ...] = ()
    free_range: float = 0.0


def describe_segment(seen: Observed, reference: SegmentReference) -> NDArray[np.float64]:
    """Describe a segment.

    Args:
        seen: Its observations; at least one frame.
        reference: What they are compared with.

    Returns:
        float64 (D,): of each gripper the first, last, least and middle width; where the arm was
        when the gripper moved, or else when it was pushed most; how strong forces were; how long it
        took; without a gripper also where the arm went. NaN where no sensor shows it.
    """
    away = np.linalg.norm(seen.force - np.array(reference.free_force or 0.0), axis=1)
    moment = _moment(seen, away, reference.gripper_step)
    parts = [
        _levels(seen.gripper),
        seen.position[moment],
        _strengths(away, reference.free_range) if seen.force.shape[1] else [],
        [np.log(len(seen))],
    ]
    if not reference.gripper_step:
        parts += [seen.position[-1] - seen.position[0], [np.log(_mean(seen.speed) + 1e-3)]]
    return np.concatenate(parts)


def widths_of(seen: Observed, reference: SegmentReference) -> NDArray[np.float64]:
    """Return how much each number of a description counts beside others, (D,).

    What is held tells skills apart more than where and how hard it is moved; and a robot of many
    joints is told apart by more than their angles.
    """
    places = seen.position.shape[1]
    share = np.full(places, min(1.0, np.sqrt(3 / max(places, 1))))
    levels = np.full(4 * seen.gripper.shape[1], _HELD)
    strengths = 3 if seen.force.shape[1] else 0
    parts = [levels, share, np.ones(strengths + 1)]
    return np.concatenate(parts if reference.gripper_step else [*parts, share, np.ones(1)])


def _levels(widths: NDArray[np.float64]) -> NDArray[np.float64]:
    ends = max(1, min(_ENDS, len(widths) // 4))
    first, last = (np.median(part, axis=0) for part in (widths[:ends], widths[-ends:]))
    return np.stack([first, last, widths.min(axis=0), np.median(widths, axis=0)], axis=1).ravel()


def _moment(seen: Observed, away: NDArray[np.float64], step: float) -> int:
    """Return the frame in which most happens."""
    count = len(seen)
    if step and count > 2 * _ENDS:
        change = np.abs(seen.gripper[_ENDS:] - seen.gripper[:-_ENDS]).max(axis=1, initial=0.0)
        if count > 2 * _EARLY:
            change[:_EARLY] = 0
        change = np.nan_to_num(change)
        if change.max() > step:
            return min(int(change.argmax()) + 1, count - 1)
    pushed = np.nan_to_num(away)
    return int(pushed.argmax()) if pushed.any() else count // 2


def _strengths(away: NDArray[np.float64], free: float) -> NDArray[np.float64]:
    known = away[np.isfinite(away)]
    if not len(known):
        return np.full(3, np.nan)
    peak, mean = np.log(known.max() + _LITTLE), np.log(known.mean() + _LITTLE)
    return np.array([peak, mean, (known > free).mean()])


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0
