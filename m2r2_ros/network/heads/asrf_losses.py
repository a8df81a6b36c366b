# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Losses of ASRF (Ishikawa et al., WACV 2021, section 3.4), and what they take from the labels."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.network.losses import TRUNCATION

#: Standard deviation of the Gaussian over the distance of features.
SIGMA = 1.0


def segment_starts(targets: Tensor) -> Tensor:
    """Return 1 at the first frame of every labelled segment, that of the recording included.

    Args:
        targets: int64 (N,), label ids, UNKNOWN where there is none.

    Returns:
        float32 (N,).
    """
    before = torch.cat([targets.new_tensor([UNKNOWN]), targets[:-1]])
    return ((targets != before) & (targets != UNKNOWN)).float()


def class_weights(targets: Sequence[Tensor], classes: int) -> Tensor:
    """Return the median frequency over each class's own, 1 where a class never occurs.

    Args:
        targets: For each recording int64 (N,).
        classes: C.

    Returns:
        float32 (C,).
    """
    counts = torch.zeros(classes)
    for labels in targets:
        counts += torch.bincount(labels[labels != UNKNOWN].cpu(), minlength=classes)
    seen = counts > 0
    if not seen.any():
        return torch.ones(classes)
    # The mean of the middle two where their number is even, which torch's median is not.
    return torch.where(seen, counts[seen].quantile(0.5) / counts, 1.0)


def boundary_weight(targets: Sequence[Tensor]) -> Tensor:
    """Return the number of labelled frames per segment start, 1 / the ratio of positives."""
    frames = sum(int((labels != UNKNOWN).sum()) for labels in targets)
    starts = sum(int(segment_starts(labels).sum()) for labels in targets)
    return torch.tensor(max(frames, 1) / max(starts, 1))


def similarity_smoothing_loss(logits: Tensor, features: Tensor) -> Tensor:
    """Return the smoothing loss of MS-TCN, weighted by the similarity of successive features.

    Weights are exp(-|x_t - x_(t-1)| / 2 sigma ** 2), as in the authors' public code, which however
    takes the softmax over time: here it is over classes, as in MS-TCN. Unlike there, the
    gradient reaches both frames. A single frame has nothing to differ from: 0.

    Args:
        logits: float32 (N, C).
        features: x_1 .. x_N, float32 (N, D_e).
    """
    similarity = torch.exp(-(features[1:] - features[:-1]).norm(dim=1) / (2 * SIGMA**2))
    squares = logits.log_softmax(dim=1).diff(dim=0).square().clamp(max=TRUNCATION)
    return (similarity.unsqueeze(1) * squares).sum() / max(squares.numel(), 1)


def start_loss(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    """Return the mean binary cross entropy of segment starts over labelled frames; 0 without any.

    Args:
        logits: float32 (N,).
        targets: int64 (N,), label ids, UNKNOWN where there is none.
        weight: Of frames that are starts, a scalar.
    """
    known = targets != UNKNOWN
    summed = binary_cross_entropy_with_logits(
        logits[known], segment_starts(targets)[known], pos_weight=weight, reduction='sum'
    )
    return summed / known.sum().clamp(min=1)
