# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MS-TCN (Abu Farha and Gall, CVPR 2019), offline."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from m2r2_ros.model.head_config import MSTCNConfig
from m2r2_ros.network.heads.base import Head, HeadOutput, Recipe, change_scores
from m2r2_ros.network.heads.dilated import DilatedStage
from m2r2_ros.network.losses import classification_loss, smoothing_loss


class MSTCN(Head):
    """Stages of dilated convolutions; each one refines the class probabilities before it."""

    recipe: ClassVar[Recipe] = Recipe(epochs=50, learning_rate=5e-4)

    def __init__(self, config: MSTCNConfig, inputs: int, classes: int) -> None:
        """Make a head.

        Args:
            config: Its options.
            inputs: Width of the features, D_e.
            classes: Labels, C.
        """
        super().__init__()
        self.config = config
        self.stages = nn.ModuleList(
            DilatedStage(before, classes, config.width, config.layers, config.dropout)
            for before in [inputs] + [classes] * (config.stages - 1)
        )

    def forward(self, features: Tensor) -> list[Tensor]:
        """Return each stage's class logits.

        Args:
            features: x_1 .. x_N, float32 (N, D_e).

        Returns:
            For each stage float32 (N, C).
        """
        x, logits = features.t(), []
        for stage in self.stages:
            y = stage(x)
            logits.append(y.t())
            x = y.softmax(dim=0)
        return logits

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the sum over stages of L_cls + lambda L_T-MSE (section 3.3)."""
        weight = self.config.smoothing
        each = [
            classification_loss(logits, targets) + weight * smoothing_loss(logits)
            for logits in self(features)
        ]
        return torch.stack(each).sum()

    def predict(self, features: Tensor) -> HeadOutput:
        """Label all frames by the last stage."""
        probabilities = self(features)[-1].softmax(dim=1)
        return HeadOutput(probabilities, change_scores(probabilities))
