# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Losses of the online head (MS-TCN, CVPR 2019, section 3.3; M2R2 eq. 4 for boundaries)."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from m2r2_ros.core.labels import UNKNOWN

#: MS-TCN's truncation of the squared log-probability difference, tau ** 2 with tau = 4.
TRUNCATION = 16.0


def classification_loss(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the mean cross entropy over labelled frames; 0 without any.

    Args:
        logits: float32 (n, C).
        targets: int64 (n,), UNKNOWN where a frame has no label.
        weights: Of each class in the mean, float32 (C,).
    """
    if (targets == UNKNOWN).all():
        return 0 * logits.sum()
    return cross_entropy(logits, targets, weights, ignore_index=UNKNOWN)


def smoothing_loss(logits: Tensor) -> Tensor:
    """Return the truncated mean squared difference of log-probabilities of successive frames.

    The gradient reaches the later frame alone. A single frame has nothing to differ from: 0.

    Args:
        logits: float32 (n, C).
    """
    log_p = logits.log_softmax(dim=-1)
    difference = log_p[1:] - log_p[:-1].detach()
    return difference.square().clamp(max=TRUNCATION).sum() / max(difference.numel(), 1)


def boundary_targets(targets: Tensor, sigma: float) -> Tensor:
    """Return B smoothed by a Gaussian: 1 where a label begins, less around it (M2R2, III-C).

    Args:
        targets: int64 (n,), label ids; UNKNOWN, where a frame has no label, begins nothing.
        sigma: Frames.

    Returns:
        float32 (n,).
    """
    n = len(targets)
    begins = (targets[1:] != targets[:-1]) & (targets[1:] != UNKNOWN)
    starts = torch.nonzero(begins).flatten() + 1
    if not len(starts):
        return torch.zeros(n)
    distance = torch.arange(n).unsqueeze(1) - starts.unsqueeze(0)
    return torch.exp(-0.5 * (distance.abs().min(dim=1).values / sigma) ** 2)


def boundary_loss(logits: Tensor, smoothed: Tensor) -> Tensor:
    """Return the mean squared error between boundary probabilities and targets (M2R2, eq. 4).

    Args:
        logits: float32 (n,).
        smoothed: float32 (n,).
    """
    return mse_loss(logits.sigmoid(), smoothed)
