# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that are alike: what is known of one of them reads all of them together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.cdr import PADDING, gather
from m2r2_ros.readers.walk import Found, Run

#: Runs of numbers beyond which numbers are gathered one by one.
_FEW: Final = 8


class MessageLayout:
    """Where everything is in the messages whose strings and sequences are as long as in one.

    Attributes:
        end: Bytes of a message, less what it may be padded with.
        width: How many numbers it gives.
        reason: Why such messages hold no sample; '' where they do.
    """

    def __init__(
        self,
        found: Found,
        first: NDArray[np.uint8],
        runs: Sequence[Run] = (),
        stamp: int | None = None,
        reason: str = '',
    ) -> None:
        """Take what was found in a message.

        Args:
            found: What was found.
            first: The message.
            runs: The numbers that are wanted, in order.
            stamp: Where its stamp is, None without one.
            reason: Why it holds no sample; '' where it does.
        """
        self.reason = reason
        self.end, self.width = found.end, sum(run.count for run in runs)
        self._order, self._stamp, self._reads = found.order, stamp, _reads(runs)
        self._words = np.array([at for at, _ in found.words], np.int64)
        self._lengths = np.array([value for _, value in found.words], np.uint32)
        self._zeros = np.array(found.ends, np.int64)
        # The mark of the byte order, and lists of names.
        parts = [(0, 2), *(part for pair in found.lists for part in _halves(*pair))]
        self._same = [(begin, first[begin:end].tobytes()) for begin, end in parts]

    def matching(self, block: MessageBlock, which: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which of some messages are laid out like this (n,)."""
        lengths = block.lengths[which]
        alike: NDArray[np.bool_] = (lengths >= self.end) & (lengths <= self.end + PADDING)
        some = alike.all()
        # What is shorter is not looked into.
        at = block.offsets[which] if some else block.offsets[which[alike]]
        if not len(at):
            return alike
        ok = np.ones(len(at), np.bool_)
        for begin, content in self._same:
            ok &= _equal(gather(block.data, at + begin, len(content)), content)
        if len(self._words):
            found = gather(block.data, self._words[:, None] + at, 4).view(f'{self._order}u4')
            ok &= (found == self._lengths[:, None]).all(0)
        if len(self._zeros):
            ok &= (block.data[self._zeros[:, None] + at] == 0).all(0)
        if some:
            return ok
        alike[alike] = ok
        return alike

    def stamps(self, block: MessageBlock, which: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the stamps of messages that match, nanoseconds (n,); 0 without any."""
        if self._stamp is None:
            return np.zeros(len(which), np.int64)
        words = gather(block.data, block.offsets[which] + self._stamp, 8)
        words = words.view(f'{self._order}u4').reshape(-1, 2)
        seconds = words[:, 0].astype(np.int32).astype(np.int64)
        return seconds * SECOND + words[:, 1].astype(np.int64)

    def values(self, block: MessageBlock, which: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the numbers of messages that match (n, width)."""
        at = block.offsets[which][:, None]
        if len(self._reads) == 1:
            return self._read(block, at, self._reads[0])
        values = np.empty((len(which), self.width))
        for read in self._reads:
            values[:, read.columns] = self._read(block, at, read)
        return values

    def _read(
        self, block: MessageBlock, at: NDArray[np.int64], read: '_Read'
    ) -> NDArray[np.float64]:
        """Read the numbers of one type."""
        found = gather(block.data, at + read.at, read.size)
        if read.kind == 'b1':  # whatever is not zero is true
            return np.asarray(found.view('u1') != 0, np.float64)
        return np.asarray(found.view(self._order + read.kind), np.float64)


def _halves(begin: int, end: int) -> list[tuple[int, int]]:
    """Cut a part into whole words of 8 bytes and the last word, which may overlap the others."""
    whole = end - (end - begin) % 8
    if whole in (begin, end):
        return [(begin, end)]
    return [(begin, whole), (end - 8, end)]


def _equal(found: NDArray[np.void], content: bytes) -> NDArray[np.bool_]:
    """Return which of some bytes (n,) are these; words of 8 are compared at once."""
    if len(content) % 8:
        return np.asarray(found == np.void(content), np.bool_)
    words = np.frombuffer(content, np.uint64)
    same: NDArray[np.bool_] = (found.view(np.uint64).reshape(-1, len(words)) == words).all(1)
    return same


@dataclass(frozen=True, slots=True)
class _Read:
    """Numbers of one type that are read at once.

    Attributes:
        kind: numpy type without byte order.
        at: Where they begin, one after the other or many.
        size: Bytes from each beginning.
        columns: Where they go in a sample.
    """

    kind: str
    at: NDArray[np.int64]
    size: int
    columns: slice | NDArray[np.int64]


def _reads(runs: Sequence[Run]) -> list[_Read]:
    """Return how to read some runs: few of them run by run, many number by number."""
    runs = _joined(runs)
    ends = np.cumsum([run.count for run in runs])
    if len(runs) <= _FEW:
        return [
            _Read(run.kind, np.array([run.at]), run.count * run.size, slice(end - run.count, end))
            for run, end in zip(runs, ends.tolist(), strict=True)
        ]
    kinds = np.repeat([run.kind for run in runs], [run.count for run in runs])
    at = np.concatenate([run.at + run.size * np.arange(run.count) for run in runs])
    return [
        _Read(str(kind), at[kinds == kind], int(kind[1]), np.flatnonzero(kinds == kind))
        for kind in np.unique(kinds)
    ]


def _joined(runs: Sequence[Run]) -> list[Run]:
    """Join runs that follow each other without a gap."""
    joined: list[Run] = []
    for run in runs:
        last = joined[-1] if joined else None
        if last and last.kind == run.kind and last.at + last.count * last.size == run.at:
            joined[-1] = Run(last.kind, last.at, last.count + run.count)
        elif run.count:
            joined.append(run)
    return joined
