# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finite scalar quantisation: each number of a vector is rounded to one of a few levels."""

from collections.abc import Sequence
from math import atanh, prod

import torch
from torch import Tensor, nn


class ScalarQuantiser(nn.Module):
    """Rounds vectors to a grid, and numbers the points of the grid.

    A level is a whole number from -(L // 2) on, scaled to about -1..1. Level 0 lies where the input
    is 0, for even L too, so that noise about it does not flip levels.

    Attributes:
        levels: How many levels each number of a vector has.
        size: Points of the grid, |C|.
    """

    extent: Tensor
    lift: Tensor
    offset: Tensor
    middle: Tensor
    place: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        """Make a quantiser; each of the levels is 2 or more."""
        super().__init__()
        self.levels = tuple(levels)
        self.size = prod(self.levels)
        offsets = [0.0 if n % 2 else 0.5 for n in self.levels]
        # Two levels reach exactly as far as tanh, whose inverse has no value there.
        halves = [max((n - 1) / 2, 0.75) for n in self.levels]
        lifts = [atanh(o / h) for o, h in zip(offsets, halves, strict=True)]
        places = [prod(self.levels[:k]) for k in range(len(self.levels))]
        for name, values in (
            ('extent', halves),
            ('lift', lifts),
            ('offset', offsets),
            ('middle', [float(n // 2) for n in self.levels]),
            ('place', places),
        ):
            self.register_buffer(name, torch.tensor(values), persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """Quantise vectors; gradients pass as if nothing had been rounded.

        Args:
            z: float32 (..., K), any numbers.

        Returns:
            float32 (..., K), levels scaled to -1..1.
        """
        bounded = torch.tanh(z + self.lift) * self.extent - self.offset
        lowest, highest = -self.middle, torch.tensor(self.levels) - 1 - self.middle
        rounded = torch.minimum(torch.maximum(bounded.round(), lowest), highest)
        return (bounded + (rounded - bounded).detach()) / self.middle

    def codes(self, quantised: Tensor) -> Tensor:
        """Return the number of each point of the grid, int64 (...), 0 .. size - 1."""
        level = (quantised * self.middle + self.middle).round().long()
        return (level * self.place).sum(dim=-1)

    def points(self, codes: Tensor) -> Tensor:
        """Return the points of the grid that have these numbers, float32 (..., K)."""
        level = codes.unsqueeze(-1) // self.place % torch.tensor(self.levels)
        return (level - self.middle) / self.middle
