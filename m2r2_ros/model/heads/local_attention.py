# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention of every frame to the frames around it, in time and memory linear in N."""

import torch
from torch import Tensor
from torch.nn.functional import pad

#: Queries that are answered by one matrix product.
BLOCK = 64


def visible(frames: int, window: int) -> Tensor:
    """Return which keys each query may see.

    Returns:
        bool (blocks, BLOCK, BLOCK + window - 1): the block's keys begin window // 2 frames before
        its first query.
    """
    block = torch.arange(-(-frames // BLOCK)).view(-1, 1, 1)
    query = torch.arange(BLOCK).view(-1, 1)
    key = torch.arange(BLOCK + window - 1)
    frame = BLOCK * block + key - window // 2
    return (key >= query) & (key < query + window) & (frame >= 0) & (frame < frames)


def local_attention(query: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
    """Return the scaled dot-product attention of frame t to t - w // 2 .. t - w // 2 + w - 1.

    Args:
        query: float32 (d, N).
        key: float32 (d, N).
        value: float32 (d_v, N).
        window: Frames that a frame sees, w; those beyond the recording are left out.

    Returns:
        float32 (d_v, N).
    """
    maps, frames = query.shape
    window = min(window, 2 * frames)  # the widest that makes a difference
    seen = visible(frames, window).to(query.device)
    blocks, _, span = seen.shape
    back, spare = window // 2, blocks * BLOCK - frames
    around = (back, spare + window - 1 - back)
    queries = pad(query, (0, spare)).view(maps, blocks, BLOCK).permute(1, 2, 0)
    keys, values = (pad(x, around).unfold(1, span, BLOCK).transpose(0, 1) for x in (key, value))
    # A finite number: a query beyond the recording may see nothing at all, and must not be NaN.
    hidden = torch.finfo(query.dtype).min
    scores = (queries @ keys / maps**0.5).masked_fill(~seen, hidden)
    answers: Tensor = scores.softmax(dim=2) @ values.transpose(1, 2)
    return answers.flatten(0, 1)[:frames].t()
