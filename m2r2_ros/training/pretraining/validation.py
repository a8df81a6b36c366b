# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores of a pretraining on windows that never change."""

import numpy as np
import torch
from torch import Tensor

from m2r2_ros.training.pretraining.config import PretrainConfig
from m2r2_ros.training.pretraining.contrastive import similarity
from m2r2_ros.training.pretraining.data import WindowSet
from m2r2_ros.training.pretraining.module import Pretraining
from m2r2_ros.training.pretraining.prompts import Sentence
from m2r2_ros.training.pretraining.state import ValidationScores

#: Second word of the seeds of validation windows; training has the epoch there.
VALIDATION = 2**32 - 1


@torch.no_grad()
def validate(
    module: Pretraining, windows: WindowSet, config: PretrainConfig, device: torch.device
) -> ValidationScores:
    """Return the scores of a module on windows whose points and words the seed determines."""
    module.eval()
    losses: list[list[float]] = []
    embedded: list[Tensor] = []
    sentences: list[Sentence] = []
    for lo in range(0, len(windows), config.batch_size):
        chosen = range(lo, min(lo + config.batch_size, len(windows)))
        rng = np.random.default_rng([config.seed, VALIDATION, lo])
        batch = windows.batch(chosen, rng, augmented=False).to(device)
        action, boundary, window = module(batch)
        losses.append([len(chosen) * float(action), len(chosen) * float(boundary)])
        embedded.append(window)
        sentences += batch.sentences
    module.train()
    action, boundary = np.sum(losses, axis=0) / len(windows)
    distinct = list({s.labels: s for s in sentences}.values())
    nearest = similarity(torch.cat(embedded), module.text(distinct)).argmax(dim=1).tolist()
    own = [distinct[k].labels == s.labels for k, s in zip(nearest, sentences, strict=True)]
    return ValidationScores(float(action), float(boundary), float(np.mean(own)))
