# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Dilated layers: every tap by hand, which frames are seen, and dropout's share and scale."""

import pytest
import torch

from m2r2_ros.network.heads.dilated import DilatedLayer, DilatedStack, DilatedStage, Dropout
from test.network.heads.toy import frames_seen


@pytest.mark.parametrize('dilation', [1, 2, 4, 16])
def test_a_layer_is_three_taps_and_a_residual(dilation: int) -> None:
    torch.manual_seed(dilation)
    layer = DilatedLayer(3, dilation, 0.5).eval()
    n, x = 9, torch.randn(3, 9)
    taps, mix = layer.taps.bias, layer.mix.bias
    assert taps is not None
    assert mix is not None
    expected = x.clone()
    with torch.no_grad():
        for t in range(n):
            hidden = taps.clone()
            for k in range(3):
                source = t + (k - 1) * dilation
                if 0 <= source < n:
                    hidden += layer.taps.weight[:, :, k] @ x[:, source]
            expected[:, t] += layer.mix.weight[:, :, 0] @ hidden.relu() + mix
        torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize(('layers', 'reach'), [(1, 1), (2, 3), (3, 7), (5, 31)])
def test_a_stack_sees_as_far_back_as_ahead(layers: int, reach: int) -> None:
    torch.manual_seed(0)
    stack = DilatedStack(2, 32, layers, 0.0)
    features = torch.randn(101, 2, requires_grad=True)
    seen = frames_seen(stack(features.t())[:, 50].sum(), features)
    assert seen == list(range(50 - reach, 50 + reach + 1))


def test_a_stage_is_a_stack_between_products() -> None:
    stage = DilatedStage(5, 3, width=8, layers=2, dropout=0.0)
    state, x = stage.state_dict(), torch.randn(5, 11)
    y = state['0.0.weight'] @ x + state['0.0.bias'][:, None]
    for name, layer in list(stage.named_modules()):
        if name in ('0.1', '0.2'):
            y = layer(y)
    torch.testing.assert_close(stage(x), state['1.weight'] @ y + state['1.bias'][:, None])


@pytest.mark.parametrize('p', [0.0, 0.2, 0.5, 0.9])
def test_dropout_zeroes_its_share_and_keeps_the_mean(p: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(1000, 100, requires_grad=True)
    y = Dropout(p)(x)
    assert torch.unique(y).tolist() == pytest.approx([1.0] if p == 0 else [0.0, 1 / (1 - p)])
    assert float((y == 0).float().mean()) == pytest.approx(p, abs=0.01)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(gradient, y.detach())


def test_dropout_rests_in_evaluation() -> None:
    x = torch.randn(4, 5)
    assert torch.equal(Dropout(0.5).eval()(x), x)
