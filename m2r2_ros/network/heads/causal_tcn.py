# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The online head: MS-TCN (CVPR 2019) made causal, and stepped through cached states."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.network.heads.base import HeadOutput, OnlineHead, Recipe
from m2r2_ros.network.heads.causal_layers import Stage
from m2r2_ros.network.heads.causal_step import HeadStep
from m2r2_ros.network.losses import (
    boundary_loss,
    boundary_targets,
    classification_loss,
    smoothing_loss,
)

#: Weights of the smoothing loss (MS-TCN: 0.15) and of the boundary loss, and the width of smoothed
#: boundaries in frames.
SMOOTHING, BOUNDARY, SIGMA = 0.15, 1.0, 1.0


@dataclass
class HeadState:
    """What the head remembers: for each dilated layer its last 2 * dilation inputs."""

    layers: Sequence[Tensor] = ()


class CausalTCN(OnlineHead):
    """Frame labels from features, each from its own and earlier frames alone.

    A call with many frames and many calls with one frame each do the same arithmetic, since the
    state carries everything that a layer looks back to: time and memory of a step are constant.
    """

    recipe: ClassVar[Recipe] = Recipe(weight_decay=1e-4)

    def __init__(self, config: CausalTCNConfig, inputs: int, classes: int) -> None:
        """Make a head for `classes` labels from features of width `inputs`."""
        super().__init__()
        width, layers = config.width, config.layers
        self.config = config
        self._width, self._layers, self._lags = width, layers, config.lags
        # The classes for each lag; the last output of each stage is the boundary logit.
        outputs = len(config.lags) * classes + 1
        self.stages = nn.ModuleList(
            Stage(inputs if s == 0 else outputs, width, layers, outputs, 0.3)
            for s in range(config.stages)
        )
        self._frozen: HeadStep | None = None

    def initial_state(self, batch: int = 1) -> HeadState:
        """Return the state before the first frame: zeros, as MS-TCN pads."""
        dilations = [2**k for k in range(self._layers)] * len(self.stages)
        return HeadState([torch.zeros(batch, 2 * d, self._width) for d in dilations])

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the sum of all stages' losses."""
        logits, _ = self(features.unsqueeze(0), self.initial_state())
        smoothed = boundary_targets(targets, SIGMA)
        lagged = torch.stack([delayed(targets, k) for k in self._lags])
        return torch.stack([stage_loss(stage[0], lagged, smoothed) for stage in logits]).sum()

    def advance(self, features: Tensor, state: HeadState) -> tuple[HeadOutput, HeadState]:
        """Label frames that follow on the state."""
        logits, state = self(features.unsqueeze(0), state)
        last = logits[-1][0]
        labels = by_lag(last, len(self._lags)).softmax(-1)
        revised = {k: labels[:, i] for i, k in enumerate(self._lags) if k}
        return HeadOutput(labels[:, 0], last[:, -1].sigmoid(), revised), state

    def forward(self, features: Tensor, state: HeadState) -> tuple[list[Tensor], HeadState]:
        """Label frames that follow on the state.

        Args:
            features: x_i, float32 (B, N, D_e).
            state: State after the frame before the first.

        Returns:
            For each stage logits (B, N, |K| C + 1), the classes for each lag and behind them the
            boundary; the new state.
        """
        if features.shape[:2] == (1, 1) and not (self.training or torch.is_grad_enabled()):
            outputs, pasts = self._step(features, state.layers)
            return outputs, HeadState(pasts)
        logits: list[Tensor] = []
        kept: list[Tensor] = []
        x = features
        for s, stage in enumerate(self.stages):
            own = slice(s * self._layers, (s + 1) * self._layers)
            out, pasts = stage(x, state.layers[own])
            logits.append(out)
            kept += pasts
            labels = by_lag(out, len(self._lags)).softmax(-1).flatten(-2)
            x = torch.cat([labels, out[..., -1:].sigmoid()], dim=-1)
        return logits, HeadState(kept)

    def _step(
        self, features: Tensor, pasts: Sequence[Tensor]
    ) -> tuple[list[Tensor], Sequence[Tensor]]:
        """Label one frame of one sequence, without gradients."""
        if self._frozen is None or not self._frozen.fresh:
            self._frozen = HeadStep(cast('list[Stage]', list(self.stages)), len(self._lags))
        return self._frozen(features, pasts)


def by_lag(logits: Tensor, lags: int) -> Tensor:
    """Return the class logits of (..., |K| C + 1) outputs as (..., |K|, C)."""
    classes: Tensor = logits[..., :-1].unflatten(-1, (lags, -1))
    return classes


def delayed(targets: Tensor, lag: int) -> Tensor:
    """Return y_(t - lag) for each frame t, int64 (N,); UNKNOWN for the first frames."""
    before = targets.new_full((min(lag, len(targets)),), UNKNOWN)
    return torch.cat([before, targets[: len(targets) - len(before)]])


def stage_loss(logits: Tensor, targets: Tensor, smoothed: Tensor) -> Tensor:
    """Return the loss of one stage: classes and their smoothness, mean over lags; boundaries.

    Args:
        logits: float32 (N, |K| C + 1), the last of them the boundary's.
        targets: int64 (|K|, N), the label that each output should give at each frame, UNKNOWN
            where there is none.
        smoothed: float32 (N,), smoothed boundaries.
    """
    labels = by_lag(logits, len(targets)).unbind(-2)
    classes = [
        classification_loss(own, wanted) + SMOOTHING * smoothing_loss(own)
        for own, wanted in zip(labels, targets, strict=True)
    ]
    return torch.stack(classes).mean() + BOUNDARY * boundary_loss(logits[:, -1], smoothed)
