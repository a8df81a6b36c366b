# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import torch

from m2r2_ros.training.pretraining.fusion import BoundaryRegression, FusionTransformer, action_means
from test.training.trials import MODEL


def fusion(points: int = 5) -> FusionTransformer:
    torch.manual_seed(0)
    return FusionTransformer(MODEL, points, 2).eval()


def test_windows_do_not_look_at_each_other() -> None:
    x = torch.randn(3, 5, MODEL.width)
    y = fusion()(x)
    assert y.shape == x.shape
    x[1, 2] += torch.randn(MODEL.width)
    changed = (fusion()(x) - y).abs().amax(dim=(1, 2)) > 1e-5
    assert changed.tolist() == [False, True, False]


def test_every_point_looks_at_every_other() -> None:
    x = torch.randn(1, 5, MODEL.width)
    y = fusion()(x)
    x[0, 4] += torch.randn(MODEL.width)
    assert ((fusion()(x) - y).abs().amax(dim=2) > 1e-6).all()


def test_places_are_told_apart() -> None:
    """Without them two points of equal features would be one."""
    y = fusion()(torch.ones(1, 5, MODEL.width))
    assert not torch.allclose(y[0, 0], y[0, 1], atol=1e-3)


def test_boundaries_are_points_own() -> None:
    torch.manual_seed(0)
    net = BoundaryRegression(MODEL.width)
    x = torch.randn(2, 5, MODEL.width)
    b = net(x)
    assert b.shape == (2, 5)
    x[0, 3] += 1.0
    assert torch.nonzero(net(x) - b).tolist() == [[0, 3]]


def test_action_means_are_of_the_action_alone() -> None:
    x = torch.arange(10.0).reshape(1, 5, 2).repeat(2, 1, 1)
    places = torch.tensor([[-1, 0, 0, 1, -1], [0, 1, 1, 1, 2]])
    assert action_means(x, places, 0).tolist() == [[3.0, 4.0], [0.0, 1.0]]
    assert action_means(x, places, 2).tolist() == [[0.0, 0.0], [8.0, 9.0]]
