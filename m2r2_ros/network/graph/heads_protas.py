# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The graph of ProTAS."""

import torch
from torch import Tensor

from m2r2_ros.network.graph.heads_base import OnlineGraph, StateTensor, changes
from m2r2_ros.network.graph.heads_causal import CausalCall
from m2r2_ros.network.heads.protas import ETA, ProgressStage, ProTAS
from m2r2_ros.network.heads.task_graph import disorder


class ProTASGraph(OnlineGraph):
    """ProTAS; its state has one size from the first frame on, and a flag for what is not yet."""

    def __init__(self, head: ProTAS) -> None:
        """Take a head."""
        config, classes = head.config, len(head.graph)
        self._dilations = [2**k for k in range(config.layers)] * config.stages
        states = {
            'begun': StateTensor((1,), whole=True),
            'layers': StateTensor((2 * sum(self._dilations), config.width)),
            'hidden': StateTensor((config.stages, 1, config.width)),
            'completed': StateTensor((1, classes)),
            'last': StateTensor((1, classes)),
        }
        super().__init__(states)
        self.stages, self._task_graph = head.stages, config.task_graph
        self.register_buffer('graph', head.graph)

    def forward(self, features: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Label frames; see OnlineGraph."""
        begun, pasts, hidden, completed, last = state
        call = CausalCall(self._dilations, pasts, features, begun)
        x, memories = features, []
        for stage, memory in zip(self.stages, hidden.split(1), strict=True):
            assert isinstance(stage, ProgressStage)
            logits, progress, memory = _staged(call, stage, x, memory)
            memories.append(memory)
            x = logits.softmax(dim=1)
        done = progress.clamp(0, 1)
        if self._task_graph:
            graph = self.get_buffer('graph')
            logits = logits - ETA * disorder(greatest_so_far(done, completed), graph)
        probabilities = logits.softmax(dim=1)
        completed = torch.maximum(completed, done.amax(dim=0, keepdim=True))
        boundaries = changes(probabilities, last, begun)
        return (
            logits.unsqueeze(1), boundaries, torch.ones_like(begun), call.pasts(),
            torch.cat(memories), completed, probabilities[-1:],
        )  # fmt: skip


def _staged(
    call: CausalCall, stage: ProgressStage, x: Tensor, memory: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Map (N, inputs) to logits and progress, (N, C), and the new state of the GRU."""
    y = stage.enter(x)
    for layer in stage.layers:
        y = call.layer(layer, y)  # type: ignore[arg-type]
    remembered, memory = stage.memory(y.unsqueeze(0), memory)
    progress = stage.progress(remembered[0])
    logits: Tensor = stage.fuse(torch.cat([stage.classes(y), progress], dim=1))
    return logits, progress, memory


def greatest_so_far(x: Tensor, before: Tensor) -> Tensor:
    """Return the greatest of each row and those before it, column by column, as cummax does.

    ONNX has no such operator, but it has recurrent networks. What the greatest m_t is above x_t,
    m_t - x_t = max(m_(t-1), x_t) - x_t = relu((m_(t-1) - x_(t-1)) + x_(t-1) - x_t), is one with a
    single cell, whose weights are 1; columns are its sequences.

    Args:
        x: float32 (N, C).
        before: The greatest before the first row, float32 (1, C).
    """
    one = torch.ones(1, 1)
    falls = (torch.cat([before, x[:-1]]) - x).unsqueeze(2)
    start = torch.zeros_like(before).unsqueeze(2)
    above, _ = torch.rnn_relu(falls, start, [one, one], False, 1, 0.0, False, False, False)
    return x + above[:, :, 0]
