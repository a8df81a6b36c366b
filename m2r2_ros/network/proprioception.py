# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Temporal fusion of one proprioceptive sensor (paper section III-C)."""

import torch
from torch import Tensor, nn

from m2r2_ros.network.heads.causal_step import state_of


class SensorEncoder(nn.Module):
    """S_i^s = mean over t of E_t^s * (W_p^s s_t + b), with * element-wise.

    Projection, embedding and mean are all linear in the readings, so that they are one matrix
    (D_e, T_s D_s), whose entry for point t and reading j is E_t[d, t] W_p[d, j] / T_s. Applying
    that one matrix gives the same result without the (N, T_s, D_e) tensor in between.
    """

    def __init__(self, dims: int, points: int, width: int) -> None:
        """Make an encoder for D_s = dims readings at T_s = points, with D_e = width."""
        super().__init__()
        self.projection = nn.Linear(dims, width)
        self.temporal_embedding = nn.Parameter(1 + torch.randn(width, points))
        self._frozen: tuple[list[tuple[int, int]], Tensor, Tensor] | None = None

    def forward(self, readings: Tensor) -> Tensor:
        """Map z-scores float32 (N, T_s, D_s) to S_i^s, float32 (N, D_e)."""
        matrix, bias = self.one_matrix() if torch.is_grad_enabled() else self._kept_matrix()
        return nn.functional.linear(readings.flatten(1), matrix, bias)

    def one_matrix(self) -> tuple[Tensor, Tensor]:
        """Return the matrix, float32 (D_e, T_s D_s), and the bias."""
        e, w = self.temporal_embedding, self.projection.weight
        matrix = torch.einsum('dt,dj->dtj', e, w).flatten(1) / e.shape[1]
        return matrix, self.projection.bias * e.mean(dim=1)

    def _kept_matrix(self) -> tuple[Tensor, Tensor]:
        """Return the matrix made before, as long as no parameter has changed since."""
        versions = [state_of(parameter) for parameter in self.parameters()]
        if self._frozen is None or self._frozen[0] != versions:
            self._frozen = (versions, *self.one_matrix())
        return self._frozen[1:]
