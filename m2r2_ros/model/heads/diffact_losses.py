# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Losses and condition masks of DiffAct (ICCV 2023)."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, conv1d, one_hot

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.losses import boundary_targets

#: What the decoder is shown of the features in training, one of these at random for a recording.
MASKS = ('full', 'zero', 'boundary', 'segment', 'segment')
#: The boundary mask leaves frames at which smoothed boundaries are at most this.
BOUNDARY_LIMIT = 0.5
#: Labels that the segment mask hides.
HIDDEN_LABELS = 2


def hard_labels(targets: Tensor, classes: int) -> Tensor:
    """Return one-hot labels, float32 (N, C); rows of UNKNOWN frames are 0."""
    labels = one_hot(targets.clamp(min=0), classes).float()
    return labels * (targets != UNKNOWN).unsqueeze(1)


def soft_labels(targets: Tensor, classes: int, sigma: float) -> Tensor:
    """Return one-hot labels smoothed over time by a Gaussian; rows need not add up to 1.

    Args:
        targets: int64 (N,), UNKNOWN where a frame has no label.
        classes: C.
        sigma: Frames; 0 smooths nothing.

    Returns:
        float32 (N, C).
    """
    labels = hard_labels(targets, classes)
    reach = round(4 * sigma)
    if not reach:
        return labels
    offsets = torch.arange(-reach, reach + 1, device=labels.device)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum())[None, None]
    return conv1d(labels.T.unsqueeze(1), kernel, padding=reach).squeeze(1).T


def soft_classification_loss(logits: Tensor, labels: Tensor, known: Tensor) -> Tensor:
    """Return the mean cross entropy with soft labels over the known frames, 0 if there are none.

    Args:
        logits: float32 (N, C).
        labels: float32 (N, C).
        known: bool (N,).
    """
    entropy = -(labels * logits.log_softmax(dim=1)).sum(dim=1)
    return (entropy * known).sum() / known.sum().clamp(min=1)


def change_loss(logits: Tensor, boundaries: Tensor, known: Tensor) -> Tensor:
    """Return the cross entropy of 1 - p_t . p_(t-1) against smoothed boundaries.

    Args:
        logits: float32 (N, C).
        boundaries: float32 (N,), 0..1; that of the first frame is not used.
        known: bool (N,), frames that count.
    """
    p = logits.softmax(dim=1)
    change = (1 - (p[1:] * p[:-1]).sum(dim=1)).clamp(1e-5, 1 - 1e-5)
    entropy = binary_cross_entropy(change, boundaries[1:], reduction='none')
    return (entropy * known[1:]).sum() / known[1:].sum().clamp(min=1)


def smoothed_boundaries(targets: Tensor, sigma: float) -> Tensor:
    """Return boundary targets, float32 (N,); sigma of 0 leaves them sharp."""
    return boundary_targets(targets, max(sigma, 1e-3))


def condition_mask(kind: str, targets: Tensor, boundaries: Tensor) -> Tensor:
    """Return which frames' features the decoder is shown, bool (N,).

    Args:
        kind: full shows all and zero none, so that the decoder learns where actions lie; boundary
            hides what is near a boundary; segment hides all frames of two labels, so that it learns
            which actions go together.
        targets: int64 (N,), UNKNOWN where a frame has no label.
        boundaries: float32 (N,), smoothed boundaries.
    """
    if kind == 'boundary':
        return boundaries <= BOUNDARY_LIMIT
    if kind == 'segment':
        present = targets[targets != UNKNOWN].unique()
        chosen = torch.randperm(len(present))[:HIDDEN_LABELS].to(present.device)
        return ~torch.isin(targets, present[chosen])
    return torch.full_like(targets, kind == 'full', dtype=torch.bool)
