# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The extractor and everything that pretraining puts behind it, in one module (paper figure 3)."""

import torch
from torch import Tensor, nn

from m2r2_ros.model.config import ModelConfig
from m2r2_ros.network.extractor import Extractor
from m2r2_ros.network.losses import boundary_loss
from m2r2_ros.training.pretraining.config import PretrainConfig
from m2r2_ros.training.pretraining.contrastive import Contrastive, shared_meaning
from m2r2_ros.training.pretraining.data import Batch
from m2r2_ros.training.pretraining.fusion import BoundaryRegression, FusionTransformer, action_means


class Pretraining(nn.Module):
    """Computes L_action and L_boundary of a batch of windows.

    Attributes:
        extractor: F_m, the only part that is kept.
        text: Computes E_s.
    """

    def __init__(
        self, extractor: Extractor, text: nn.Module, model: ModelConfig, config: PretrainConfig
    ) -> None:
        """Put the parts that are discarded later behind an extractor of the model's shape."""
        super().__init__()
        self.extractor = extractor
        self.fusion = FusionTransformer(model, config.points, config.layers)
        self.boundary = BoundaryRegression(model.width)
        self.text = text
        self.contrastive = Contrastive()
        self._points = config.points
        self._per_action = config.per_action

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return L_action, L_boundary (paper eq. 4) and E_w (B, D_e)."""
        features = self.extractor(batch.inputs)
        enhanced = self.fusion(features.unflatten(0, (-1, self._points)))
        windows = enhanced.mean(dim=1)
        target = shared_meaning(batch.sentences).to(windows.device)
        action = self.contrastive(windows, self.text(batch.sentences), target)
        if self._per_action:
            action = action + self._per_action * self._each_action(enhanced, batch)
        return action, boundary_loss(self.boundary(enhanced).float(), batch.boundaries), windows

    def _each_action(self, enhanced: Tensor, batch: Batch) -> Tensor:
        """Return the mean over places of contrasting each action with its own sentence."""
        losses = []
        for place, row in enumerate(batch.actions):
            known = [(k, sentence) for k, sentence in enumerate(row) if sentence is not None]
            if not known:
                continue
            sentences = [sentence for _, sentence in known]
            means = action_means(enhanced, batch.places, place)[[k for k, _ in known]]
            target = shared_meaning(sentences).to(means.device)
            losses.append(self.contrastive(means, self.text(sentences), target))
        return torch.stack(losses).mean()
