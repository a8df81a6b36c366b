# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stage of dilated convolutions that MS-TCN and ASRF are made of, looking both ways."""

from typing import Final

import torch
from torch import Tensor, nn

#: Added to variances.
EPSILON: Final = 1e-5


class Pointwise(nn.Linear):
    """A 1x1 convolution as a matrix product: conv1d is slow on a view of transposed features."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (inputs, N) to (outputs, N)."""
        return torch.addmm(self.bias.unsqueeze(1), self.weight, x)


class Dropout(nn.Dropout):
    """Dropout from uniform numbers, which torch draws faster than those of its own dropout."""

    def forward(self, x: Tensor) -> Tensor:
        """Zero a share p of the numbers and scale up the others, in training only."""
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= self.p).to(x.dtype).div_(1 - self.p)


def standardised(x: Tensor) -> Tensor:
    """Return x with mean 0 and variance 1 of each map over the recording, (..., N).

    Instance normalisation without parameters, for N = 1 too. PyTorch's own either refuse that or,
    as `layer_norm`, are exported with the length that they were traced with.
    """
    centred = x - x.mean(dim=-1, keepdim=True)
    spread = centred.square().mean(dim=-1, keepdim=True) + EPSILON
    return centred / spread.sqrt()


class DilatedLayer(nn.Module):
    """A residual layer whose three taps are t - d, t and t + d (MS-TCN, section 3.1)."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        """Make a layer with `width` feature maps; zeros lie before and after the recording."""
        super().__init__()
        self.taps = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (width, N), or a batch of that, to the same shape."""
        y: Tensor = x + self.dropout(self.mix(torch.relu(self.taps(x))))
        return y


class DilatedStack(nn.Sequential):
    """1x1 in, then layers whose dilation doubles from 1: (inputs, N) to (width, N)."""

    def __init__(self, inputs: int, width: int, layers: int, dropout: float) -> None:
        """Make a stack; its outputs look 2 ** layers - 1 frames back and ahead."""
        super().__init__(
            Pointwise(inputs, width),
            *(DilatedLayer(width, 2**k, dropout) for k in range(layers)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (inputs, N) to (width, N)."""
        enter, *layers = self
        y: Tensor = enter(x).unsqueeze(0)  # as a batch: without, each convolution makes one of it
        for layer in layers:
            y = layer(y)
        return y.squeeze(0)


class DilatedStage(nn.Sequential):
    """A single-stage TCN: a stack and 1x1 out, (inputs, N) to (outputs, N)."""

    def __init__(self, inputs: int, outputs: int, width: int, layers: int, dropout: float) -> None:
        """Make a stage."""
        super().__init__(DilatedStack(inputs, width, layers, dropout), Pointwise(width, outputs))
