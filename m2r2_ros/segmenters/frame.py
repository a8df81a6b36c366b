# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A frame between the network and its label."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that waits for its label.

    Attributes:
        start: t(i-1), nanoseconds.
        stamp: t(i), nanoseconds.
        mask: Bits of the modalities that were present.
        boundary_score: Probability that a segment begins here.
        revision_lag: Frames that were seen after it.
    """

    start: int
    stamp: int
    mask: int
    boundary_score: float
    revision_lag: int
