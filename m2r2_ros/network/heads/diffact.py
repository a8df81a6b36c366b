# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DiffAct (ICCV 2023), offline: labels are denoised step by step, conditioned on the features."""

from typing import ClassVar

import torch
from torch import Tensor

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.finish import noise_for
from m2r2_ros.model.head_config import DiffActConfig
from m2r2_ros.model.median import median_filtered
from m2r2_ros.network.heads.base import Head, HeadOutput, Recipe, change_scores
from m2r2_ros.network.heads.diffact_losses import (
    MASKS,
    change_loss,
    condition_mask,
    hard_labels,
    smoothed_boundaries,
    soft_classification_loss,
    soft_labels,
)
from m2r2_ros.network.heads.diffact_parts import Decoder, Encoder
from m2r2_ros.network.heads.diffusion import cosine_schedule, noisy, sample
from m2r2_ros.network.losses import smoothing_loss

#: Weights of the losses, of encoder and decoder alike; that of boundaries is the decoder's alone.
CLASS, SMOOTHING, BOUNDARY = 0.5, 0.1, 0.1


class DiffAct(Head):
    """An encoder of features, and a decoder that makes labels of noise."""

    #: The published number of epochs depends on the data: 1001, 5001 or 10001.
    recipe: ClassVar[Recipe] = Recipe(epochs=1001, weight_decay=1e-6, batch=4)
    schedule: Tensor

    def __init__(self, config: DiffActConfig, inputs: int, classes: int) -> None:
        """Make a head for `classes` labels from features of width `inputs`."""
        super().__init__()
        self.config, self._classes = config, classes
        self.encoder = Encoder(
            inputs,
            config.encoder_width,
            config.encoder_layers,
            config.encoder_kernel,
            classes,
            config.dropout,
        )
        self.decoder = Decoder(
            classes,
            self.encoder.outputs,
            config.decoder_width,
            config.decoder_layers,
            config.decoder_kernel,
            config.time_width,
        )
        self.register_buffer('schedule', cosine_schedule(config.steps), persistent=False)

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the losses of the encoder and of the decoder at a random step and mask."""
        known = targets != UNKNOWN
        boundaries = smoothed_boundaries(targets, self.config.sigma)
        soft = soft_labels(targets, self._classes, self.config.label_sigma)
        logits, condition = self.encoder(features.T.unsqueeze(0))
        step = int(torch.randint(len(self.schedule), ()))
        start = hard_labels(targets, self._classes).T.unsqueeze(0)
        noised = noisy(start, self.schedule[step], self.config.snr_scale)
        kind = MASKS[int(torch.randint(len(MASKS), ()))]
        shown = condition_mask(kind, targets, boundaries)
        denoised = self.decoder(noised, step, condition * shown)[0].T
        total = BOUNDARY * change_loss(denoised, boundaries, known)
        for output in (logits[0].T, denoised):
            total = total + CLASS * soft_classification_loss(output, soft, known)
            total = total + SMOOTHING * smoothing_loss(output)
        return total

    def predict(self, features: Tensor) -> HeadOutput:
        """Label all frames of a recording; the noise is always the same."""
        drawn = noise_for(self.config, self._classes, len(features))
        assert drawn is not None
        noise = iter(torch.from_numpy(drawn).to(features).unsqueeze(1))
        _, condition = self.encoder(features.T.unsqueeze(0))
        labels = sample(
            lambda labels, step: self.decoder(labels, step, condition).softmax(dim=1),
            lambda: next(noise),
            self.schedule,
            self.config.sampling_steps,
            self.config.snr_scale,
        )
        found = median_filtered(labels[0].T.numpy(force=True), self.config.median)
        probabilities = torch.from_numpy(found).to(features.device)
        return HeadOutput(probabilities, change_scores(probabilities))
