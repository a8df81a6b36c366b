# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Losses and masks of DiffAct, by plain loops over hand-made numbers."""

from math import exp, log

import pytest
import torch

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.network.heads.diffact_losses import (
    change_loss,
    condition_mask,
    hard_labels,
    smoothed_boundaries,
    soft_classification_loss,
    soft_labels,
)

TARGETS = torch.tensor([0, 0, 0, 2, 2, UNKNOWN, 1, 1])


def test_hard_labels_are_one_hot_where_there_is_a_label() -> None:
    labels = hard_labels(TARGETS, 3)
    assert labels.sum(dim=1).tolist() == [1, 1, 1, 1, 1, 0, 1, 1]
    assert labels.argmax(dim=1)[TARGETS >= 0].tolist() == [0, 0, 0, 2, 2, 1, 1]


def mirrored(i: int) -> int:
    """Return the frame that stands for frame i: 1 0 | 0 1 ... 6 7 | 7 6."""
    return -1 - i if i < 0 else 15 - i if i > 7 else i


@pytest.mark.parametrize('sigma', [0.6, 1.0, 1.5])
def test_soft_labels_by_a_plain_loop(sigma: float) -> None:
    reach = round(4 * sigma)
    weights = {d: exp(-0.5 * (d / sigma) ** 2) for d in range(-reach, reach + 1)}
    soft = soft_labels(TARGETS, 3, sigma)
    for i in range(8):
        for c in range(3):
            near = [w for d, w in weights.items() if TARGETS[mirrored(i + d)] == c]
            assert float(soft[i, c]) == pytest.approx(sum(near) / sum(weights.values()), abs=1e-6)


def test_soft_labels_of_no_width_are_hard() -> None:
    assert torch.equal(soft_labels(TARGETS, 3, 0.0), hard_labels(TARGETS, 3))


def test_soft_classification_loss_by_a_plain_loop() -> None:
    logits, soft = torch.randn(8, 3), soft_labels(TARGETS, 3, 1.0)
    known = TARGETS != UNKNOWN
    p = logits.softmax(dim=1)
    each = [
        -sum(float(soft[i, c]) * log(float(p[i, c])) for c in range(3))
        for i in range(8)
        if known[i]
    ]
    loss = soft_classification_loss(logits, soft, known)
    assert float(loss) == pytest.approx(sum(each) / 7, rel=1e-5)
    assert float(soft_classification_loss(logits, soft, torch.zeros(8).bool())) == 0.0


def test_change_loss_by_a_plain_loop() -> None:
    logits, known = torch.randn(8, 3), TARGETS != UNKNOWN
    boundaries = smoothed_boundaries(TARGETS, 1.0)
    p = logits.softmax(dim=1)
    each = []
    for i in range(1, 8):
        change = 1 - sum(float(p[i, c]) * float(p[i - 1, c]) for c in range(3))
        b = float(boundaries[i])
        if known[i]:
            each.append(-b * log(change) - (1 - b) * log(1 - change))
    loss = change_loss(logits, boundaries, known)
    assert float(loss) == pytest.approx(sum(each) / 6, rel=1e-4)


def test_change_loss_is_low_where_labels_change_at_boundaries() -> None:
    known, boundaries = torch.ones(6).bool(), torch.tensor([0.0, 0, 0, 1, 0, 0])
    right = 9 * hard_labels(torch.tensor([0, 0, 0, 1, 1, 1]), 2)
    late = 9 * hard_labels(torch.tensor([0, 0, 0, 0, 1, 1]), 2)
    assert change_loss(right, boundaries, known) < 0.01 < 1 < change_loss(late, boundaries, known)
    assert float(change_loss(right[:1], boundaries[:1], known[:1])) == 0.0


def test_change_loss_moves_the_later_frame_alone() -> None:
    logits = torch.randn(3, 2, requires_grad=True)
    change_loss(logits, torch.ones(3), torch.tensor([True, False, True])).backward()
    assert logits.grad is not None
    assert (logits.grad.abs().sum(dim=1) > 0).tolist() == [False, False, True]


def test_sharp_boundaries_are_on_both_sides() -> None:
    assert smoothed_boundaries(TARGETS, 0.0).tolist() == [0, 0, 1, 1, 0, 1, 1, 0]
    assert smoothed_boundaries(TARGETS[:1], 1.0).tolist() == [0]


def test_smoothed_boundaries_by_a_plain_loop() -> None:
    sharp = smoothed_boundaries(TARGETS, 0.0)
    weights = {d: exp(-0.5 * (d / 0.6) ** 2) for d in range(-2, 3)}
    for i, found in enumerate(smoothed_boundaries(TARGETS, 0.6).tolist()):
        near = sum(w * float(sharp[mirrored(i + d)]) for d, w in weights.items())
        assert found == pytest.approx(min(near / (1 + exp(-0.5 / 0.36)), 1), abs=1e-6)


def test_masks() -> None:
    boundaries = smoothed_boundaries(TARGETS, 1.0)
    assert condition_mask('full', TARGETS, boundaries).tolist() == [True] * 8
    assert condition_mask('zero', TARGETS, boundaries).tolist() == [False] * 8
    shown = condition_mask('boundary', TARGETS, boundaries).tolist()
    # The frame before a boundary's two has 0.46; between two boundaries, and at an end, more.
    assert shown == [True, True, False, False, False, False, False, False]


def test_segment_mask_hides_all_of_one_or_two_labels() -> None:
    torch.manual_seed(0)
    hidden = set()
    for _ in range(40):
        shown = condition_mask('segment', TARGETS, torch.zeros(8))
        labels = frozenset(TARGETS[~shown].tolist())
        hidden.add(labels)
        assert TARGETS[shown].unique().tolist() == sorted({-1, 0, 1, 2} - labels)
    assert hidden == {frozenset({a, b}) for a in range(3) for b in range(3)}
    nothing = torch.full((3,), UNKNOWN)
    assert condition_mask('segment', nothing, torch.zeros(3)).all()
