# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Temporal fusion of one proprioceptive sensor (paper section III-C)."""

import torch
from torch import Tensor, nn


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

    def forward(self, readings: Tensor) -> Tensor:
        """Map z-scores float32 (N, T_s, D_s) to S_i^s, float32 (N, D_e)."""
        e, w = self.temporal_embedding, self.projection.weight
        matrix = torch.einsum('dt,dj->dtj', e, w).flatten(1) / e.shape[1]
        return nn.functional.linear(
            readings.flatten(1), matrix, self.projection.bias * e.mean(dim=1)
        )
