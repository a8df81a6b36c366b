# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ProTAS (CVPR 2024): MS-TCN made causal, with the progress of actions and a task graph.

Each stage also estimates how far each action has got, with a GRU over its features, and fuses that
with its class logits by a 1x1 convolution. Before its first frame a layer sees copies of the first
frame, as published. With the task graph, the last stage's logits are lowered by
eta (alpha_pre + alpha_suc): see `task_graph.disorder`. The graph is kept as counted; the
published one is also tuned by gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import ProTASConfig
from m2r2_ros.network.heads.base import HeadOutput, OnlineHead, Recipe, change_scores
from m2r2_ros.network.heads.causal_layers import CausalLayer
from m2r2_ros.network.heads.task_graph import disorder, task_graph
from m2r2_ros.network.losses import classification_loss, smoothing_loss

#: Weight of the task graph, eta.
ETA = 0.01


@dataclass(frozen=True, slots=True)
class ProTASState:
    """What ProTAS remembers.

    Attributes:
        pasts: For each layer of each stage its last 2 * dilation inputs, float32 (1, 2d, width);
            (1, 0, width) before the first frame.
        hidden: For each stage the hidden state of its GRU, float32 (1, 1, width).
        completed: float32 (1, C), the greatest progress of each action so far.
        last: float32 (1, C), probabilities of the last frame; (0, C) before the first.
    """

    pasts: Sequence[Sequence[Tensor]]
    hidden: Sequence[Tensor]
    completed: Tensor
    last: Tensor


class ProgressStage(nn.Module):
    """One stage: 1x1 in, causal dilated layers, class logits and progress, and their fusion."""

    def __init__(self, config: ProTASConfig, inputs: int, classes: int) -> None:
        """Make a stage; the dilation of layer k is 2 ** k."""
        super().__init__()
        width = config.width
        self.enter = nn.Linear(inputs, width)
        self.layers = nn.ModuleList(
            CausalLayer(width, 2**k, config.dropout) for k in range(config.layers)
        )
        self.classes = nn.Linear(width, classes)
        self.memory = nn.GRU(width, width, batch_first=True)
        self.progress = nn.Linear(width, classes)
        self.fuse = nn.Linear(2 * classes, classes)

    def forward(
        self, x: Tensor, pasts: Sequence[Tensor], hidden: Tensor
    ) -> tuple[Tensor, Tensor, list[Tensor], Tensor]:
        """Map (1, N, inputs) to logits and progress (1, N, C), the new pasts and hidden state."""
        y = self.enter(x)
        kept = []
        for k, (layer, past) in enumerate(zip(self.layers, pasts, strict=True)):
            if not past.shape[1]:
                past = y[:, :1].expand(-1, 2 * 2**k, -1)
            y, new = layer(y, past)
            kept.append(new)
        memory, hidden = self.memory(y, hidden)
        progress = self.progress(memory)
        logits = self.fuse(torch.cat([self.classes(y), progress], dim=-1))
        return logits, progress, kept, hidden


class ProTAS(OnlineHead):
    """Causal MS-TCN with the progress of actions."""

    recipe: ClassVar[Recipe] = Recipe()
    graph: Tensor

    def __init__(self, config: ProTASConfig, inputs: int, classes: int) -> None:
        """Make a head for `classes` labels from features of width `inputs`."""
        super().__init__()
        self.config, self._classes = config, classes
        self.stages = nn.ModuleList(
            ProgressStage(config, inputs if s == 0 else classes, classes)
            for s in range(config.stages)
        )
        self.register_buffer('graph', torch.zeros(classes, classes))

    def fit_label_statistics(self, targets: Sequence[Tensor]) -> None:
        """Learn the task graph, where it is used."""
        if self.config.task_graph:
            self.graph.copy_(task_graph(targets, self._classes))

    def initial_state(self) -> ProTASState:
        """Return the state before the first frame."""
        width, stages = self.config.width, self.config.stages
        return ProTASState(
            [[self.graph.new_zeros(1, 0, width)] * self.config.layers] * stages,
            [self.graph.new_zeros(1, 1, width)] * stages,
            self.graph.new_zeros(1, self._classes),
            self.graph.new_zeros(0, self._classes),
        )

    def advance(self, features: Tensor, state: ProTASState) -> tuple[HeadOutput, ProTASState]:
        """Label frames that follow on the state."""
        logits, _, state = self(features, state)
        probabilities = logits[-1].softmax(dim=-1)
        seen = torch.cat([state.last, probabilities])
        boundaries = change_scores(seen)[len(state.last) :]
        state = ProTASState(state.pasts, state.hidden, state.completed, probabilities[-1:])
        return HeadOutput(probabilities, boundaries), state

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the sum over stages of the losses of classes, smoothness and progress."""
        logits, progress, _ = self(features, self.initial_state())
        labels = [
            classification_loss(stage, targets) + self.config.smoothing * smoothing_loss(stage)
            for stage in logits
        ]
        ongoing = [progress_loss(stage, targets) for stage in progress]
        return torch.stack(labels).sum() + self.config.progress * torch.stack(ongoing).sum()

    def forward(
        self, features: Tensor, state: ProTASState
    ) -> tuple[list[Tensor], list[Tensor], ProTASState]:
        """Return each stage's logits and progress, both float32 (N, C), and the new state.

        Args:
            features: x_i, float32 (N, D_e).
            state: State after the frame before the first; `last` is not renewed here.
        """
        logits, progress, pasts, hidden = [], [], [], []
        x = features.unsqueeze(0)
        for stage, past, memory in zip(self.stages, state.pasts, state.hidden, strict=True):
            out, ongoing, kept, memory = stage(x, past, memory)
            logits.append(out[0])
            progress.append(ongoing[0])
            pasts.append(kept)
            hidden.append(memory)
            x = out.softmax(dim=-1)
        completed = torch.cat([state.completed, progress[-1].clamp(0, 1)]).cummax(dim=0).values[1:]
        if self.config.task_graph:
            logits[-1] = logits[-1] - ETA * disorder(completed, self.graph)
        return logits, progress, ProTASState(pasts, hidden, completed[-1:], state.last)


def progress_targets(targets: Tensor, classes: int) -> Tensor:
    """Return how far each action has got: (i - s + 1) / (e - s) of the ongoing one, 0 of others.

    Args:
        targets: int64 (N,), label ids; frames of an action run from s to e - 1.
        classes: C.

    Returns:
        float32 (N, C); rows of UNKNOWN frames are 0.
    """
    begins = torch.ones_like(targets, dtype=torch.bool)
    begins[1:] = targets[1:] != targets[:-1]
    action = begins.cumsum(0) - 1
    starts, lengths = begins.nonzero().flatten(), action.bincount()
    place = torch.arange(len(targets), device=targets.device) - starts[action] + 1
    share = (place / lengths[action]).masked_fill(targets == UNKNOWN, 0.0)
    return one_hot(targets.clamp(min=0), classes) * share.unsqueeze(1)


def progress_loss(progress: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error of progress over labelled frames and actions.

    Args:
        progress: float32 (N, C).
        targets: int64 (N,), UNKNOWN where a frame has no label.
    """
    error = (progress - progress_targets(targets, progress.shape[1])).square()
    known = (targets != UNKNOWN).unsqueeze(1)
    return (error * known).sum() / (known.sum().clamp(min=1) * progress.shape[1])
