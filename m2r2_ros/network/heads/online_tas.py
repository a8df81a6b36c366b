# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A memory of the past in front of a causal TCN (after OnlineTAS, NeurIPS 2024), strictly online.

As published: a GRU, attention within a clip of w frames, attention between clip and memory, a
memory of long tokens and a short tail, a causal TCN of one stage. Unlike the published model, a
frame attends to the w frames that end with it, in training as in use, and each frame is processed
once: training sees what the robot will see, and a step costs the same however long the window. To
this end the memory attends to the previous clip and not to the one under way, and features are
projected to `width` maps first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from m2r2_ros.model.head_config import OnlineTASConfig
from m2r2_ros.network.heads.base import HeadOutput, OnlineHead, Recipe, change_scores
from m2r2_ros.network.heads.causal_layers import Stage
from m2r2_ros.network.heads.online_tas_parts import Context, Enhancer
from m2r2_ros.network.losses import classification_loss, smoothing_loss


@dataclass(frozen=True, slots=True)
class OnlineTASState:
    """What OnlineTAS remembers.

    Attributes:
        hidden: State of the GRU, float32 (1, 1, width).
        context: Of attention and memory.
        layers: For each layer of the TCN its last 2 * dilation inputs, float32 (1, 2d, width).
        last: float32 (1, C), probabilities of the last frame; (0, C) before the first.
    """

    hidden: Tensor
    context: Context
    layers: Sequence[Tensor]
    last: Tensor


class OnlineTAS(OnlineHead):
    """Frames enhanced by their clip and by a memory, then a causal TCN."""

    recipe: ClassVar[Recipe] = Recipe()

    def __init__(self, config: OnlineTASConfig, inputs: int, classes: int) -> None:
        """Make a head for `classes` labels from features of width `inputs`."""
        super().__init__()
        self.config, self._classes = config, classes
        width = config.width
        self.enter = nn.Linear(inputs, width)
        self.sense = nn.GRU(width, width, batch_first=True)
        self.enhancer = Enhancer(width, config.window, config.iterations)
        self.stage = Stage(width, width, config.layers, classes, config.dropout)

    def initial_state(self) -> OnlineTASState:
        """Return the state before the first frame."""
        width, zeros = self.config.width, self.enter.weight.new_zeros
        return OnlineTASState(
            zeros(1, 1, width),
            self.enhancer.initial(),
            [zeros(1, 2 * 2**k, width) for k in range(self.config.layers)],
            zeros(0, self._classes),
        )

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of classes and smoothness."""
        logits, _ = self(features, self.initial_state())
        return classification_loss(logits, targets) + self.config.smoothing * smoothing_loss(logits)

    def advance(self, features: Tensor, state: OnlineTASState) -> tuple[HeadOutput, OnlineTASState]:
        """Label frames that follow on the state."""
        logits, new = self(features, state)
        probabilities = logits.softmax(dim=-1)
        boundaries = change_scores(torch.cat([state.last, probabilities]))[len(state.last) :]
        new = OnlineTASState(new.hidden, new.context, new.layers, probabilities[-1:])
        return HeadOutput(probabilities, boundaries), new

    def forward(self, features: Tensor, state: OnlineTASState) -> tuple[Tensor, OnlineTASState]:
        """Return logits, float32 (N, C), and the new state.

        Args:
            features: x_i, float32 (N, D_e).
            state: State after the frame before the first; `last` is not renewed here.
        """
        sensed, hidden = self.sense(self.enter(features).unsqueeze(0), state.hidden)
        enhanced, context = self.enhancer(sensed, state.context)
        logits, layers = self.stage(enhanced, state.layers)
        return logits[0], OnlineTASState(hidden, context, layers, state.last)
