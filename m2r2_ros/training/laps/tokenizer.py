# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The motion tokenizer M: velocities to quantised latent vectors z_q and back (section 3.1)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from m2r2_ros.discovery.laps.shape import TokenizerConfig
from m2r2_ros.training.laps.fsq import ScalarQuantiser

#: Numbers that say where a point goes, before they become classes: a full layer for each of 400
#: points and 225 classes would hold more weights than all others together.
RANK = 16
#: Weight of the spread of codes in the loss.
APART = 0.3


class MotionTokenizer(nn.Module):
    """A quantised autoencoder of motion.

    The encoder looks back only, and has no other sense of position: where nothing moves, z_q stays
    as it is, and the latent energy is zero.

    Attributes:
        config: Its shape.
        reach: float32 (P,), the largest displacement that the grid tells apart, in the unit of the
            velocities; 0 leaves an input out.
    """

    reach: Tensor

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer('reach', torch.ones(config.inputs))
        self.project = nn.Linear(config.inputs, config.hidden)
        self.encoder = _transformer(config, config.enc_layers)
        self.to_code = nn.Linear(config.hidden, len(config.levels))
        self.quantiser = ScalarQuantiser(config.levels)
        self.from_code = nn.Linear(len(config.levels), config.hidden)
        self.decoder = _transformer(config, config.dec_layers)
        self.to_points = nn.Linear(config.hidden, config.inputs // config.axes * RANK)
        self.classify = nn.Linear(RANK, config.bins**config.axes)

    @torch.no_grad()
    def spread_codes(self, velocities: Tensor) -> None:
        """Scale what is quantised so that these velocities, float32 (B, T, P), fill the codebook.

        A tokenizer with random weights has all in one code, and might never leave it.
        """
        self.to_code.bias.zero_()
        free = self.to_code(self._encoded(velocities)).flatten(0, 1)
        scale = 1 / free.std(dim=0).clamp_min(1e-6)
        self.to_code.weight.mul_(scale[:, None])
        self.to_code.bias.copy_(-free.mean(dim=0) * scale)

    def _encoded(self, velocities: Tensor) -> Tensor:
        hidden = self.project(self.scaled(velocities))
        steps = hidden.shape[1]
        ahead = torch.ones(steps, steps, dtype=torch.bool, device=hidden.device).triu(1)
        found: Tensor = self.encoder(hidden, mask=ahead)
        return found

    def decode(self, z_q: Tensor, points: Tensor) -> Tensor:
        """Return logits of where some points go.

        Args:
            z_q: float32 (B, T, hidden).
            points: int64 (n,), which points or channels.

        Returns:
            float32 (B, T, n, bins ** axes).
        """
        # Of the layer, only the rows of these points: all of them would take most of a step.
        weight = self.to_points.weight.unflatten(0, (-1, RANK))[points].flatten(0, 1)
        bias = self.to_points.bias.unflatten(0, (-1, RANK))[points].flatten()
        numbers = functional.linear(self.decoder(z_q), weight, bias).unflatten(-1, (-1, RANK))
        logits: Tensor = self.classify(numbers)
        return logits

    def loss(self, velocities: Tensor, points: Tensor) -> Tensor:
        """Return the cross entropy of the displacements of some points, and what keeps codes apart.

        What rests, most of the time almost all, weighs as much as what moves: otherwise it would
        pay to say that all rests, and all would get one code. What is quantised is drawn to mean 0
        and variance 1 for the same reason.
        """
        free = self.to_code(self._encoded(velocities))
        logits = self.decode(self.from_code(self.quantiser(free)), points)
        targets = self.targets(velocities)[..., points]
        errors = functional.cross_entropy(
            logits.flatten(0, -2), targets.flatten(), reduction='none'
        )
        rests = targets.flatten() == self._rest
        groups = [errors[part].mean() for part in (rests, ~rests) if bool(part.any())]
        spread = free.flatten(0, 1)
        apart = spread.mean(dim=0).square() + (spread.std(dim=0, correction=0) - 1).square()
        loss: Tensor = torch.stack(groups).mean() + APART * apart.mean()
        return loss

    @property
    def _rest(self) -> int:
        """The cell that displacement 0 falls into."""
        c = self.config
        middle = round((c.bins - 1) / 2)
        return sum(middle * c.bins**k for k in range(c.axes))

    def targets(self, velocities: Tensor) -> Tensor:
        """Return the cell of the grid that each displacement falls into, int64 (B, T, P / axes)."""
        c = self.config
        cells = ((self.scaled(velocities) + 1) / 2 * (c.bins - 1)).round().long()
        place = torch.tensor([c.bins**k for k in range(c.axes)], device=cells.device)
        found: Tensor = (cells.unflatten(-1, (-1, c.axes)) * place).sum(dim=-1)
        return found

    def scaled(self, velocities: Tensor) -> Tensor:
        """Return velocities in units of `reach`, cut to -1..1."""
        known = self.reach > 0
        scaled = velocities / torch.where(known, self.reach, torch.ones_like(self.reach))
        return (scaled * known).clamp(-1, 1)


def _transformer(config: TokenizerConfig, layers: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        config.hidden,
        config.heads,
        4 * config.hidden,
        dropout=0.0,
        batch_first=True,
        norm_first=True,
    )
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


def tensors_of(tokenizer: MotionTokenizer) -> dict[str, NDArray[np.float32]]:
    """Return the weights of a tokenizer by name."""
    state = tokenizer.state_dict()
    return {name: value.float().numpy().copy() for name, value in state.items()}
