# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stamps of steps: exact multiples of a period, or those that the dataset itself kept."""

from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.numbers import LATEST
from m2r2_ros.core.time import SECOND

#: Where every episode begins that says nothing of the day: 2020-01-01T00:00:00Z, nanoseconds.
EPOCH: Final = 1_577_836_800 * SECOND
#: Time of a step less its number times the period, s, that is put down to float32.
_ROUNDING: Final = 1e-3


def stamps_of_numbers(numbers: NDArray[np.int64], rate: Fraction) -> NDArray[np.int64]:
    """Return the stamps of steps by their numbers, int64 (n,), nanoseconds.

    Args:
        numbers: int64 (n,), from 0 to 2^24.
        rate: Steps per second.
    """
    period = SECOND / rate
    # Whole numbers alone, so that no step is a nanosecond off from the next run's.
    top, bottom = period.numerator, period.denominator
    found = [(int(k) * top * 2 + bottom) // (2 * bottom) for k in numbers]
    return np.array(found, np.int64) + EPOCH


def stamps_of_times(
    seconds: NDArray[np.float64], numbers: NDArray[np.int64], rate: Fraction
) -> tuple[NDArray[np.int64], str]:
    """Return stamps of steps, and what there is to say about them.

    Times are those of the numbers where they differ by no more than float32 explains.

    Args:
        seconds: float64 (n,), times of the steps from the start of the episode.
        numbers: int64 (n,), numbers of the steps.
        rate: Steps per second.
    """
    exact = stamps_of_numbers(numbers, rate)
    if not np.isfinite(seconds).all():
        lost = int((~np.isfinite(seconds)).sum())
        return exact, f'timestamp: {lost} are no numbers; frame numbers give the times instead'
    from_numbers = (exact - EPOCH) * 1e-9
    if (np.abs(seconds - from_numbers) <= _ROUNDING + np.abs(seconds) * 2e-7).all():
        return exact, ''
    if (seconds < 0).any() or (seconds * SECOND + EPOCH >= LATEST).any():
        return exact, 'timestamp: some are out of range; frame numbers give the times instead'
    if (np.diff(seconds) <= 0).any():
        return exact, 'timestamp: some do not rise; frame numbers give the times instead'
    times = np.rint(seconds * SECOND).astype(np.int64) + EPOCH
    return times, 'timestamp: frames are not evenly spaced; their own times are kept'


def usable_stamps(stamps: NDArray[np.int64]) -> bool:
    """Return whether stamps that a dataset kept can be those of messages: in order, before 2038."""
    return bool(
        len(stamps) and stamps[0] >= 0 and stamps[-1] < LATEST and (np.diff(stamps) > 0).all()
    )
