# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a confidence of 0.8 means that 8 labels in 10 are right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Bins of equal width, as in Guo et al. (ICML 2017), section 2.
BINS = 15
EDGES = np.linspace(0.0, 1.0, BINS + 1)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Labelled frames by the confidence of their label; bin m holds (m / 15, (m + 1) / 15].

    The first bin also holds 0. Sums rather than means, so that recordings can be added.

    Attributes:
        frames: int64 (BINS,), frames.
        confidence: float64 (BINS,), sum of their confidences.
        right: int64 (BINS,), those whose label is right.
    """

    frames: NDArray[np.int64]
    confidence: NDArray[np.float64]
    right: NDArray[np.int64]

    @classmethod
    def of(cls, confidences: NDArray[np.floating], right: NDArray[np.bool_]) -> 'Reliability':
        """Sort labels into bins.

        Args:
            confidences: Float (n,), probability of each label, 0..1.
            right: Bool (n,), whether it is the true one.
        """
        place = np.searchsorted(EDGES[1:-1], confidences, side='left')
        return cls(
            np.bincount(place, minlength=BINS).astype(np.int64),
            np.bincount(place, confidences, BINS).astype(np.float64),
            np.bincount(place[right], minlength=BINS).astype(np.int64),
        )

    @property
    def ece(self) -> float | None:
        """Expected calibration error, 0..1.

        The mean distance between accuracy and mean confidence of the bins, weighted by their
        frames; None without any.
        """
        frames = int(self.frames.sum())
        return float(np.abs(self.right - self.confidence).sum() / frames) if frames else None


def brier_score(
    probabilities: NDArray[np.floating], classes: Sequence[str], truth: Sequence[str]
) -> NDArray[np.float64]:
    """Return the squared distance of each frame's probabilities to its true label.

    0 where all of it lies on the true label, 2 where all of it lies on a wrong one (Brier, 1950).
    A true label that is not among the classes has a probability of 0.

    Args:
        probabilities: Float (n, C), those of a frame sum to 1.
        classes: Labels of the C columns.
        truth: True labels of the n frames.
    """
    column = {name: k for k, name in enumerate(classes)}
    true = np.array([column.get(name, -1) for name in truth], np.int64)
    p = np.asarray(probabilities, np.float64)
    of_truth = np.where(true >= 0, p[np.arange(len(p)), true], 0.0)
    score: NDArray[np.float64] = (p**2).sum(axis=1) - 2 * of_truth + 1
    return score
