# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Layers of DiffAct in few operators: gathers where the layers for training take slices."""

from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.nn.functional import conv1d

from m2r2_ros.network.heads.diffact_parts import Decoder, Encoder, MixedLayer, around
from m2r2_ros.network.heads.dilated import standardised


class Taps(NamedTuple):
    """Frames under a dilated kernel.

    Attributes:
        place: Of each tap at each frame, int64 (kernel, N); the first or last frame for those
            outside the recording.
        outside: Which lie outside, bool (kernel, N).
    """

    place: Tensor
    outside: Tensor


def taps_of(x: Tensor, kernel: int, dilation: int) -> Taps:
    """Return what the taps of a kernel see of (1, maps, N)."""
    last = x.shape[2] - 1
    reach = (torch.arange(kernel) - kernel // 2) * dilation
    place = torch.arange(x.shape[2]) + reach.unsqueeze(1)
    return Taps(place.clamp(0, last), (place < 0) | (place > last))


def mixed(layer: MixedLayer, x: Tensor, condition: Tensor | None) -> Tensor:
    """Do what a layer does, (1, width, N) to the same, under a condition (1, maps, N) if any."""
    kernel, dilation, attention = layer.kernel, layer.dilation, layer.attend
    taps = taps_of(x, kernel, dilation)
    seen = x if condition is None else torch.cat([x, condition], dim=1)
    # Frames as rows: a runtime copies a row as a whole.
    query, key, value = (
        y[0].t() for y in (attention.query(seen), attention.key(seen), attention.value(x))
    )
    scores = (query * key[taps.place]).sum(dim=2) * len(layer.taps.weight) ** -0.5
    weights = scores.masked_fill(taps.outside, -torch.inf).softmax(dim=0)
    found = (value[taps.place] * weights.unsqueeze(2)).sum(dim=0).t()
    weight, bias = layer.taps.weight, layer.taps.bias
    if kernel % 2:
        near = conv1d(x, weight, bias, padding=kernel // 2 * dilation, dilation=dilation)
    else:
        near = conv1d(around(x, kernel, dilation), weight, bias, dilation=dilation)
    y: Tensor = x + layer.mix(torch.relu(layer.spread(standardised(near + found))))
    return y


def condition_of(encoder: Encoder, features: Tensor) -> Tensor:
    """Map features (1, D_e, N) to the condition (1, outputs, N)."""
    x = encoder.enter(features)
    levels = []
    for k, layer in enumerate(encoder.layers):
        x = mixed(cast(MixedLayer, layer), x, None)
        if k in encoder.levels:
            levels.append(x)
    return torch.cat(levels, dim=1)


def denoised(decoder: Decoder, labels: Tensor, shift: Tensor, condition: Tensor) -> Tensor:
    """Map noisy labels (1, C, N), what a step adds, (width,), and a condition to logits."""
    x = decoder.enter(labels) + shift.unsqueeze(1)
    for layer in decoder.layers:
        x = mixed(cast(MixedLayer, layer), x, condition)
    logits: Tensor = decoder.leave(x)
    return logits
