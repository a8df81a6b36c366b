# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The graphs of offline heads that are one pass over a recording."""

from abc import abstractmethod

from torch import Tensor, nn

from m2r2_ros.network.heads.asformer import ASFormer
from m2r2_ros.network.heads.asrf import ASRF
from m2r2_ros.network.heads.ms_tcn import MSTCN


class OfflineGraph(nn.Module):
    """The network of an offline head, ready to be traced; `model.finish` does what is behind it.

    Attributes:
        draws: Arrays of noise that it takes, 0 for none.
    """

    draws: int = 0

    @abstractmethod
    def forward(self, features: Tensor, *noise: Tensor) -> tuple[Tensor, Tensor]:
        """Label all frames of a recording.

        Args:
            features: x_1 .. x_N, float32 (N, D_e) with N >= 1.
            noise: Standard normal, float32 (draws, C, N), if it takes any.

        Returns:
            Logits, float32 (N, C), and boundaries, float32 (N,), zeros of a head that has none.
        """


class LastStageGraph(OfflineGraph):
    """A head whose last logits are its answer."""

    def __init__(self, head: MSTCN | ASFormer) -> None:
        """Take a head."""
        super().__init__()
        self.head = head

    def forward(self, features: Tensor, *noise: Tensor) -> tuple[Tensor, Tensor]:
        """Label all frames; see OfflineGraph."""
        logits = self.head(features)[-1]
        return logits, no_boundaries(logits)


class ASRFGraph(OfflineGraph):
    """ASRF without the votes."""

    def __init__(self, head: ASRF) -> None:
        """Take a head."""
        super().__init__()
        self.head = head

    def forward(self, features: Tensor, *noise: Tensor) -> tuple[Tensor, Tensor]:
        """Label all frames; see OfflineGraph."""
        classes, boundaries = self.head(features)
        return classes[-1], boundaries[-1].sigmoid()


def no_boundaries(logits: Tensor) -> Tensor:
    """Return zeros, float32 (N,)."""
    return logits.new_zeros(logits.shape[0])
