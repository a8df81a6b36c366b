# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings that could have been: segments last longer or shorter, or do not happen at all."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.evaluation.runs import runs_of

#: Natural logarithm of the largest factor by which a segment is stretched or shortened.
STRETCH = 1.6
#: Of the segments that are changed, the share that is left out.
LEFT_OUT = 0.25
#: Frames that a segment keeps at least.
LEAST = 3


def varied(targets: NDArray[np.int64], share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the frames of a variation of a recording, some repeated, some skipped, in order.

    A head that is trained on variations cannot tell a label from how long a recording has lasted,
    nor from the order of labels alone. Features of M2R2 are of single frames, so that each frame
    keeps its own.

    Args:
        targets: int64 (T,), label ids; frames without one form segments too.
        share: Of the segments to change, 0..1.
        rng: Source of random numbers.
    """
    runs = runs_of(targets)
    kept: list[NDArray[np.int64]] = []
    for lo, hi in zip(runs.starts.tolist(), runs.ends.tolist(), strict=True):
        frames = np.arange(lo, hi)
        if rng.random() < share:
            if rng.random() < LEFT_OUT:
                continue
            length = (hi - lo) * np.exp(rng.uniform(-STRETCH, STRETCH / 2))
            places = np.linspace(lo, hi - 1, max(round(length), min(LEAST, hi - lo)))
            frames = np.round(places).astype(np.int64)
        kept.append(frames)
    return np.concatenate(kept) if kept else np.arange(len(targets))
