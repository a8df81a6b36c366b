# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of training."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How a network is trained; kept in the bundle.

    Attributes:
        epochs: Times each recording is seen.
        seed: Of weights, order, crops and noise.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: Of AdamW.
        crop: Frames of a training sequence; each recording gives one from its beginning, and
            longer recordings give more, from random places.
        noise: Standard deviation of white noise on z-scores.
        offset: Standard deviation of a constant offset on each channel's z-scores, so that a
            trial with other offsets looks familiar; not on the gripper's.
        gain: Standard deviation of a constant factor on each channel's z-scores; not on the
            gripper's.
        modality_dropout: Share of modalities masked over a whole sequence.
        averaging: Weight of the past in the average of weights that is kept.
    """

    epochs: int = 15
    seed: int = 0
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    crop: int = 300
    noise: float = 0.1
    offset: float = 0.6
    gain: float = 0.05
    modality_dropout: float = 0.1
    averaging: float = 0.99

    def to_dict(self) -> dict[str, Any]:
        """Return the options by name."""
        return asdict(self)
