# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Causal dilated layers over the frames of one call, their pasts in one tensor."""

from collections.abc import Sequence
from itertools import accumulate
from typing import cast

import torch
from torch import Tensor

from m2r2_ros.network.heads.causal_layers import CausalLayer, Stage


class CausalCall:
    """The layers of a head over N frames, in order; each looks back 2 * dilation frames.

    A runtime's time for one frame goes into the number of operators and into copies of the state.
    The taps of a layer are therefore one gather, and so is the new state of all of them; with a
    number of frames that is known when a graph is loaded, places are constants. For one frame,
    convolutions over past and frames took 1.3 times as long, slices and concatenations 1.15 times.
    """

    def __init__(
        self,
        dilations: Sequence[int],
        pasts: Tensor,
        features: Tensor,
        begun: Tensor | None = None,
    ) -> None:
        """Begin a call.

        Args:
            dilations: Of all layers.
            pasts: The last 2 * dilation inputs of each layer, one after another, float32
                (rows, width).
            features: One row for each of the N frames of the call.
            begun: int64 (1,), 0 before the first frame: each layer then sees copies of its first
                input in place of its past. None for a past of zeros.
        """
        self._spans = [2 * d for d in dilations]
        self._pasts, self._frames, self._begun = pasts, features.shape[0], begun
        self._parts = iter(pasts.split(self._spans))
        self._inputs: list[Tensor] = []
        frame = torch.arange(self._frames).unsqueeze(1)
        self._taps = {
            d: self._copied(frame + torch.tensor([0, d, 2 * d]), 2 * d) for d in set(dilations)
        }

    def layer(self, layer: CausalLayer, x: Tensor) -> Tensor:
        """Map (N, width) to the same shape by the next layer."""
        self._inputs.append(x)
        whole = torch.cat([next(self._parts), x])
        taps = whole[self._taps[layer.dilation]].flatten(1)
        y: Tensor = x + layer.mix(torch.relu(layer.taps(taps)))
        return y

    def stage(self, stage: Stage, x: Tensor) -> Tensor:
        """Map (N, inputs) to (N, outputs) by the layers of the next stage."""
        x = stage.enter(x)
        for layer in stage.layers:
            x = self.layer(cast(CausalLayer, layer), x)
        y: Tensor = stage.leave(x)
        return y

    def pasts(self) -> Tensor:
        """Return the pasts after the call, once all layers are done."""
        frames, spans = self._frames, torch.tensor(self._spans)
        *edges, rows = accumulate(self._spans, initial=0)
        # What moves into each row. From the number of frames, so that the graph works it out: as
        # constants, places would be as large as weights.
        row = torch.arange(frames, frames + rows)
        behind = torch.tensor([*edges[1:], rows]) + frames
        layer = (row.unsqueeze(1) >= behind).sum(dim=1)
        span = spans[layer]
        # Counted from the oldest row of a layer's past; its new inputs follow on that.
        place = self._copied(row - torch.tensor(edges)[layer], span)
        source = torch.where(place < span, row, rows + layer * frames + place - span)
        return torch.cat([self._pasts, *self._inputs])[source]

    def _copied(self, place: Tensor, span: int | Tensor) -> Tensor:
        """Return the first input's place for those before it, where there is no past yet."""
        return place if self._begun is None else torch.maximum(place, (1 - self._begun) * span)
