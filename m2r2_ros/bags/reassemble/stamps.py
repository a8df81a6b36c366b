# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stamps of one stream of a REASSEMBLE file, and which of its rows can be used."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.reassemble.file import ReassembleFile
from m2r2_ros.core.time import SECOND

#: Stamps of messages have 32 bits for the seconds.
_SECONDS = 2.0**32 - 1
_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Stamps:
    """Stamps in the order of the file; each is its message's log time too.

    Attributes:
        times: int64 (n,), nanoseconds; 0 where a row cannot be used.
        usable: bool (n,), which rows become messages.
        notes: What was left out, and why.
    """

    times: NDArray[np.int64]
    usable: NDArray[np.bool_]
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """Messages."""
        return int(self.usable.sum())

    @property
    def start(self) -> int:
        """The earliest, nanoseconds; 0 without any."""
        return int(self.times[self.usable].min()) if self.count else 0

    @property
    def end(self) -> int:
        """The latest, nanoseconds; 0 without any."""
        return int(self.times[self.usable].max()) if self.count else 0

    def parts(self, rows: int) -> Iterator[tuple[int, int, int]]:
        """Yield the first row, the row after the last, and the start of consecutive parts.

        No message of the part or of any after it is earlier than the start (ns), so that stamps
        which are not in order are brought into order when the parts are merged.
        """
        times = np.where(self.usable, self.times, _LAST)
        earliest = np.minimum.accumulate(times[::-1])[::-1]
        for low in range(0, len(times), rows):
            if earliest[low] < _LAST:
                yield low, min(low + rows, len(times)), int(earliest[low])


def read_stamps(
    file: ReassembleFile, stream: str, rows: int, topic: str, until: int | None
) -> Stamps:
    """Read the stamps of a stream.

    Args:
        file: The file.
        stream: Name of the stream.
        rows: How many rows or images the stream has.
        topic: What it is called in notes.
        until: Time from which on rows are left out, nanoseconds; None for none.

    Raises:
        BagError: There are no stamps, or they are not numbers.
    """
    seconds = file.stamps(stream)
    notes = []
    if len(seconds) != rows:
        paired = min(rows, len(seconds))
        notes.append(f'{topic}: {rows} rows, {len(seconds)} stamps: the first {paired} are paired')
        seconds = seconds[:paired]
    times, usable = _nanoseconds(seconds)
    if lost := int((~usable).sum()):
        notes.append(f'{topic}: {lost} rows without a usable stamp are left out')
    if (late := int((np.diff(times[usable]) < 0).sum())) > 0:
        notes.append(f'{topic}: {late} stamps are earlier than the one before; put in order')
    if until is not None:
        past = usable & (times >= until)
        notes.append(f'{topic}: {int(past.sum())} messages from the last action on are left out')
        usable &= ~past
    return Stamps(times, usable, tuple(notes))


def _nanoseconds(seconds: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return nanoseconds, and which of them are times."""
    usable = np.isfinite(seconds) & (seconds >= 0) & (seconds < _SECONDS)
    whole, part = np.divmod(np.where(usable, seconds, 0.0), 1.0)
    # Times of today, multiplied as they are, would be rounded to quarters of a microsecond twice.
    return whole.astype(np.int64) * SECOND + np.rint(part * 1e9).astype(np.int64), usable


def to_nanoseconds(seconds: float) -> int | None:
    """Return a time in nanoseconds, None if it is invalid."""
    times, usable = _nanoseconds(np.array([seconds]))
    return int(times[0]) if usable[0] else None
