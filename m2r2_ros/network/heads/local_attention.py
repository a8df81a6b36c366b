# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention of the frames of a block to those around it, in time and memory linear in N."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def visible(frames: int, block: int) -> Tensor:
    """Return which of the keys around each block are frames of the recording.

    Returns:
        bool (blocks, 2 * block - 1): the first key lies block // 2 frames before the block.
    """
    first = block * torch.arange(-(-frames // block)).unsqueeze(1) - block // 2
    frame = first + torch.arange(2 * block - 1)
    return (frame >= 0) & (frame < frames)


def local_attention(query: Tensor, key: Tensor, value: Tensor, block: int) -> Tensor:
    """Return the scaled dot-product attention of blocks of frames to the frames around them.

    The frames of a block, b to b + w - 1, all see b - w // 2 to b - w // 2 + 2 w - 2, as far as the
    recording goes.

    Args:
        query: float32 (d, N).
        key: float32 (d, N).
        value: float32 (d_v, N).
        block: Frames of a block, w.

    Returns:
        float32 (d_v, N).
    """
    maps, frames = query.shape
    block = min(block, frames)  # the recording is one block then, and sees all of itself
    seen = visible(frames, block).to(query.device)
    blocks, span = seen.shape
    back, spare = block // 2, blocks * block - frames
    around = (back, spare + block - 1 - back)
    queries = pad(query, (0, spare)).view(maps, blocks, block).permute(1, 2, 0)
    keys, values = (pad(x, around).unfold(1, span, block).transpose(0, 1) for x in (key, value))
    scores = (queries @ keys / maps**0.5).masked_fill(~seen.unsqueeze(1), -torch.inf)
    answers: Tensor = scores.softmax(dim=2) @ values.transpose(1, 2)
    return answers.flatten(0, 1)[:frames].t()
