# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Noise on labels and off again: the cosine schedule (Nichol and Dhariwal 2021) and DDIM.

Labels x_0 are one-hot, mapped from 0..1 to -scale..scale; at step t they are
x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise (DDIM: Song et al. 2021; section 3 of DiffAct).
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

#: Share of DDPM's noise that sampling adds, eta.
ETA = 1.0


def cosine_schedule(steps: int) -> Tensor:
    """Return a_t, the share of the labels' variance that is left at steps 0 to steps - 1."""
    t = torch.arange(steps + 1, dtype=torch.float64) / steps
    left = ((t + 0.008) / 1.008 * torch.pi / 2).cos().square()
    return (left[1:] / left[:-1]).clamp(min=0.001).cumprod(0).float()


def scaled(labels: Tensor, scale: float) -> Tensor:
    """Map labels from 0..1 to -scale..scale."""
    return (2 * labels - 1) * scale


def unscaled(x: Tensor, scale: float) -> Tensor:
    """Map noisy labels to 0..1; what lies beyond -scale..scale is clipped."""
    return (x.clamp(-scale, scale) / scale + 1) / 2


def noisy(labels: Tensor, left: Tensor, scale: float) -> Tensor:
    """Return labels, 0..1, as they are at a step at which a_t is `left`; 0..1 as well."""
    # The same numbers, whichever way labels lie in memory.
    noise = torch.randn_like(labels, memory_format=torch.contiguous_format)
    return unscaled(left.sqrt() * scaled(labels, scale) + (1 - left).sqrt() * noise, scale)


def sampling_times(steps: int, samples: int) -> list[int]:
    """Return the steps that DDIM visits, from steps - 1 down, and finally -1, for the labels."""
    return torch.linspace(-1, steps - 1, min(samples, steps) + 1).long().flip(0).tolist()


def sample(
    denoise: Callable[[Tensor, int], Tensor],
    noise: Callable[[], Tensor],
    schedule: Tensor,
    samples: int,
    scale: float,
) -> Tensor:
    """Return labels, 0..1, sampled by DDIM.

    Args:
        denoise: From noisy labels, 0..1, and their step to labels, 0..1.
        noise: Gives standard normal noise of the labels' shape.
        schedule: a_t, float32 (steps,).
        samples: Steps that are visited.
        scale: Of labels against noise.
    """
    x = noise()
    times = sampling_times(len(schedule), samples)
    for now, then in pairwise(times):
        labels = denoise(unscaled(x, scale), now)
        if then >= 0:
            x = step(x, scaled(labels, scale), schedule[now], schedule[then], noise())
    return labels


def step(x: Tensor, labels: Tensor, now: Tensor, then: Tensor, noise: Tensor) -> Tensor:
    """Return x at an earlier step, from x and the labels, scaled, that it is estimated to hide.

    Args:
        x: Noisy labels.
        labels: Labels estimated from them, -scale..scale.
        now: a_t of x.
        then: a_t of the result, greater.
        noise: Standard normal.
    """
    found = (x - now.sqrt() * labels) / (1 - now).sqrt()
    fresh = ETA * ((1 - now / then) * (1 - then) / (1 - now)).sqrt()
    return then.sqrt() * labels + (1 - then - fresh**2).clamp(min=0).sqrt() * found + fresh * noise
