# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ASRF (Ishikawa et al., WACV 2021), offline: classes and boundaries, and votes between them."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from m2r2_ros.model.head_config import ASRFConfig
from m2r2_ros.model.refinement import pieces_between, vote
from m2r2_ros.network.heads.asrf_losses import (
    boundary_weight,
    class_weights,
    similarity_smoothing_loss,
    start_loss,
)
from m2r2_ros.network.heads.base import Head, HeadOutput, Recipe
from m2r2_ros.network.heads.dilated import DilatedStack, DilatedStage, Pointwise
from m2r2_ros.network.losses import classification_loss


class ASRF(Head):
    """A stem with a class and a boundary output, each refined by stages of its own.

    Attributes:
        class_weights: Of each class in the class loss, median frequency / frequency, float32 (C,).
        boundary_weight: Of segment starts in the boundary loss, a scalar.
    """

    # The public configuration has a weight decay of 1e-4 that its code never passes to Adam.
    recipe: ClassVar[Recipe] = Recipe(epochs=50, learning_rate=5e-4)
    class_weights: Tensor
    boundary_weight: Tensor

    def __init__(self, config: ASRFConfig, inputs: int, classes: int) -> None:
        """Make a head.

        Args:
            config: Its options.
            inputs: Width of the features, D_e.
            classes: Labels, C.
        """
        super().__init__()
        self.config = config
        shape = (config.width, config.layers, config.dropout)
        self.stem = DilatedStack(inputs, *shape)
        self.class_output = Pointwise(config.width, classes)
        self.boundary_output = Pointwise(config.width, 1)
        refining = range(config.stages - 1)
        self.class_stages = nn.ModuleList(DilatedStage(classes, classes, *shape) for _ in refining)
        self.boundary_stages = nn.ModuleList(DilatedStage(1, 1, *shape) for _ in refining)
        self.register_buffer('class_weights', torch.ones(classes))
        self.register_buffer('boundary_weight', torch.ones(()))

    def fit_label_statistics(self, targets: Sequence[Tensor]) -> None:
        """Weigh classes and segment starts by how rare they are."""
        self.class_weights.copy_(class_weights(targets, len(self.class_weights)))
        self.boundary_weight.copy_(boundary_weight(targets))

    def forward(self, features: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return class and boundary logits of the stem and of each stage.

        Args:
            features: x_1 .. x_N, float32 (N, D_e).

        Returns:
            float32 (N, C) and float32 (N,), for the stem and each stage.
        """
        x = self.stem(features.t())
        classes, boundaries = [self.class_output(x)], [self.boundary_output(x)]
        for stage in self.class_stages:
            classes.append(stage(classes[-1].softmax(dim=0)))
        for stage in self.boundary_stages:
            boundaries.append(stage(boundaries[-1].sigmoid()))
        return [x.t() for x in classes], [x[0] for x in boundaries]

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return L_cls + lambda L_b, each the mean over stages (section 3.4)."""
        classes, boundaries = self(features)
        labelling = [
            classification_loss(logits, targets, self.class_weights)
            + self.config.smoothing * similarity_smoothing_loss(logits, features)
            for logits in classes
        ]
        starting = [start_loss(logits, targets, self.boundary_weight) for logits in boundaries]
        return torch.stack(labelling).mean() + self.config.boundary * torch.stack(starting).mean()

    def predict(self, features: Tensor) -> HeadOutput:
        """Label all frames by the votes of the pieces between the boundaries.

        Probabilities are a piece's shares of votes, the same for all of its frames.
        """
        classes, logits = self(features)
        probabilities, boundaries = classes[-1].softmax(dim=1), logits[-1].sigmoid()
        pieces = pieces_between(boundaries.numpy(force=True), self.config.threshold)
        votes = torch.from_numpy(vote(probabilities.numpy(force=True), pieces))
        return HeadOutput(votes.to(features.device), boundaries)
