# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of online heads share: runs in pieces, a toy recording."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from m2r2_ros.model.heads.base import Head, OnlineHead, Prediction


@torch.no_grad()
def run(head: OnlineHead, x: Tensor, cuts: Sequence[int]) -> tuple[Prediction, Any]:
    """Return what a head says in pieces between `cuts`, and its last state."""
    state = head.initial_state()
    edges = sorted({0, *(c for c in cuts if c < len(x)), len(x)})
    pieces = []
    for lo, hi in pairwise(edges):
        piece, state = head.advance(x[lo:hi], state)
        pieces.append(piece)
    probabilities = torch.cat([p.probabilities for p in pieces])
    return Prediction(probabilities, torch.cat([p.boundaries for p in pieces])), state


def numbers(state: Any) -> list[Tensor]:
    """Return the tensors of a state."""
    if isinstance(state, Tensor):
        return [state]
    if isinstance(state, int):
        return []
    parts = (
        state if isinstance(state, list | tuple) else [getattr(state, k) for k in state.__slots__]
    )
    return [tensor for part in parts for tensor in numbers(part)]


def toy(width: int, classes: int, length: int = 12, repeats: int = 2) -> tuple[Tensor, Tensor]:
    """Return features (N, width) and targets (N,): each label has a direction, plus noise."""
    generator = torch.Generator().manual_seed(1)
    targets = torch.arange(classes).repeat(repeats).repeat_interleave(length)
    directions = 2 * torch.randn(classes, width, generator=generator)
    return directions[targets] + torch.randn(len(targets), width, generator=generator), targets


def fit(head: Head, features: Tensor, targets: Tensor, steps: int, rate: float = 5e-3) -> float:
    """Train on one recording; return the share of frames that get their label."""
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(head.parameters(), rate)
    head.train()
    for _ in range(steps):
        optimiser.zero_grad()
        head.loss(features, targets).backward()
        optimiser.step()
    with torch.no_grad():
        labels = head.eval().predict(features).probabilities.argmax(dim=1)
    return float((labels == targets).float().mean())


def without_gradient(head: Head, features: Tensor, targets: Tensor) -> list[str]:
    """Return the parameters that a loss does not reach."""
    head.train()
    head.loss(features, targets).backward()
    return [n for n, p in head.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
