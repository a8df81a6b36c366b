# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Losses and condition masks of DiffAct (ICCV 2023)."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, conv1d, one_hot

from m2r2_ros.core.labels import UNKNOWN

#: What the decoder is shown of the features in training, one of these at random for a recording.
MASKS = ('full', 'zero', 'boundary', 'segment', 'segment')
#: The boundary mask leaves frames at which smoothed boundaries are less than this.
BOUNDARY_LIMIT = 0.5
#: Labels that the segment mask draws and hides, maybe one of them twice.
HIDDEN_LABELS = 2


def hard_labels(targets: Tensor, classes: int) -> Tensor:
    """Return one-hot labels, float32 (N, C); rows of UNKNOWN frames are 0."""
    labels = one_hot(targets.clamp(min=0), classes).float()
    return labels * (targets != UNKNOWN).unsqueeze(1)


def soft_labels(targets: Tensor, classes: int, sigma: float) -> Tensor:
    """Return one-hot labels smoothed over time by a Gaussian.

    Args:
        targets: int64 (N,), UNKNOWN where a frame has no label, near which rows add up to less
            than 1.
        classes: C.
        sigma: Frames; 0 smooths nothing.

    Returns:
        float32 (N, C).
    """
    return smoothed(hard_labels(targets, classes).T, sigma).T


def smoothed(x: Tensor, sigma: float) -> Tensor:
    """Return rows float32 (C, N) under a Gaussian of sigma frames, mirrored beyond their ends."""
    kernel = gaussian(sigma).to(x)
    reach, frames = len(kernel) // 2, x.shape[1]
    mirrored = np.pad(np.arange(frames), reach, mode='symmetric')
    around = x[:, torch.from_numpy(mirrored).to(x.device)]
    return conv1d(around.unsqueeze(1), kernel[None, None]).squeeze(1)


def gaussian(sigma: float) -> Tensor:
    """Return a kernel that reaches 4 sigma frames to either side and adds up to 1."""
    reach = round(4 * sigma)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / max(sigma, 1e-3)) ** 2)
    return kernel / kernel.sum()


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

    The gradient reaches the later frame alone.

    Args:
        logits: float32 (N, C).
        boundaries: float32 (N,), 0..1; that of the first frame is not used.
        known: bool (N,), frames that count.
    """
    p = logits.softmax(dim=1)
    change = (1 - (p[1:] * p[:-1].detach()).sum(dim=1)).clamp(0, 1)
    entropy = binary_cross_entropy(change, boundaries[1:], reduction='none')
    return (entropy * known[1:]).sum() / known[1:].sum().clamp(min=1)


def smoothed_boundaries(targets: Tensor, sigma: float) -> Tensor:
    """Return 1 at both frames of a change of label and less around them, float32 (N,).

    Args:
        targets: int64 (N,); UNKNOWN, where a frame has no label, begins nothing.
        sigma: Of the Gaussian around them, frames; 0 leaves them sharp.
    """
    begins = (targets[1:] != targets[:-1]) & (targets[1:] != UNKNOWN)
    marks = torch.zeros(1, len(targets), device=targets.device)
    marks[0, 1:] += begins
    marks[0, :-1] += begins
    # Where boundaries are close they add up; none is more than a single one.
    kernel = gaussian(sigma)
    middle = len(kernel) // 2
    alone = float(kernel[middle : middle + 2].sum())
    return (smoothed(marks.clamp(max=1), sigma)[0] / alone).clamp(max=1)


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
        return boundaries < BOUNDARY_LIMIT
    if kind == 'segment':
        present = targets[targets != UNKNOWN].unique()
        chosen = torch.randint(max(len(present), 1), (HIDDEN_LABELS,))[: len(present)]
        return ~torch.isin(targets, present[chosen])
    return torch.full_like(targets, kind == 'full', dtype=torch.bool)
