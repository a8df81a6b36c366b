# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Toy recordings, and what every offline head is held to."""

import torch
from torch import Tensor

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.heads.base import Head

WIDTH, CLASSES = 6, 4


def toy_recording(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return noisy features (N, WIDTH) whose first CLASSES columns tell the label, and labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor([0, 2, 1, 3, 0, 1]).repeat_interleave(12)
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
    labels = head.predict(features).probabilities.argmax(dim=1)
    return float((labels == targets).float().mean())


def without_gradient(head: Head, inputs: int, classes: int) -> list[str]:
    """Return the parameters that the loss of a recording does not reach."""
    head.loss(torch.randn(80, inputs), torch.arange(80) // 9 % classes).backward()
    return [name for name, p in head.named_parameters() if p.grad is None or not p.grad.abs().sum()]


def assert_any_length_works(head: Head, inputs: int, classes: int) -> None:
    for n in (1, 2, 7):
        for targets in (torch.arange(n) % classes, torch.full((n,), UNKNOWN)):
            head.train()
            head.zero_grad()
            loss = head.loss(torch.randn(n, inputs), targets)
            loss.backward()
            assert loss.shape == ()
            assert loss.isfinite()
            assert all(p.grad is None or p.grad.isfinite().all() for p in head.parameters())
        head.eval()
        with torch.no_grad():
            found = head.predict(torch.randn(n, inputs))
        assert found.probabilities.shape == (n, classes)
        assert found.probabilities.dtype == found.boundaries.dtype == torch.float32
        assert found.boundaries.shape == (n,)
        torch.testing.assert_close(found.probabilities.sum(dim=1), torch.ones(n))
        assert ((found.boundaries >= 0) & (found.boundaries <= 1)).all()


@torch.no_grad()
def assert_state_round_trip(head: Head, fresh: Head) -> None:
    """Hold that a fresh head given the state of another one says the same."""
    features, targets = toy_recording()
    fresh.load_state_dict(head.state_dict())
    a, b = head.eval(), fresh.eval()
    assert torch.equal(a.predict(features).probabilities, b.predict(features).probabilities)
    assert torch.equal(a.predict(features).boundaries, b.predict(features).boundaries)
    assert torch.equal(a.loss(features, targets), b.loss(features, targets))


def frames_seen(output: Tensor, features: Tensor) -> list[int]:
    """Return the frames that one number hangs on, by its gradient."""
    (gradient,) = torch.autograd.grad(output, features)
    return torch.nonzero(gradient.abs().sum(dim=1)).flatten().tolist()
