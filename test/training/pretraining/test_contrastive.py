# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from m2r2_ros.training.pretraining.contrastive import MAX_SCALE, Contrastive, shared_meaning
from m2r2_ros.training.pretraining.prompts import Sentence


def sentences(*labels: tuple[int, ...]) -> list[Sentence]:
    return [Sentence(f'text {k}', own) for k, own in enumerate(labels)]


def by_hand(windows: np.ndarray, texts: np.ndarray, meanings: Sequence[tuple[int, ...]]) -> float:
    """Sum up the divergence pair by pair."""
    n = len(windows)

    def alike(i: int, j: int) -> float:
        lengths = np.linalg.norm(windows[i]) * np.linalg.norm(texts[j])
        return float(windows[i] @ texts[j] / lengths / 0.07)

    total = 0.0
    for i in range(n):
        q = [float(meanings[i] == meanings[j]) for j in range(n)]
        q = [x / sum(q) for x in q]
        row = sum(math.exp(alike(i, j)) for j in range(n))
        column = sum(math.exp(alike(j, i)) for j in range(n))
        for j in range(n):
            if q[j] > 0:
                total += q[j] * (math.log(q[j]) - math.log(math.exp(alike(i, j)) / row)) / 2
                total += q[j] * (math.log(q[j]) - math.log(math.exp(alike(j, i)) / column)) / 2
    return total / n


def test_the_loss_is_that_of_a_double_loop() -> None:
    meanings = [(0, 1, 2), (1, 0, 2), (0, 1, 2), (2, 2, 2)]
    rng = np.random.default_rng(0)
    windows, texts = rng.normal(size=(2, 4, 5))
    loss = Contrastive()(
        torch.tensor(windows, dtype=torch.float32),
        torch.tensor(texts, dtype=torch.float32),
        shared_meaning(sentences(*meanings)),
    )
    assert float(loss.detach()) == pytest.approx(by_hand(windows, texts, meanings), rel=1e-4)


def test_both_directions_count_alike() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(2, 6, 8)
    target = shared_meaning(sentences(*((k % 4, 0, 0) for k in range(6))))
    loss = Contrastive()
    assert torch.allclose(loss(a, b, target), loss(b, a, target))


def test_rows_share_their_mass_among_those_of_the_same_order() -> None:
    target = shared_meaning(sentences((0, 1, 2), (2, 1, 0), (0, 1, 2)))
    assert target.tolist() == [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]


def test_equal_sequences_are_no_negatives() -> None:
    """Where they are embedded alike, nothing is left to learn; elsewhere there is."""
    e = torch.eye(3)[[0, 1, 0]]
    loss = Contrastive()
    same = loss(e, e, shared_meaning(sentences((0, 1, 2), (2, 1, 0), (0, 1, 2))))
    different = loss(e, e, shared_meaning(sentences((0, 1, 2), (2, 1, 0), (1, 1, 1))))
    assert float(same.detach()) == pytest.approx(0.0, abs=1e-4)
    assert float(different.detach()) > 0.3


def test_length_does_not_matter_and_the_scale_does() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(2, 4, 8)
    target = shared_meaning(sentences((0,), (1,), (2,), (3,)))
    loss = Contrastive()
    first = loss(a, b, target)
    assert torch.allclose(first, loss(3 * a, 0.1 * b, target), atol=1e-5)
    first.backward()
    assert loss.log_scale.grad is not None
    assert float(loss.log_scale.grad.abs()) > 0


def test_the_scale_is_bounded_and_learns_at_its_bound() -> None:
    loss = Contrastive()
    assert float(loss.log_scale.detach().exp()) == pytest.approx(1 / 0.07)
    with torch.no_grad():
        loss.log_scale.fill_(9.0)
    a, b = torch.randn(2, 4, 8)
    target = shared_meaning(sentences((0,), (1,), (2,), (3,)))
    loss.keep_in_bounds()
    assert float(loss.log_scale.detach().exp()) == pytest.approx(MAX_SCALE)
    at = loss(a, b, target)
    at.backward()
    assert loss.log_scale.grad is not None
    assert float(loss.log_scale.grad.abs()) > 0
