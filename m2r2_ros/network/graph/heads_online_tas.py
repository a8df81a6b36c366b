# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The graph of OnlineTAS."""

from collections.abc import Sequence

import torch
from torch import Tensor

from m2r2_ros.network.graph.heads_attention import attend, decoded
from m2r2_ros.network.graph.heads_base import OnlineGraph, StateTensor, changes
from m2r2_ros.network.graph.heads_causal import CausalCall
from m2r2_ros.network.heads.online_tas import OnlineTAS
from m2r2_ros.network.heads.online_tas_parts import Iteration, outside


class OnlineTASGraph(OnlineGraph):
    """OnlineTAS; a call ends at the latest with the clip, as the memory stays the same until then.

    The memory's renewal is worked out in every call and taken at the end of a clip: a graph without
    branches, whose calls all last as long.
    """

    def __init__(self, head: OnlineTAS) -> None:
        """Take a head."""
        config = head.config
        self._dilations = [2**k for k in range(config.layers)]
        window, width, count = config.window, config.width, config.iterations
        states = {
            'seen': StateTensor((1,), whole=True),
            'hidden': StateTensor((1, 1, width)),
            'pasts': StateTensor((count, window - 1, width)),
            'sensed': StateTensor((window, width)),
            'enhanced': StateTensor((window, width)),
            'memory': StateTensor((window, width)),
            'views': StateTensor((count, window, width)),
            'layers': StateTensor((2 * sum(self._dilations), width)),
            'last': StateTensor((1, head.stage.leave.out_features)),
        }
        super().__init__(states, clip=window)
        self.window, self.limit = window, head.enhancer.limit
        self.enter, self.sense, self.stage = head.enter, head.sense, head.stage
        self.iterations, self.collapse = head.enhancer.iterations, head.enhancer.collapse

    def forward(self, features: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Label frames; see OnlineGraph."""
        seen, hidden, pasts, sensed, enhanced, memory, views, layers, last = state
        new, hidden = self.sense(self.enter(features).unsqueeze(0), hidden)
        x, kept = self._enhanced(new[0], pasts.unbind(), seen, views.unbind())
        then = seen + features.shape[0]
        sensed = torch.cat([sensed, new[0]])[-self.window :]
        enhanced = torch.cat([enhanced, x])[-self.window :]
        memory, views = self._renewed(then, sensed, enhanced, memory, views)

        call = CausalCall(self._dilations, layers, features)
        logits = call.stage(self.stage, x)
        probabilities = logits.softmax(dim=1)
        boundaries = changes(probabilities, last, seen.clamp(max=1))
        return (
            logits.unsqueeze(1), boundaries, then, hidden, kept, sensed, enhanced, memory, views,
            call.pasts(), probabilities[-1:],
        )  # fmt: skip

    def _enhanced(
        self, sensed: Tensor, pasts: Sequence[Tensor], seen: Tensor, views: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return enhanced frames of one clip, (N, width), and the new pasts of the iterations."""
        hidden = outside(sensed.shape[0], self.window, seen, sensed.device)
        x, kept = sensed, []
        for iteration, past, view in zip(self.iterations, pasts, views, strict=True):
            assert isinstance(iteration, Iteration)
            frames = torch.cat([past, x])
            keys = iteration.norm(frames)
            x = x + attend(iteration.to_clip, keys[self.window - 1 :], keys, hidden)
            x = x + attend(iteration.to_memory, iteration.memory_norm(x), view)
            kept.append(frames[-(self.window - 1) :])
        return x + sensed, torch.stack(kept)

    def _renewed(
        self, seen: Tensor, sensed: Tensor, clip: Tensor, memory: Tensor, views: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return memory and views after `seen` frames: other ones if that completes a clip."""
        complete = seen % self.window == 0
        # Rows of the old memory, one of the clip's token, and rows of the clip.
        token = self.collapse(clip.t().unsqueeze(0))[:, :, 0]
        rows = torch.cat([memory, token, clip])
        row = torch.arange(self.window)
        tokens = (seen // self.window - 1).clamp(max=self.limit)
        long = (tokens + 1).clamp(max=self.limit)
        older = row + tokens + 1 - long  # without the oldest token, where there is one too many
        source = torch.where(older < tokens, older, self.window)
        source = torch.where(row < long, source, row + self.window + 1)
        memory = rows[torch.where(complete, source, row)]
        view, made = memory, []
        for iteration in self.iterations:
            view = decoded(iteration.recall, view, sensed)  # type: ignore[arg-type]
            made.append(view)
        return memory, torch.where(complete, torch.stack(made), views)
