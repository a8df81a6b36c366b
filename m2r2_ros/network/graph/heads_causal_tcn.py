# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The graph of the causal MS-TCN."""

from typing import cast

import torch
from torch import Tensor

from m2r2_ros.network.graph.heads_base import OnlineGraph, StateTensor
from m2r2_ros.network.graph.heads_causal import CausalCall
from m2r2_ros.network.heads.causal_layers import Stage
from m2r2_ros.network.heads.causal_tcn import CausalTCN


class CausalTCNGraph(OnlineGraph):
    """CausalTCN; its state is the pasts of all layers."""

    def __init__(self, head: CausalTCN) -> None:
        """Take a head."""
        config = head.config
        self._dilations = [2**k for k in range(config.layers)] * config.stages
        shape = (2 * sum(self._dilations), config.width)
        super().__init__({'layers': StateTensor(shape)}, config.lags)
        self.stages = head.stages
        outputs = cast(Stage, head.stages[-1]).leave.out_features
        self._classes = (outputs - 1) // len(config.lags)

    def forward(self, features: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Label frames; see OnlineGraph."""
        (pasts,) = state
        call = CausalCall(self._dilations, pasts, features)
        first, *others = cast('list[Stage]', list(self.stages))
        logits, boundaries = self._outputs(call.stage(first, features))
        for stage in others:
            x = torch.cat([logits.softmax(dim=2).flatten(1), boundaries], dim=1)
            logits, boundaries = self._outputs(call.stage(stage, x))
        return logits, boundaries[:, 0], call.pasts()

    def _outputs(self, out: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits by lag, (N, K, C), and boundaries, (N, 1)."""
        return out[:, :-1].reshape(-1, len(self.lags), self._classes), out[:, -1:].sigmoid()
