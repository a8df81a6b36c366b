# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trailing sound of a window, joined from chunks (paper section III-B)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.windows.polyphase import resampler

#: Chunk stamps that differ from the count of samples by less than this, s, are jitter: the chunks
#: follow each other without a gap.
JITTER = 0.03


def lay_sound(
    out: NDArray[np.float32],
    stamps: NDArray[np.int64],
    chunks: Sequence[NDArray[np.float32]] | NDArray[np.object_],
    tick: int,
    rate: int,
) -> None:
    """Put the last samples before a tick where nothing is yet.

    The newest chunk is placed by its stamp and the others are counted back from it, so that the
    jitter of stamps does not tear the sound and the result depends on nothing older than itself.

    Args:
        out: float32 (samples,), zeros; it ends at the tick.
        stamps: int64 (n,), time of each chunk's first sample, nanoseconds.
        chunks: n arrays of samples.
        tick: t(i), nanoseconds.
        rate: Samples per second of the chunks.
    """
    samples, slack = len(out), round(JITTER * rate)
    start = 0
    for k in range(len(chunks) - 1, -1, -1):
        # Positions count from `out`'s first sample; the tick is at position `samples`.
        chunk = chunks[k]
        by_stamp = samples - round((tick - stamps.item(k)) * 1e-9 * rate)
        counted = start - len(chunk)
        newest = k == len(chunks) - 1
        start = counted if not newest and abs(by_stamp - counted) <= slack else by_stamp
        lo, hi = max(start, 0), min(start + len(chunk), samples)
        if hi > lo:
            out[lo:hi] = chunk[lo - start : hi - start]
        if start <= 0:
            break


def resample_sound(
    sound: NDArray[np.float32], rate: int, target: int, samples: int
) -> NDArray[np.float32]:
    """Return the last samples of sounds at another rate, float32 (N, n) to (N, samples)."""
    if rate == target:
        return sound[:, -samples:]
    return resampler(rate, target)(sound, samples)
