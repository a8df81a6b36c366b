# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MS-TCN: its size, its loss by plain loops, and what it sees."""

import math

import pytest
import torch

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import MSTCNConfig
from m2r2_ros.network.heads.ms_tcn import MSTCN
from test.network.heads.toy import (
    CLASSES,
    WIDTH,
    frames_seen,
)

SMALL = MSTCNConfig(stages=2, layers=3, width=16)


def make_head(config: MSTCNConfig = SMALL) -> MSTCN:
    torch.manual_seed(0)
    return MSTCN(config, WIDTH, CLASSES)


def test_it_has_the_published_size() -> None:
    layer = 64 * 64 * 3 + 64 + 64 * 64 + 64
    stage = 10 * layer + 69 * 64 + 69
    expected = (512 * 64 + 64 + stage) + 3 * (69 * 64 + 64 + stage)
    assert expected == 724_692
    assert sum(p.numel() for p in MSTCN(MSTCNConfig(), 512, 69).parameters()) == expected


def test_later_stages_see_probabilities_of_the_one_before() -> None:
    head = make_head(MSTCNConfig(stages=3, layers=2, width=8)).eval()
    features = torch.randn(9, WIDTH)
    first, second, third = head(features)
    torch.testing.assert_close(head.stages[0](features.t()).t(), first)
    torch.testing.assert_close(head.stages[1](first.softmax(1).t()).t(), second)
    torch.testing.assert_close(head.stages[2](second.softmax(1).t()).t(), third)


@torch.no_grad()
def test_the_loss_is_the_sum_over_stages() -> None:
    head = make_head(MSTCNConfig(stages=2, layers=2, width=8, smoothing=0.4)).eval()
    for p in head.parameters():
        p.mul_(3)
    features, targets = 5 * torch.randn(6, WIDTH), [0, 1, UNKNOWN, 3, 3, 2]
    expected, truncated = 0.0, 0
    for logits in head(features):
        log_p = [[x - math.log(sum(map(math.exp, row))) for x in row] for row in logits.tolist()]
        known = [-log_p[t][c] for t, c in enumerate(targets) if c != UNKNOWN]
        squares = [(log_p[t][c] - log_p[t - 1][c]) ** 2 for t in range(1, 6) for c in range(4)]
        truncated += sum(x > 16 for x in squares)
        expected += sum(known) / 5 + 0.4 * sum(min(x, 16.0) for x in squares) / 20
    assert truncated, 'the case must reach the truncation'
    assert float(head.loss(features, torch.tensor(targets))) == pytest.approx(expected, rel=1e-4)


def test_it_sees_as_far_as_all_stages_together() -> None:
    head = make_head(MSTCNConfig(stages=2, layers=3, width=32)).eval().double()
    features = torch.randn(61, WIDTH, dtype=torch.float64, requires_grad=True)
    assert frames_seen(head(features)[-1][30].square().sum(), features) == list(range(16, 45))


@torch.no_grad()
def test_it_says_the_last_stage_and_where_it_changes() -> None:
    head = make_head().eval()
    features = torch.randn(8, WIDTH)
    found, p = head.predict(features), head(features)[-1].softmax(1)
    assert torch.equal(found.probabilities, p)
    expected = [0.0, *(1 - float(p[t] @ p[t - 1]) for t in range(1, 8))]
    assert found.boundaries.tolist() == pytest.approx(expected, abs=1e-6)
