# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention to the last w frames and to a memory of all before (after OnlineTAS, NeurIPS 2024)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import torch
from torch import Tensor, nn

#: Attention heads, where the width is a multiple of it, and dropout of attention.
HEADS, DROPOUT = 4, 0.1


@dataclass(frozen=True, slots=True)
class Context:
    """What is remembered for the next frame's features; all tensors are float32 (1, n, width).

    Attributes:
        seen: Frames so far.
        pasts: For each iteration its last w - 1 inputs.
        sensed: The last w frames as the GRU left them.
        enhanced: The last w frames as they were enhanced.
        memory: w rows: one token for each of the latest clips, then the newest enhanced frames.
        views: For each iteration the memory after it has attended to the clip before.
    """

    seen: int
    pasts: Sequence[Tensor]
    sensed: Tensor
    enhanced: Tensor
    memory: Tensor
    views: Sequence[Tensor]


class Iteration(nn.Module):
    """Frames attend to their clip, then to the memory; the memory attends to a finished clip."""

    def __init__(self, width: int, window: int) -> None:
        """Make an iteration for clips of `window` frames."""
        super().__init__()
        heads = gcd(width, HEADS)
        self.window = window
        self.norm, self.memory_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_clip = nn.MultiheadAttention(width, heads, DROPOUT, batch_first=True)
        self.to_memory = nn.MultiheadAttention(width, heads, DROPOUT, batch_first=True)
        self.recall = nn.TransformerDecoderLayer(
            width, heads, 2 * width, DROPOUT, batch_first=True, norm_first=True
        )

    def forward(self, x: Tensor, past: Tensor, seen: int, view: Tensor) -> tuple[Tensor, Tensor]:
        """Enhance frames that follow on `past`.

        Args:
            x: float32 (1, n, width).
            past: The w - 1 inputs before, float32 (1, w - 1, width).
            seen: How many frames came before.
            view: The memory as this iteration sees it, float32 (1, w, width).

        Returns:
            float32 (1, n, width), and the new past.
        """
        frames = torch.cat([past, x], dim=1)
        keys = self.norm(frames)
        queries = keys[:, self.window - 1 :]
        hidden = outside(x.shape[1], self.window, seen, x.device)
        found, _ = self.to_clip(queries, keys, keys, attn_mask=hidden, need_weights=False)
        y = x + found
        found, _ = self.to_memory(self.memory_norm(y), view, view, need_weights=False)
        return y + found, frames[:, x.shape[1] :]


def outside(n: int, window: int, seen: int | Tensor, device: torch.device) -> Tensor:
    """Return which keys are not in the clip of `window` frames that ends with a query's frame.

    Args:
        n: Queries; their keys are the window - 1 frames before the first of them, and their own.
        window: w, frames.
        seen: How many frames there were before the first query.
        device: Where the answer goes.

    Returns:
        bool (n, w - 1 + n).
    """
    query = torch.arange(n, device=device).unsqueeze(1) + window - 1
    key = torch.arange(window - 1 + n, device=device).unsqueeze(0)
    return (key > query) | (key <= query - window) | (key < window - 1 - seen)


class Enhancer(nn.Module):
    """I iterations and the memory that they share.

    The memory is renewed when a clip of w frames is complete, every w frames: the clip is collapsed
    to one token by a convolution, the latest 2 w / 3 tokens are kept, and the newest enhanced
    frames fill the rest of its w rows. Before the first clip is complete it is zero.
    """

    def __init__(self, width: int, window: int, iterations: int) -> None:
        """Make an enhancer for clips of `window` frames."""
        super().__init__()
        self.width, self.window, self.limit = width, window, 2 * window // 3
        self.iterations = nn.ModuleList(Iteration(width, window) for _ in range(iterations))
        self.collapse = nn.Conv1d(width, width, window)

    def initial(self) -> Context:
        """Return the context before the first frame."""
        empty = self.collapse.weight.new_zeros(1, self.window, self.width)
        count = len(self.iterations)
        return Context(0, [empty[:, 1:]] * count, empty, empty, empty, [empty] * count)

    def forward(self, sensed: Tensor, context: Context) -> tuple[Tensor, Context]:
        """Enhance frames, float32 (1, N, width) from the GRU, that follow on the context."""
        pieces = []
        rest = sensed
        while rest.shape[1]:
            room = self.window - context.seen % self.window
            piece, context = self._within_clip(rest[:, :room], context)
            pieces.append(piece)
            rest = rest[:, room:]
            if context.seen % self.window == 0:
                context = self._renewed(context)
        return torch.cat(pieces, dim=1), context

    def _within_clip(self, sensed: Tensor, context: Context) -> tuple[Tensor, Context]:
        """Enhance frames of one clip, during which the memory stays as it is."""
        x, pasts = sensed, []
        own = zip(self.iterations, context.pasts, context.views, strict=True)
        for iteration, past, view in own:
            x, past = iteration(x, past, context.seen, view)
            pasts.append(past)
        x = x + sensed
        n = x.shape[1]
        return x, Context(
            context.seen + n,
            pasts,
            torch.cat([context.sensed[:, n:], sensed], dim=1),
            torch.cat([context.enhanced[:, n:], x], dim=1),
            context.memory,
            context.views,
        )

    def _renewed(self, context: Context) -> Context:
        """Return the context after a clip is complete; gradients do not reach back over it."""
        clip, sensed = context.enhanced.detach(), context.sensed.detach()
        tokens = min(context.seen // self.window - 1, self.limit)
        token = self.collapse(clip.transpose(1, 2)).transpose(1, 2)
        latest = torch.cat([context.memory[:, :tokens], token], dim=1)[:, -self.limit :]
        memory = torch.cat([latest, clip[:, latest.shape[1] :]], dim=1)
        views, view = [], memory
        for iteration in self.iterations:
            view = iteration.recall(view, sensed)  # type: ignore[operator]
            views.append(view)
        pasts = [past.detach() for past in context.pasts]
        return Context(context.seen, pasts, sensed, clip, memory, views)
