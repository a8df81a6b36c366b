# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The layer says what torch's own layer says of the same weights."""

import numpy as np
import pytest
import torch
from torch import nn

from m2r2_ros.discovery.laps.transformer import EncoderLayer, causal, layer_shapes


@pytest.mark.parametrize('norm_first', [True, False])
@pytest.mark.parametrize(('width', 'heads', 'forward', 'steps'), [(16, 2, 64, 1), (96, 8, 33, 40)])
def test_it_computes_what_torch_does(
    norm_first: bool, width: int, heads: int, forward: int, steps: int
) -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(
        width, heads, forward, batch_first=True, norm_first=norm_first
    ).eval()
    for parameter in layer.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape)  # biases begin at zero
    weights = {name: p.detach().numpy() for name, p in layer.named_parameters()}
    assert {name: w.shape for name, w in weights.items()} == layer_shapes(width, forward)
    assert list(weights) == list(layer_shapes(width, forward))
    own = EncoderLayer(weights, heads, norm_first=norm_first)
    x = torch.randn(steps, width)
    ahead = torch.ones(steps, steps, dtype=torch.bool).triu(1)
    given = x.numpy().copy()
    with torch.inference_mode():
        for mask, expected in (
            (None, layer(x[None])[0]),
            (causal(steps), layer(x[None], src_mask=ahead)[0]),
        ):
            found = own(given, mask)
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-5)
    assert np.array_equal(given, x.numpy())
