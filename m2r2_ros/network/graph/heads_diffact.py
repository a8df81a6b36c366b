# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The graph of DiffAct: sampling is one loop over the steps."""

import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import cast

import torch
from torch import Tensor, nn

from m2r2_ros.network.graph.heads_diffact_layers import condition_of, denoised
from m2r2_ros.network.graph.heads_offline import OfflineGraph, no_boundaries
from m2r2_ros.network.heads.diffact import DiffAct
from m2r2_ros.network.heads.diffact_parts import Decoder, frequencies
from m2r2_ros.network.heads.diffusion import sampling_times, scaled, step, unscaled

#: Frames of the example that a step is traced with.
_FRAMES = 5

Weights = list[Tensor]


class DiffActStep(nn.Module):
    """One step of sampling."""

    def __init__(self, decoder: Decoder, scale: float) -> None:
        """Take a decoder, and the scale of labels against noise."""
        super().__init__()
        self.decoder, self.scale = decoder, scale

    def forward(
        self, x: Tensor, shift: Tensor, left: Tensor, noise: Tensor, condition: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return x at the next step and the logits of the labels that it was found to hide.

        Args:
            x: Noisy labels, float32 (1, C, N).
            shift: Of the step, of `Decoder.shift`, float32 (width,).
            left: a_t now and at the next step, float32 (2,).
            noise: float32 (1, C, N).
            condition: float32 (1, maps, N).
        """
        logits = denoised(self.decoder, unscaled(x, self.scale), shift, condition)
        labels = scaled(logits.softmax(dim=1), self.scale)
        return step(x, labels, left[0], left[1], noise), logits


class DiffActGraph(OfflineGraph):
    """DiffAct without the median filter."""

    def __init__(self, head: DiffAct) -> None:
        """Take a head."""
        super().__init__()
        config = head.config
        *times, _ = sampling_times(config.steps, config.sampling_steps)
        self.draws = len(times)
        self.encoder = head.encoder
        steps = torch.tensor(times)
        now = head.schedule[steps]
        # Behind the last step are the labels, without noise.
        self.register_buffer('left', torch.stack([now, torch.cat([now[1:], now.new_ones(1)])], 1))
        self.register_buffer('times', steps.float())
        self.register_buffer('frequencies', frequencies(config.time_width))
        self.step = DiffActStep(head.decoder, config.snr_scale).eval()
        self._sampled = compiled(self.step)

    def forward(self, features: Tensor, *noise: Tensor) -> tuple[Tensor, Tensor]:
        """Label all frames; see OfflineGraph."""
        condition = condition_of(self.encoder, features.t().unsqueeze(0))
        width = self.step.decoder.time_width
        phases = self.get_buffer('times').unsqueeze(1) * self.get_buffer('frequencies')
        waves = torch.cat([phases.sin(), phases.cos()], dim=1)[:, :width]
        shifts = self.step.decoder.shift(waves)
        left, weights = self.get_buffer('left'), list(self.step.parameters())
        logits = self._sampled(noise[0], shifts, left, condition, weights)[0].t()
        return logits, no_boundaries(logits)


def compiled(step_of: DiffActStep) -> Callable[..., Tensor]:
    """Return the loop over the steps, compiled rather than traced, so that it stays a loop.

    Its arguments are the noise, (steps, C, N), what `DiffActStep` takes with one row for each step,
    the condition, and the step's weights in order: the exporter knows compiled functions inside of
    what it traces, but not compiled modules.
    """
    bare = deepcopy(step_of)  # which loses its own weights
    names = [name.rpartition('.') for name, _ in bare.named_parameters()]
    slots = [(bare.get_submodule(owner), name) for owner, _, name in names]

    def one(
        x: Tensor, shift: Tensor, left: Tensor, noise: Tensor, condition: Tensor, weights: Weights
    ) -> tuple[Tensor, Tensor]:
        for (owner, name), weight in zip(slots, weights, strict=True):
            owner._parameters.pop(name, None)
            setattr(owner, name, weight)
        found: tuple[Tensor, Tensor] = bare(x, shift, left, noise, condition)
        return found

    decoder = step_of.decoder
    labels = torch.zeros(1, decoder.leave.out_channels, _FRAMES)
    condition = torch.zeros(1, decoder.condition, _FRAMES)
    shift, left = torch.zeros(decoder.leave.in_channels), torch.tensor([0.25, 0.5])
    weights = [parameter.detach() for parameter in step_of.parameters()]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of tracing, and that there is another compiler
        example = (labels, shift, left, labels, condition, weights)
        traced = torch.jit.trace(one, example, check_trace=False)

        def sampled(
            noise: Tensor, shifts: Tensor, left: Tensor, condition: Tensor, weights: Weights
        ) -> Tensor:
            x = noise[:1]
            logits = x
            added = torch.cat([noise[1:], noise[:1]])  # of the last step nothing is left
            for k in range(len(shifts)):
                x, logits = traced(x, shifts[k], left[k], added[k : k + 1], condition, weights)
            return logits

        return cast(Callable[..., Tensor], torch.jit.script(sampled))
