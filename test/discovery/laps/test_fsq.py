# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import itertools

import pytest
import torch

from m2r2_ros.discovery.laps.fsq import ScalarQuantiser


@pytest.mark.parametrize('levels', [(8, 8, 6, 5), (2, 3), (7,), (2,)])
def test_each_code_stands_for_one_point_and_back(levels: tuple[int, ...]) -> None:
    quantiser = ScalarQuantiser(levels)
    codes = torch.arange(quantiser.size)
    points = quantiser.points(codes)
    assert torch.equal(quantiser.codes(points), codes)
    assert len(torch.unique(points, dim=0)) == quantiser.size
    assert points.min() >= -1 and points.max() <= 1


@pytest.mark.parametrize('levels', [(8, 8, 6, 5), (2, 3)])
def test_inputs_reach_every_level_and_no_other(levels: tuple[int, ...]) -> None:
    quantiser = ScalarQuantiser(levels)
    grid = torch.linspace(-30, 30, 6001)[:, None].expand(-1, len(levels))
    quantised = quantiser(grid)
    assert [len(torch.unique(quantised[:, k])) for k in range(len(levels))] == list(levels)
    codes = quantiser.codes(quantised)
    assert codes.min() == 0 and codes.max() == quantiser.size - 1
    assert torch.equal(quantiser.points(codes), quantised)


def test_noise_about_zero_flips_no_level() -> None:
    quantiser = ScalarQuantiser((8, 8, 6, 5))
    near = [quantiser(torch.tensor([s])) for s in itertools.product((-0.05, 0.05), repeat=4)]
    assert all(torch.equal(n, torch.zeros(1, 4)) for n in near)


def test_gradients_pass_the_rounding() -> None:
    z = torch.tensor([[0.3, -0.2]], requires_grad=True)
    ScalarQuantiser((5, 8))(z).sum().backward()
    assert z.grad is not None and bool((z.grad > 0.1).all())
