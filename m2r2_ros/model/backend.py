# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What runs a learned model: numpy arrays in and out, whichever runtime stands behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.model.inputs import Inputs

#: What an online head remembers; each backend knows its own.
BackendState = Any


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says about N frames.

    Attributes:
        probabilities: float32 (N, C); the label of a frame is their arg max.
        boundaries: float32 (N,), how likely a new segment begins at each frame, 0..1.
        revised: By lag k > 0, what is said k frames later, float32 (N, C): row t is of frame t - k.
            Empty where the head has no such outputs.
    """

    probabilities: NDArray[np.float32]
    boundaries: NDArray[np.float32]
    revised: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)


class Backend(Protocol):
    """Extractor and head of one model, ready to run."""

    @property
    def online(self) -> bool:
        """Whether `advance` works; `predict` always does."""

    def prepare(self, inputs: Inputs) -> Inputs:
        """Return the inputs with features of the image encoder's backbone in place of pixels."""

    def features(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return x_i of N frames, float32 (N, D_e)."""

    def predict(self, features: NDArray[np.float32]) -> Prediction:
        """Label all frames of a recording from their features, float32 (N, D_e)."""

    def initial_state(self) -> BackendState:
        """Return the state of an online head before the first frame.

        Raises:
            BundleError: The head is offline.
        """

    def advance(
        self, features: NDArray[np.float32], state: BackendState
    ) -> tuple[Prediction, BackendState]:
        """Label N frames that follow the state; return the new state too.

        Args:
            features: x_i, float32 (N, D_e).
            state: After the frame before the first.

        Raises:
            BundleError: The head is offline.
        """
