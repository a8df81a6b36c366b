# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.network.losses import (
    boundary_loss,
    boundary_targets,
    classification_loss,
    smoothing_loss,
)

SEEDS = st.integers(0, 2**31)
SIZES = st.tuples(st.integers(2, 12), st.integers(1, 5))


def logits_of(seed: int, size: tuple[int, int], spread: float = 4.0) -> torch.Tensor:
    return spread * torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def log_probabilities(row: list[float]) -> list[float]:
    total = math.log(sum(math.exp(x) for x in row))
    return [x - total for x in row]


@given(seed=SEEDS, size=SIZES, data=st.data())
def test_classification_is_the_mean_over_labelled_frames(
    seed: int, size: tuple[int, int], data: st.DataObject
) -> None:
    logits = logits_of(seed, size)
    label = st.integers(UNKNOWN, size[1] - 1)
    targets = data.draw(st.lists(label, min_size=size[0], max_size=size[0]).filter(any_known))
    rows = [
        -log_probabilities(row)[k]
        for row, k in zip(logits.tolist(), targets, strict=True)
        if k != UNKNOWN
    ]
    found = classification_loss(logits, torch.tensor(targets))
    assert float(found) == pytest.approx(sum(rows) / len(rows), rel=1e-4, abs=1e-5)


def any_known(targets: list[int]) -> bool:
    return any(k != UNKNOWN for k in targets)


def test_frames_without_a_label_pull_nowhere() -> None:
    logits = logits_of(0, (4, 3)).requires_grad_()
    classification_loss(logits, torch.tensor([0, UNKNOWN, 2, UNKNOWN])).backward()
    assert logits.grad is not None
    assert (logits.grad[[1, 3]] == 0).all()
    assert (logits.grad[[0, 2]] != 0).all()


@given(seed=SEEDS, size=SIZES, spread=st.sampled_from([0.1, 1.0, 10.0]))
def test_smoothing_is_the_truncated_mean_of_squares(
    seed: int, size: tuple[int, int], spread: float
) -> None:
    logits = logits_of(seed, size, spread)
    rows = [log_probabilities(row) for row in logits.double().tolist()]
    total = 0.0
    for t in range(1, len(rows)):
        for c in range(size[1]):
            total += min((rows[t][c] - rows[t - 1][c]) ** 2, 16.0)
    expected = total / ((len(rows) - 1) * size[1])
    assert float(smoothing_loss(logits)) == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_smoothing_pulls_the_later_frame_alone() -> None:
    logits = logits_of(1, (2, 3), 1.0).requires_grad_()
    smoothing_loss(logits).backward()
    assert logits.grad is not None
    assert (logits.grad[0] == 0).all()
    assert (logits.grad[1] != 0).any()


def test_smoothing_gives_up_on_jumps() -> None:
    """Differences beyond the truncation are taken for real changes of label."""
    far = torch.tensor([[100.0, 0.0], [0.0, 100.0]], requires_grad=True)
    loss = smoothing_loss(far)
    loss.backward()
    assert loss.item() == 16
    assert far.grad is not None
    assert (far.grad == 0).all()


def test_a_single_frame_has_nothing_to_differ_from() -> None:
    logits = logits_of(2, (1, 3)).requires_grad_()
    loss = smoothing_loss(logits)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def bell(distance: float, sigma: float = 1.0) -> float:
    return math.exp(-0.5 * (distance / sigma) ** 2)


@pytest.mark.parametrize(
    ('targets', 'distances'),
    [
        ([0, 0, 1, 1, 1], [2, 1, 0, 1, 2]),
        ([0, 1, 1, 1, 2, 2], [1, 0, 1, 1, 0, 1]),
        # An unlabelled interval begins nothing; the label after it does, the same one included.
        ([0, 0, UNKNOWN, UNKNOWN, 0], [4, 3, 2, 1, 0]),
        ([UNKNOWN, 1, 1], [1, 0, 1]),
    ],
)
def test_boundaries_are_bells_where_labels_begin(targets: list[int], distances: list[int]) -> None:
    for sigma in (0.5, 1.0, 3.0):
        found = boundary_targets(torch.tensor(targets), sigma)
        torch.testing.assert_close(found, torch.tensor([bell(d, sigma) for d in distances]))


@pytest.mark.parametrize('targets', [[0], [0, 0, 0], [1, UNKNOWN], [UNKNOWN, UNKNOWN]])
def test_without_a_label_that_begins_there_is_no_boundary(targets: list[int]) -> None:
    assert boundary_targets(torch.tensor(targets), 1.0).tolist() == [0.0] * len(targets)


@given(st.lists(st.integers(UNKNOWN, 3), min_size=1, max_size=30))
def test_boundaries_are_the_nearest_bell(targets: list[int]) -> None:
    starts = [
        k for k in range(1, len(targets)) if targets[k] not in (UNKNOWN, targets[k - 1])
    ]  # fmt: skip
    expected = [max((bell(k - s) for s in starts), default=0.0) for k in range(len(targets))]
    torch.testing.assert_close(boundary_targets(torch.tensor(targets), 1.0), torch.tensor(expected))


def test_boundary_loss_is_the_mean_square() -> None:
    logits, smoothed = torch.tensor([-3.0, 0.0, 2.0]), torch.tensor([0.0, 1.0, 0.5])
    expected = sum(
        (1 / (1 + math.exp(-x)) - y) ** 2
        for x, y in zip(logits.tolist(), smoothed.tolist(), strict=True)
    )
    assert float(boundary_loss(logits, smoothed)) == pytest.approx(expected / 3)
