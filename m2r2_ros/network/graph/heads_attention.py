# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention of PyTorch's modules as a few products: their own code asks for shapes all the time."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear


def attend(
    attention: nn.MultiheadAttention, queries: Tensor, keys: Tensor, hidden: Tensor | None = None
) -> Tensor:
    """Return what queries find where keys are values, too.

    Args:
        attention: Its weights, with a bias.
        queries: float32 (N, width).
        keys: float32 (M, width).
        hidden: bool (N, M), the keys that a query does not see.

    Returns:
        float32 (N, width).
    """
    heads, size = attention.num_heads, attention.head_dim
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    width = heads * size
    query = linear(queries, weight[:width], bias[:width]).view(-1, heads, size).transpose(0, 1)
    both = linear(keys, weight[width:], bias[width:]).view(-1, 2, heads, size)
    key, value = both[:, 0].permute(1, 2, 0), both[:, 1].transpose(0, 1)
    scores = query @ key * size**-0.5
    if hidden is not None:
        scores = scores.masked_fill(hidden, -torch.inf)
    found = (scores.softmax(dim=2) @ value).transpose(0, 1).flatten(1)
    answer: Tensor = attention.out_proj(found)
    return answer


def decoded(layer: nn.TransformerDecoderLayer, x: Tensor, memory: Tensor) -> Tensor:
    """Return what a decoder layer that normalises first makes of (N, width) and a memory."""
    own = layer.norm1(x)
    x = x + attend(layer.self_attn, own, own)
    x = x + attend(layer.multihead_attn, layer.norm2(x), memory)
    y: Tensor = x + layer.linear2(torch.relu(layer.linear1(layer.norm3(x))))
    return y
