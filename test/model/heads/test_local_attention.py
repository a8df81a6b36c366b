# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Local attention is that of a plain loop over frames, whatever the length and the window."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2r2_ros.model.heads.local_attention import BLOCK, local_attention
from test.model.heads.toy import frames_seen


def plain(query: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
    maps, frames = query.shape
    columns = []
    for t in range(frames):
        first = t - window // 2
        near = [s for s in range(first, first + window) if 0 <= s < frames]
        scores = [float(query[:, t] @ key[:, s]) / math.sqrt(maps) for s in near]
        shares = [math.exp(x - max(scores)) for x in scores]
        total = sum(shares)
        columns.append(
            torch.stack([w / total * value[:, s] for w, s in zip(shares, near, strict=True)]).sum(0)
        )
    return torch.stack(columns, dim=1)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**31),
    frames=st.sampled_from([1, 2, 7, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5]),
    window=st.sampled_from([1, 2, 3, 4, 8, 32, 33, 256, 1024]),
)
def test_it_is_that_of_a_plain_loop(seed: int, frames: int, window: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    query, key = (3 * torch.randn(4, frames, generator=generator) for _ in range(2))
    value = torch.randn(3, frames, generator=generator)
    found = local_attention(query, key, value, window)
    assert found.shape == (3, frames)
    torch.testing.assert_close(found, plain(query, key, value, window), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ('window', 'seen'),
    [(1, [70]), (2, [69, 70]), (3, [69, 70, 71]), (4, [68, 69, 70, 71]), (16, list(range(62, 78)))],
)
def test_a_frame_sees_its_window(window: int, seen: list[int]) -> None:
    x = torch.randn(100, 3, requires_grad=True)
    out = local_attention(x.t().detach(), x.t().detach(), x.t(), window)
    assert frames_seen(out[:, 70].sum(), x) == seen


def test_gradients_are_finite_and_those_of_a_plain_loop() -> None:
    query, key, value = inputs = [torch.randn(3, BLOCK + 6, requires_grad=True) for _ in range(3)]
    for window in (1, 4, 256):
        quick = torch.autograd.grad(
            local_attention(query, key, value, window).square().sum(), inputs
        )
        t = torch.arange(BLOCK + 6)
        offset = t.unsqueeze(0) - t.unsqueeze(1) + window // 2
        scores = query.t() @ key / math.sqrt(3)
        scores = scores.masked_fill((offset < 0) | (offset >= window), -math.inf)
        whole = value @ scores.softmax(dim=1).t()
        for a, b in zip(quick, torch.autograd.grad(whole.square().sum(), inputs), strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
