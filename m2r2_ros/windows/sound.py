# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trailing sound of a window, joined from chunks (paper section III-B)."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Chunk stamps that differ from the count of samples by less than this, s, are jitter: the chunks
#: follow each other without a gap.
JITTER = 0.03


def trailing_sound(
    stamps: NDArray[np.int64],
    chunks: Sequence[NDArray[np.float32]] | NDArray[np.object_],
    tick: int,
    rate: int,
    samples: int,
) -> NDArray[np.float32]:
    """Return the last samples before a tick, float32 (samples,), silence where there are none.

    The newest chunk is placed by its stamp and the others are counted back from it, so that the
    jitter of stamps does not tear the sound and the result depends on nothing older than itself.

    Args:
        stamps: int64 (n,), time of each chunk's first sample, nanoseconds.
        chunks: n arrays of samples.
        tick: t(i), nanoseconds.
        rate: Samples per second of the chunks.
        samples: Number of samples to return, at that rate.
    """
    out = np.zeros(samples, np.float32)
    slack = round(JITTER * rate)
    start = 0
    for k in range(len(chunks) - 1, -1, -1):
        # Positions count from `out`'s first sample; the tick is at position `samples`.
        by_stamp = samples - round((tick - int(stamps[k])) * 1e-9 * rate)
        counted = start - len(chunks[k])
        newest = k == len(chunks) - 1
        start = counted if not newest and abs(by_stamp - counted) <= slack else by_stamp
        lo, hi = max(start, 0), min(start + len(chunks[k]), samples)
        if hi > lo:
            out[lo:hi] = chunks[k][lo - start : hi - start]
        if start <= 0:
            break
    return out


def resample_sound(
    sound: NDArray[np.float32], rate: int, target: int, samples: int
) -> NDArray[np.float32]:
    """Return the last `samples` samples of the sound at another rate, float32 (N, samples)."""
    if rate == target:
        return sound[:, -samples:]
    import torch  # reading bags must not need torch

    result: NDArray[np.float32] = _resampler(rate, target)(torch.from_numpy(sound)).numpy()
    return result[:, -samples:]


@cache
def _resampler(rate: int, target: int) -> Any:  # noqa: ANN401 - a module of torchaudio
    from torchaudio.transforms import Resample

    return Resample(rate, target)
