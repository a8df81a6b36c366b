# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs of equal labels: the segments of a frame sequence."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Runs:
    """Segments of a frame sequence, in order of time.

    Attributes:
        starts: int64 (m,), first frame of each segment.
        ends: int64 (m,), frame after the last one of each segment.
        ids: int64 (m,), label id of each segment.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)


def change_points(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return every frame i >= 1 whose label differs from that of frame i - 1.

    Args:
        ids: int64 (n,), label id of each frame.
    """
    return np.flatnonzero(ids[1:] != ids[:-1]).astype(np.int64) + 1


def runs_of(ids: NDArray[np.int64], background: Collection[int] = ()) -> Runs:
    """Cut a frame sequence where its label changes.

    The last segment ends after the last frame, as in the published evaluation of MS-TCN and M2R2;
    that of ASRF and DiffAct ends it one frame early.

    Args:
        ids: int64 (n,), label id of each frame.
        background: Label ids whose segments are left out.
    """
    cuts = change_points(ids)
    first = np.zeros(min(len(ids), 1), np.int64)
    starts = np.concatenate((first, cuts))
    ends = np.concatenate((cuts, first + len(ids)))
    found = ids[starts].astype(np.int64)
    keep = ~np.isin(found, list(background))
    return Runs(starts[keep], ends[keep], found[keep])


def held(ids: NDArray[np.int64], unknown: int) -> NDArray[np.int64]:
    """Give each unknown frame the label before it, or the first one where there is none before.

    So that a boundary lies where a new label begins, and none where a label is lost or returns.

    Args:
        ids: int64 (n,), label id of each frame.
        unknown: The id of frames without a label.
    """
    known = np.flatnonzero(ids != unknown)
    if not len(known):
        return ids
    before = np.searchsorted(known, np.arange(len(ids)), side='right') - 1
    return ids[known[np.maximum(before, 0)]]
