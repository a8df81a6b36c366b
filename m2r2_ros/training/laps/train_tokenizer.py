# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of the motion tokenizer on windows of the recordings themselves."""

from collections.abc import Callable
from math import cos, pi

import numpy as np
import torch
from numpy.typing import NDArray

from m2r2_ros.discovery.laps.shape import TokenizerConfig, TokenizerSchedule
from m2r2_ros.discovery.method import Tensors
from m2r2_ros.training.laps.tokenizer import MotionTokenizer, tensors_of

MAX_GRADIENT = 1.0
#: Of AdamW, as AMPLIFY has them.
BETAS = (0.9, 0.95)
#: Points whose displacement a step predicts: the classes of all 400 would take most of its time.
POINTS = 32


#: Windows that the codes are spread over before training begins.
SPREAD = 512


def train_tokenizer(
    velocities: NDArray[np.float32],
    reach: NDArray[np.float32],
    config: TokenizerConfig,
    schedule: TokenizerSchedule,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> Tensors:
    """Return the weights of a trained tokenizer, by name; the same windows and seed give the same.

    Args:
        velocities: float32 (n, T, P), the windows.
        reach: float32 (P,); see MotionTokenizer.
        config: Its shape.
        schedule: How it is trained.
        progress: Called after each step with the number of steps done and the loss.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        tokenizer = MotionTokenizer(config)
    tokenizer.reach.copy_(torch.from_numpy(reach))
    rng = np.random.default_rng(schedule.seed)
    order = rng.permutation(len(velocities))[:SPREAD]
    tokenizer.spread_codes(torch.from_numpy(velocities[order]))
    optimizer = torch.optim.AdamW(
        tokenizer.parameters(), lr=schedule.learning_rate, betas=BETAS, weight_decay=0.01
    )
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: _rate(k, schedule.steps))
    groups = np.flatnonzero(reach.reshape(-1, config.axes).any(axis=1))
    rows = np.zeros(0, np.int64)
    for step in range(schedule.steps):
        if not len(rows):
            rows = rng.permutation(len(velocities))
        batch, rows = rows[: schedule.batch], rows[schedule.batch :]
        points = rng.permutation(groups)[:POINTS]
        loss = tokenizer.loss(torch.from_numpy(velocities[batch]), torch.from_numpy(points))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(tokenizer.parameters(), MAX_GRADIENT)
        optimizer.step()
        rate.step()
        progress(step + 1, float(loss.detach()))
    return tensors_of(tokenizer)


def _rate(step: int, steps: int) -> float:
    """Return the part of the learning rate: it rises for a tenth of the steps, then falls to 0."""
    warm = max(steps // 10, 1)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + cos(pi * (step - warm) / max(steps - warm, 1)))
