# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finite scalar quantisation that gradients pass; see discovery.laps.fsq."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from m2r2_ros.discovery.laps.fsq import LevelGrid


class ScalarQuantiser(nn.Module):
    """Rounds vectors to the points of a LevelGrid, whose attributes it has."""

    extent: Tensor
    lift: Tensor
    offset: Tensor
    middle: Tensor
    highest: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        """Make a quantiser; each of the levels is 2 or more."""
        super().__init__()
        grid = LevelGrid(levels)
        for name in ('extent', 'lift', 'offset', 'middle', 'highest'):
            self.register_buffer(name, torch.from_numpy(getattr(grid, name)), persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """Quantise vectors; gradients pass as if nothing had been rounded.

        Args:
            z: float32 (..., K), any numbers.

        Returns:
            float32 (..., K), levels scaled to -1..1.
        """
        bounded = torch.tanh(z + self.lift) * self.extent - self.offset
        rounded = torch.minimum(torch.maximum(bounded.round(), -self.middle), self.highest)
        return (bounded + (rounded - bounded).detach()) / self.middle
