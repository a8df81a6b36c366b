# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encoder and decoder of DiffAct (ICCV 2023): layers of dilated convolution and local attention.

All sequences are float32 (1, maps, N).
"""

from math import log

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, dropout1d, pad, silu

from m2r2_ros.network.heads.dilated import standardised

#: Layers, counted from the last, whose outputs condition the decoder (5, 7 and 9 of 0 to 9).
LEVELS = (5, 3, 1)
#: Dropout in the decoder's layers.
DECODER_DROPOUT = 0.1


class LocalAttention(nn.Module):
    """Each frame attends to the frames under a dilated kernel: i + (j - kernel // 2) dilation.

    Queries and keys also see the condition; frames outside the recording are left out.
    """

    def __init__(self, width: int, condition: int, kernel: int, dilation: int) -> None:
        """Make attention over `width` maps, under a condition of `condition` maps, maybe 0."""
        super().__init__()
        self.kernel, self.dilation = kernel, dilation
        self.query = nn.Conv1d(width + condition, width, 1)
        # A bias of the keys would shift all scores of a query alike.
        self.key = nn.Conv1d(width + condition, width, 1, bias=False)
        self.value = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map (1, width, N) under the condition (1, condition, N) to (1, width, N)."""
        seen = torch.cat([x, condition], dim=1)
        query, keys = self.query(seen), self._taps(self.key(seen))
        inside = self._taps(torch.ones_like(x[:, :1]))
        scores = torch.stack([(query * key).sum(dim=1) for key in keys])
        scores = scores / query.shape[1] ** 0.5
        outside = torch.stack(inside)[:, :, 0] == 0
        weights = scores.masked_fill(outside, -torch.inf).softmax(dim=0)
        values = self._taps(self.value(x))
        found = torch.stack([w.unsqueeze(1) * v for w, v in zip(weights, values, strict=True)])
        return found.sum(dim=0)

    def _taps(self, x: Tensor) -> list[Tensor]:
        """Return what each tap of the kernel sees, zero outside the recording."""
        n = x.shape[2]
        padded = around(x, self.kernel, self.dilation)
        return [padded[:, :, j * self.dilation : j * self.dilation + n] for j in range(self.kernel)]


def around(x: Tensor, kernel: int, dilation: int) -> Tensor:
    """Return x with the zeros that a dilated kernel needs to keep the length."""
    before = kernel // 2 * dilation
    return pad(x, (before, (kernel - 1) * dilation - before))


class MixedLayer(nn.Module):
    """A residual layer: a dilated convolution plus local attention, then two 1x1 convolutions.

    The sum of the first two is normalised, each map over the whole recording, as in the public
    code; ASFormer, which the layer is from, normalises what goes into the attention.
    """

    def __init__(
        self, width: int, condition: int, kernel: int, dilation: int, dropout: float
    ) -> None:
        """Make a layer with `width` maps under a condition of `condition` maps."""
        super().__init__()
        self.kernel, self.dilation = kernel, dilation
        self.taps = nn.Conv1d(width, width, kernel, dilation=dilation)
        self.attend = LocalAttention(width, condition, kernel, dilation)
        self.spread = nn.Conv1d(width, width, 1)
        self.mix = nn.Conv1d(width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map (1, width, N) to the same, under the condition (1, condition, N)."""
        shown = self.dropout(x)
        near = self.taps(around(shown, self.kernel, self.dilation))
        found = near + self.attend(shown, self.dropout(condition))
        y: Tensor = x + self.mix(torch.relu(self.spread(standardised(found))))
        return y


class Encoder(nn.Module):
    """Class logits from features, and the maps of three of its layers, the decoder's condition."""

    def __init__(
        self, inputs: int, width: int, layers: int, kernel: int, classes: int, dropout: float
    ) -> None:
        """Make an encoder; the dilation of layer k is 2 ** k."""
        super().__init__()
        self.dropout = dropout
        self.levels = sorted({max(layers - k, 0) for k in LEVELS})
        self.outputs = width * len(self.levels)
        self.enter = nn.Conv1d(inputs, width, 1)
        self.layers = nn.ModuleList(
            MixedLayer(width, 0, kernel, 2**k, dropout) for k in range(layers)
        )
        self.leave = nn.Conv1d(width, classes, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map (1, D_e, N) to logits (1, C, N) and the condition (1, outputs, N)."""
        x = dropout1d(features, self.dropout, self.training)
        kept = dropout(torch.ones_like(x[:, :1]), self.dropout, self.training)  # whole frames
        x = self.enter(x * kept)
        levels = []
        for k, layer in enumerate(self.layers):
            x = layer(x, x[:, :0])
            if k in self.levels:
                levels.append(x)
        return self.leave(x), torch.cat(levels, dim=1)


class Decoder(nn.Module):
    """Class logits from noisy labels, the step of diffusion and the condition."""

    def __init__(
        self, classes: int, condition: int, width: int, layers: int, kernel: int, time_width: int
    ) -> None:
        """Make a decoder; the dilation of layer k is 2 ** k."""
        super().__init__()
        self.time_width, self.condition = time_width, condition
        self.time = nn.Sequential(
            nn.Linear(time_width, time_width), nn.SiLU(), nn.Linear(time_width, time_width)
        )
        self.time_leave = nn.Linear(time_width, width)
        self.enter = nn.Conv1d(classes, width, 1)
        self.layers = nn.ModuleList(
            MixedLayer(width, condition, kernel, 2**k, DECODER_DROPOUT) for k in range(layers)
        )
        self.leave = nn.Conv1d(width, classes, 1)

    def forward(self, labels: Tensor, step: int, condition: Tensor) -> Tensor:
        """Map noisy labels (1, C, N), 0..1, at a step of diffusion to logits (1, C, N)."""
        shift = self.shift(waves(step, self.time_width).to(labels))
        x = self.enter(labels) + shift.unsqueeze(1)
        for layer in self.layers:
            x = layer(x, condition)
        logits: Tensor = self.leave(x)
        return logits

    def shift(self, time: Tensor) -> Tensor:
        """Map steps of diffusion as `waves`, (..., time_width), to what each adds to the maps."""
        shift: Tensor = self.time_leave(silu(self.time(time)))
        return shift


def waves(step: int, width: int) -> Tensor:
    """Return sines and cosines of the step at wavelengths from 2 pi to 20000 pi, (width,)."""
    phases = step * frequencies(width)
    return torch.cat([phases.sin(), phases.cos()])[:width]


def frequencies(width: int) -> Tensor:
    """Return the angular frequencies of `waves`, the greatest first."""
    half = (width + 1) // 2
    return torch.exp(-log(10_000) * torch.arange(half) / max(half - 1, 1))
