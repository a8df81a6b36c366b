# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ASFormer (Yi et al., BMVC 2021), offline."""

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from m2r2_ros.model.head_config import ASFormerConfig
from m2r2_ros.network.heads.base import Head, HeadOutput, Recipe, change_scores
from m2r2_ros.network.heads.dilated import Dropout, Pointwise, standardised
from m2r2_ros.network.heads.local_attention import Windows, local_attention, windows
from m2r2_ros.network.losses import classification_loss, smoothing_loss

DROPOUT = 0.5


class Attention(nn.Module):
    """Local attention of blocks of frames, with queries, keys and values of fewer maps."""

    def __init__(self, width: int, reduction: int) -> None:
        """Make an attention from `width` feature maps to as many."""
        super().__init__()
        inner = max(width // reduction, 1)
        self.query = Pointwise(width, inner)
        self.key = Pointwise(width, inner)
        self.value = Pointwise(width, inner)
        self.leave = Pointwise(inner, width)

    def forward(self, x: Tensor, source: Tensor, around: Windows) -> Tensor:
        """Attend within x and answer with values of the source, both (width, N), in their shape."""
        found = local_attention(self.query(x), self.key(x), self.value(source), around)
        y: Tensor = self.leave(found.relu())
        return y


class Block(nn.Module):
    """A dilated convolution, then attention of blocks as long as its dilation (section 3.2)."""

    def __init__(self, width: int, reduction: int, dilation: int, alpha: float) -> None:
        """Make a block whose attention is weighted by `alpha`."""
        super().__init__()
        self.alpha = alpha
        self.taps = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.attention = Attention(width, reduction)
        self.mix = nn.Conv1d(width, width, 1)
        self.dropout = Dropout(DROPOUT)

    def forward(self, x: Tensor, source: Tensor | None, around: Windows) -> Tensor:
        """Map (width, N) to the same shape; values come from the source, if any (section 3.3)."""
        y = torch.relu(self.taps(x))
        even = standardised(y)
        y = y + self.alpha * self.attention(even, even if source is None else source, around)
        out: Tensor = x + self.dropout(self.mix(y))
        return out


class Coder(nn.Module):
    """An encoder or decoder: 1x1 in, blocks whose dilation doubles from 1, 1x1 out."""

    def __init__(self, inputs: int, classes: int, config: ASFormerConfig, alpha: float) -> None:
        """Make a coder for `inputs` channels."""
        super().__init__()
        self.enter = Pointwise(inputs, config.width)
        self.blocks = nn.ModuleList(
            Block(config.width, config.reduction, 2**k, alpha) for k in range(config.layers)
        )
        self.leave = Pointwise(config.width, classes)

    def forward(
        self, x: Tensor, source: Tensor | None, around: Sequence[Windows]
    ) -> tuple[Tensor, Tensor]:
        """Map (inputs, N) to logits (C, N) and to features (width, N) for the next decoder.

        Args:
            x: float32 (inputs, N).
            source: Features that values come from, float32 (width, N); None for its own.
            around: What the frames of each layer's blocks see.
        """
        y = self.enter(x)
        for block, near in zip(self.blocks, around, strict=True):
            y = block(y, source, near)
        return self.leave(y), y


class ASFormer(Head):
    """An encoder over the features, and decoders that refine the probabilities they are given.

    Queries and keys of a decoder come from the decoder, values from the features of the coder
    before it, and the 2 ** k frames of a block share a window of nearly twice that width, both as
    in the authors' public code; the paper says 2 ** k frames around each frame.
    """

    recipe: ClassVar[Recipe] = Recipe(epochs=120, weight_decay=1e-5, patience=3)

    def __init__(self, config: ASFormerConfig, inputs: int, classes: int) -> None:
        """Make a head.

        Args:
            config: Its options.
            inputs: Width of the features, D_e.
            classes: Labels, C.
        """
        super().__init__()
        self.config = config
        self.masking = nn.Dropout1d(config.channel_mask)
        self.encoder = Coder(inputs, classes, config, alpha=1.0)
        self.decoders = nn.ModuleList(
            Coder(classes, classes, config, alpha=math.exp(-3 * k)) for k in range(config.decoders)
        )

    def forward(self, features: Tensor) -> list[Tensor]:
        """Return class logits of the encoder and of each decoder.

        Args:
            features: x_1 .. x_N, float32 (N, D_e).

        Returns:
            For each float32 (N, C).
        """
        around = self.windows(features)
        y, source = self.encoder(self.masking(features.t()), None, around)
        logits = [y]
        for decoder in self.decoders:
            y, source = decoder(y.softmax(dim=0), source, around)
            logits.append(y)
        return [y.t() for y in logits]

    def windows(self, features: Tensor) -> list[Windows]:
        """Return what the frames of blocks see, for each layer of a coder."""
        return [windows(features, 2**k) for k in range(self.config.layers)]

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the sum over encoder and decoders of L_cls + lambda L_smo (section 3.4)."""
        each = [
            classification_loss(logits, targets) + self.config.smoothing * smoothing_loss(logits)
            for logits in self(features)
        ]
        return torch.stack(each).sum()

    def predict(self, features: Tensor) -> HeadOutput:
        """Label all frames by the last decoder."""
        probabilities = self(features)[-1].softmax(dim=1)
        return HeadOutput(probabilities, change_scores(probabilities))
