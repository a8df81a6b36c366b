# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the graph of an online head is."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class StateTensor:
    """One of the tensors that an online head remembers.

    Attributes:
        shape: Its shape, the same after any number of frames.
        whole: Whether it holds int64 rather than float32.
    """

    shape: tuple[int, ...]
    whole: bool = False


class OnlineGraph(nn.Module):
    """One call of an online head as arithmetic on tensors alone, ready to be traced.

    Attributes:
        states: What it remembers, by name; all zeros before the first frame.
        lags: Frames back from the newest that it has an output for; (0,) where there are no others.
        clip: A call may not go over a multiple of so many frames since the first one; 0 where any
            call may.
    """

    def __init__(
        self, states: Mapping[str, StateTensor], lags: tuple[int, ...] = (0,), clip: int = 0
    ) -> None:
        """Take what describes the head."""
        super().__init__()
        self.states, self.lags, self.clip = states, lags, clip

    @abstractmethod
    def forward(self, features: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Label frames that follow on the state.

        Args:
            features: x_i, float32 (N, D_e) with N >= 1.
            state: In the order of `states`.

        Returns:
            Logits by lag, float32 (N, K, C), boundaries, float32 (N,) from 0 to 1, and the new
            state in the same order.
        """


def changes(probabilities: Tensor, last: Tensor, begun: Tensor) -> Tensor:
    """Return 1 - p_t . p_(t-1), as `change_scores` does.

    Args:
        probabilities: Of frames that follow on the state, float32 (N, C).
        last: Of the frame before, float32 (1, C).
        begun: int64 (1,), 1 if there was one; if not, the first frame changes nothing.

    Returns:
        float32 (N,).
    """
    before = torch.cat([last, probabilities[:-1]])
    found = (1 - (probabilities * before).sum(dim=1)).clamp(0, 1)
    return torch.cat([found[:1] * begun, found[1:]])
