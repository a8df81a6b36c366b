# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention of the frames of a block to those around it, in time and memory linear in N."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Windows:
    """Blocks of frames and what they see, the same for all layers with blocks of one length.

    Attributes:
        own: The frames of each block, int64 (blocks, w).
        near: Those that they see, int64 (blocks, 2 w - 1).
        outside: Which of these are not frames of the recording, bool.
        frame: All frames, int64 (N,).
    """

    own: Tensor
    near: Tensor
    outside: Tensor
    frame: Tensor


def windows(x: Tensor, block: int) -> Windows:
    """Return the blocks of a recording.

    Lengths are tensors here, so that a graph that is traced once counts anew.

    Args:
        x: One row for each of the N frames.
        block: Frames of a block, w. A shorter recording is one block, and sees all of itself.
    """
    frame = torch.arange(x.shape[0])
    frames = torch.as_tensor(x.shape[0])
    width = torch.minimum(frames, torch.tensor(block))
    first = width * _count((frames + width - 1) // width).unsqueeze(1)
    place = first + _count(2 * width - 1)
    near = place - width // 2
    last = frames - 1
    return Windows(
        torch.minimum(first + _count(width), last).to(x.device),
        torch.minimum(near.clamp(min=0), last).to(x.device),
        ((near < 0) | (near > last)).unsqueeze(1).to(x.device),
        frame.to(x.device),
    )


def local_attention(query: Tensor, key: Tensor, value: Tensor, around: Windows) -> Tensor:
    """Return the scaled dot-product attention of blocks of frames to the frames around them.

    The frames of a block, b to b + w - 1, all see b - w // 2 to b - w // 2 + 2 w - 2, as far as the
    recording goes.

    Args:
        query: float32 (d, N).
        key: float32 (d, N).
        value: float32 (d_v, N).
        around: The blocks of the recording.

    Returns:
        float32 (d_v, N).
    """
    scale = int(query.shape[0]) ** -0.5
    queries, values = query.t()[around.own], value.t()[around.near]
    keys = key[:, around.near].transpose(0, 1)
    scores = (queries @ keys * scale).masked_fill(around.outside, -torch.inf)
    answers: Tensor = scores.softmax(dim=2) @ values
    return answers.flatten(0, 1)[around.frame].t()


def _count(length: Tensor) -> Tensor:
    """Return 0, 1, ... up to a length that is a tensor."""
    return torch.arange(cast(int, length))
