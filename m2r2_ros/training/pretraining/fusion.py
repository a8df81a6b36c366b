# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Modules behind the extractor that only pretraining needs (paper section III-D)."""

import torch
from torch import Tensor, nn

from m2r2_ros.model.config import ModelConfig


class FusionTransformer(nn.Module):
    """X to the temporally enhanced sequence: L layers of self-attention over a window's points."""

    def __init__(self, model: ModelConfig, points: int, layers: int) -> None:
        """Make one for windows of N_w points; its width, heads and dropout are the model's."""
        super().__init__()
        self.positions = nn.Parameter(torch.empty(points, model.width))
        # Large enough to matter next to the features: boundaries depend on neighbouring points.
        nn.init.trunc_normal_(self.positions, std=0.2)
        # Norms come first, as in CLIP's transformers.
        layer = nn.TransformerEncoderLayer(
            model.width,
            model.heads,
            model.feedforward,
            model.dropout,
            batch_first=True,
            norm_first=True,
        )
        self.layers = nn.TransformerEncoder(
            layer, layers, nn.LayerNorm(model.width), enable_nested_tensor=False
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map X (B, N_w, D_e) to a sequence of the same shape."""
        enhanced: Tensor = self.layers(features + self.positions)
        return enhanced


class BoundaryRegression(nn.Module):
    """B_pred: the probability that an action begins at each point, as logits."""

    def __init__(self, width: int) -> None:
        """Make one for D_e = width."""
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))

    def forward(self, enhanced: Tensor) -> Tensor:
        """Map (B, N_w, D_e) to (B, N_w); the loss applies the sigmoid."""
        logits: Tensor = self.mlp(enhanced).squeeze(-1)
        return logits


def action_means(enhanced: Tensor, places: Tensor, place: int) -> Tensor:
    """Return the mean of each window's points in its action number `place`.

    Args:
        enhanced: (B, N_w, D_e).
        places: int64 (B, N_w), -1 outside the actions.
        place: 0, 1 or 2.

    Returns:
        (B, D_e), zero where a window has no such action.
    """
    inside = (places == place).unsqueeze(-1)
    return (enhanced * inside).sum(dim=1) / inside.sum(dim=1).clamp(min=1)
