# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frame accuracy and the confusion of classes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def frame_accuracy(
    truths: Sequence[NDArray[np.int64]], predictions: Sequence[NDArray[np.int64]]
) -> float | None:
    """Return the fraction of frames labelled correctly, 0..1, pooled over recordings.

    Args:
        truths: For each recording int64 (n,), the true label ids.
        predictions: For each recording int64 (n,), the predicted label ids.

    Returns:
        The fraction, None where there is no frame.
    """
    frames = sum(len(truth) for truth in truths)
    correct = sum(int((t == p).sum()) for t, p in zip(truths, predictions, strict=True))
    return correct / frames if frames else None


def confusion_matrix(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Return how many frames of each class were given each label.

    Args:
        truth: int64 (n,), ids in 0..classes-1.
        predicted: int64 (n,), ids in 0..classes-1.
        classes: Number of classes.

    Returns:
        int64 (classes, classes), row = true class, column = predicted class.
    """
    cells = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)
