# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Toy recordings for the tests of heads, and what they measure on them."""

import torch
from torch import Tensor

from m2r2_ros.network.heads.base import Head

WIDTH, CLASSES = 6, 4


def toy_recording(seed: int = 0, length: int = 12) -> tuple[Tensor, Tensor]:
    """Return noisy features (N, WIDTH) whose first CLASSES columns show the label, and labels.

    Each of the six segments has `length` frames.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor([0, 2, 1, 3, 0, 1]).repeat_interleave(length)
    features = 0.5 * torch.randn(len(labels), WIDTH, generator=generator)
    features[torch.arange(len(labels)), labels] += 1.5
    return features, labels


def fit(head: Head, features: Tensor, targets: Tensor, steps: int, rate: float = 5e-3) -> None:
    """Train on one recording; leave the head in evaluation mode."""
    head.fit_label_statistics([targets])
    optimizer = torch.optim.Adam(head.parameters(), rate)
    head.train()
    for _ in range(steps):
        optimizer.zero_grad()
        head.loss(features, targets).backward()
        optimizer.step()
    head.eval()


@torch.no_grad()
def accuracy(head: Head, features: Tensor, targets: Tensor) -> float:
    """Return the share of frames that get their label."""
    labels = head.predict(features).probabilities.argmax(dim=1)
    return float((labels == targets).float().mean())


def frames_seen(output: Tensor, features: Tensor) -> list[int]:
    """Return the frames that one number depends on, by its gradient."""
    (gradient,) = torch.autograd.grad(output, features)
    return torch.nonzero(gradient.abs().sum(dim=1)).flatten().tolist()
