# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Local attention is that of a plain loop over frames, whatever the length and the block."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2r2_ros.network.heads.local_attention import local_attention, windows
from test.network.heads.toy import frames_seen


def around(t: int, frames: int, block: int) -> list[int]:
    """Return the frames that frame t sees."""
    first = t // block * block - block // 2
    return [s for s in range(first, first + 2 * block - 1) if 0 <= s < frames]


def plain(query: Tensor, key: Tensor, value: Tensor, block: int) -> Tensor:
    maps, frames = query.shape
    columns = []
    for t in range(frames):
        near = around(t, frames, block)
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
    frames=st.sampled_from([1, 2, 3, 7, 31, 32, 33, 70]),
    block=st.sampled_from([1, 2, 3, 4, 8, 32, 33, 256]),
)
def test_it_is_that_of_a_plain_loop(seed: int, frames: int, block: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    query, key = (3 * torch.randn(4, frames, generator=generator) for _ in range(2))
    value = torch.randn(3, frames, generator=generator)
    found = local_attention(query, key, value, windows(query.t(), block))
    assert found.shape == (3, frames)
    torch.testing.assert_close(found, plain(query, key, value, block), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ('block', 'seen'),
    [(1, [70]), (2, [69, 70, 71]), (3, list(range(68, 73))), (16, list(range(56, 87)))],
)
def test_a_frame_sees_what_its_block_sees(block: int, seen: list[int]) -> None:
    x = torch.randn(100, 3, requires_grad=True)
    out = local_attention(x.t().detach(), x.t().detach(), x.t(), windows(x, block))
    assert frames_seen(out[:, 70].sum(), x) == seen


def test_gradients_are_finite_and_those_of_a_plain_loop() -> None:
    query, key, value = inputs = [torch.randn(3, 70, requires_grad=True) for _ in range(3)]
    for block in (1, 4, 256):
        quick = torch.autograd.grad(
            local_attention(query, key, value, windows(query.t(), block)).square().sum(), inputs
        )
        hidden = torch.ones(70, 70, dtype=torch.bool)
        for t in range(70):
            hidden[t, around(t, 70, block)] = False
        scores = (query.t() @ key / math.sqrt(3)).masked_fill(hidden, -math.inf)
        whole = value @ scores.softmax(dim=1).t()
        for a, b in zip(quick, torch.autograd.grad(whole.square().sum(), inputs), strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
