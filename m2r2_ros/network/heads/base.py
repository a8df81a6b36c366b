# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every segmentation head does, offline or online."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

#: What an online head remembers; each kind knows its own.
State = Any


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a head is trained; by default as it was published.

    Attributes:
        epochs: Times each recording is seen.
        learning_rate: Of Adam.
        weight_decay: Of Adam.
        batch: Recordings whose gradients are added up for one step.
        patience: Epochs in a row that may fail to lower the training loss by a share of 1e-4; the
            next that fails halves the learning rate. None leaves it as it is.
        anneal: Let the learning rate go down to 0 instead of keeping it.
        vary: Share of the segments that are stretched, shortened or left out in each epoch.
    """

    epochs: int = 50
    learning_rate: float = 5e-4
    weight_decay: float = 0.0
    batch: int = 1
    patience: int | None = None
    anneal: bool = False
    vary: float = 0.0


@dataclass(frozen=True, slots=True)
class HeadOutput:
    """What a head says about N frames.

    Attributes:
        probabilities: float32 (N, C); the label of a frame is their arg max.
        boundaries: float32 (N,), how likely a new segment begins at each frame, 0..1.
        revised: By lag k > 0, what is said k frames later, float32 (N, C): row t is of frame t - k.
            Empty where the head has no such outputs.
    """

    probabilities: Tensor
    boundaries: Tensor
    revised: Mapping[int, Tensor] = field(default_factory=dict)


class Head(nn.Module):
    """Labels for the frames of a recording from their features.

    Attributes:
        online: The label of a frame depends on its own and earlier features alone.
        recipe: How it is trained unless told otherwise.
    """

    online: ClassVar[bool] = False
    recipe: ClassVar[Recipe] = Recipe()

    def fit_label_statistics(self, targets: Sequence[Tensor]) -> None:
        """Measure the labels of the training set, before training; the results are kept as buffers.

        Args:
            targets: For each recording int64 (N,), label ids, UNKNOWN where there is none.
        """

    @abstractmethod
    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the training loss of one recording, a scalar.

        Args:
            features: x_1 .. x_N, float32 (N, D_e).
            targets: int64 (N,), label ids, UNKNOWN where there is none.
        """

    @abstractmethod
    def predict(self, features: Tensor) -> HeadOutput:
        """Label all frames of a recording, float32 (N, D_e) with N >= 1, in evaluation mode."""


class OnlineHead(Head):
    """A head that continues frame by frame, in constant time and memory (design contract 5)."""

    online: ClassVar[bool] = True

    @abstractmethod
    def initial_state(self) -> State:
        """Return the state before the first frame."""

    @abstractmethod
    def advance(self, features: Tensor, state: State) -> tuple[HeadOutput, State]:
        """Label frames that follow on the state; the given state is not changed.

        Args:
            features: x_i, float32 (N, D_e) with N >= 1.
            state: State after the frame before the first.

        Returns:
            The same as one frame at a time would, and the new state.
        """

    def predict(self, features: Tensor) -> HeadOutput:
        """Label all frames of a recording."""
        return self.advance(features, self.initial_state())[0]


def change_scores(probabilities: Tensor) -> Tensor:
    """Return 1 - p_t . p_(t-1), how likely two frames differ, for heads without boundary output.

    Args:
        probabilities: float32 (N, C).

    Returns:
        float32 (N,), 0 at the first frame.
    """
    changes = torch.zeros(len(probabilities), device=probabilities.device)
    changes[1:] = 1 - (probabilities[1:] * probabilities[:-1]).sum(dim=1)
    return changes.clamp(0, 1)
