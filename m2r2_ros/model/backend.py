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


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an extractor makes of N frames.

    Attributes:
        features: x_i, float32 (N, D_e).
        images: By camera, the features of the image encoder's backbone, float32 (N, K); rows of
            frames without an image mean nothing.
    """

    features: NDArray[np.float32]
    images: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


class Backend(Protocol):
    """Extractor and head of one model, ready to run."""

    @property
    def online(self) -> bool:
        """Whether `advance` works; otherwise `predict` does."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is not as it was asked for, such as a device that has failed."""

    def encode(self, inputs: Inputs) -> Encoded:
        """Return features of N frames."""

    def predict(self, features: NDArray[np.float32]) -> Prediction:
        """Label all frames of a recording from their features, float32 (N, D_e), N >= 1."""

    def initial_state(self) -> BackendState:
        """Return the state of an online head before the first frame.

        Raises:
            BundleError: The head is offline.
        """

    def advance(
        self, inputs: Inputs, state: BackendState
    ) -> tuple[Encoded, Prediction, BackendState]:
        """Encode and label N frames that follow the state; return the new state too.

        Raises:
            BundleError: The head is offline.
        """
