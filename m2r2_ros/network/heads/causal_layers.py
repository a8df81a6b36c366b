# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The layers of MS-TCN (CVPR 2019) made causal: each output from its own and earlier frames."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class CausalLayer(nn.Module):
    """A dilated residual layer of MS-TCN whose three taps are t, t - d and t - 2d."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        """Make a layer with `width` feature maps."""
        super().__init__()
        self.dilation = dilation
        self.taps = nn.Linear(3 * width, width)
        self.mix = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, N, width) and the past (B, 2d, width) to the output and the new past."""
        n, d = x.shape[1], self.dilation
        whole = torch.cat([past, x], dim=1)
        taps = torch.cat([whole[:, k * d : k * d + n] for k in range(3)], dim=-1)
        y = x + self.dropout(self.mix(torch.relu(self.taps(taps))))
        return y, whole[:, n:]


class Stage(nn.Module):
    """One stage: 1x1 in, dilated layers, 1x1 out."""

    def __init__(self, inputs: int, width: int, layers: int, outputs: int, dropout: float) -> None:
        """Make a stage; the dilation of layer k is 2 ** k."""
        super().__init__()
        self.enter = nn.Linear(inputs, width)
        self.layers = nn.ModuleList(CausalLayer(width, 2**k, dropout) for k in range(layers))
        self.leave = nn.Linear(width, outputs)

    def forward(self, x: Tensor, pasts: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Map (B, N, inputs) to (B, N, outputs) and the layers' new pasts."""
        y = self.enter(x)
        kept = []
        for layer, past in zip(self.layers, pasts, strict=True):
            y, new = layer(y, past)
            kept.append(new)
        return self.leave(y), kept
