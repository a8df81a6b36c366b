# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of pretraining."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.training.config import TrainConfig

TEXTS = ('labels', 'scratch', 'clip')
PRECISIONS = ('no', 'bf16', 'fp16')


@dataclass(frozen=True, slots=True)
class PretrainConfig:
    """How an extractor is pretrained; kept in the bundle.

    Attributes:
        epochs: Times each window of three actions is seen.
        seed: Of weights, order, points, words and noise.
        batch_size: Windows that are contrasted with each other on each device.
        accumulation: Batches of each optimiser step.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: Of AdamW.
        padding: p, frames on either side of the three actions (paper: 30).
        points: N_w, points of a window (paper: 100).
        sigma: Width of smoothed boundaries, points.
        layers: L, layers of the fusion transformer.
        text: What makes E_s: 'labels', 'scratch' or 'clip' (pretraining.sentences).
        per_action: Weight of contrasting each action with a sentence of its own, as
            Bridge-Prompt does; the paper names only the sentence of the whole window.
        patience: Epochs without a better validation after which to stop; 0 is never.
        precision: 'no', 'bf16' or 'fp16', for computations; weights stay float32.
        freeze: Modalities whose encoder's backbone is not trained: image, sound, text.
        layer_decay: Factor on the learning rate from each layer of a backbone to the one below.
        noise, offset, gain, modality_dropout: As in TrainConfig, for each window.
    """

    epochs: int = 50
    seed: int = 0
    batch_size: int = 8
    accumulation: int = 1
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    padding: int = 30
    points: int = 100
    sigma: float = 1.0
    layers: int = 2
    text: str = 'labels'
    per_action: float = 0.0
    patience: int = 0
    precision: str = 'no'
    freeze: tuple[str, ...] = ()
    layer_decay: float = 1.0
    noise: float = 0.1
    offset: float = 0.6
    gain: float = 0.05
    modality_dropout: float = 0.1

    def __post_init__(self) -> None:
        low = {'epochs': 1, 'batch_size': 2, 'accumulation': 1, 'points': 3, 'layers': 1}
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, (int, float)) and not value >= low.get(f.name, 0):
                msg = f'pretraining.{f.name}: expected {low.get(f.name, 0)} or more, found {value}'
                raise ConfigError(msg)
        for name, known in (('text', TEXTS), ('precision', PRECISIONS)):
            if getattr(self, name) not in known:
                found = getattr(self, name)
                msg = f'pretraining.{name}: expected one of {", ".join(known)}, found {found!r}'
                raise ConfigError(msg)
        if self.learning_rate <= 0 or self.sigma <= 0 or not 0 < self.layer_decay <= 1:
            msg = 'pretraining: expected learning_rate and sigma above 0, layer_decay in (0, 1]'
            raise ConfigError(msg)

    @property
    def augmentation(self) -> TrainConfig:
        """What `loop.augment` takes."""
        return TrainConfig(
            noise=self.noise,
            offset=self.offset,
            gain=self.gain,
            modality_dropout=self.modality_dropout,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the options by name, as YAML can hold them."""
        return {**asdict(self), 'freeze': list(self.freeze)}
