# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find where records begin again after damaged bytes."""

from collections.abc import Callable, Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.mcap.records import PREFIX

_FIRST_PIECE: Final = 1 << 12
_PIECE: Final = 1 << 20
#: Records that have to follow one another before the first is believed.
_CHAIN: Final = 3


def next_record(
    read: Callable[[int, int], NDArray[np.uint8]],
    start: int,
    stop: int,
    opcodes: Collection[int],
    end_of: Callable[[int], int | None],
) -> int:
    """Return where the first record at or after `start` begins; `stop` if there is none.

    A record is believed if some more follow it, or if it ends where these bytes end.

    Args:
        read: Returns the bytes at a place, of a number.
        start: Where the search begins.
        stop: Where it ends.
        opcodes: What may be found.
        end_of: Returns where the record at a place ends, None if there can be none.
    """
    wanted = np.zeros(256, np.bool_)
    wanted[list(opcodes)] = True
    size = _FIRST_PIECE
    while start + PREFIX.size <= stop:
        piece = read(start, min(size + PREFIX.size - 1, stop - start))
        if len(piece) < PREFIX.size:
            break
        at = np.flatnonzero(wanted[piece[: 1 - PREFIX.size]])
        # No record is as long as 4 GB.
        for k in range(PREFIX.size - 4, PREFIX.size):
            at = at[piece[at + k] == 0]
        for candidate in (at + start).tolist():
            if _is_chain(candidate, stop, end_of):
                return int(candidate)
        start += len(piece) - PREFIX.size + 1
        size = min(2 * size, _PIECE)
    return stop


def _is_chain(at: int, stop: int, end_of: Callable[[int], int | None]) -> bool:
    """Return whether some records follow one another."""
    for _ in range(_CHAIN):
        end = end_of(at)
        if end is None:
            return False
        if end == stop:
            return True
        at = end
    return True
