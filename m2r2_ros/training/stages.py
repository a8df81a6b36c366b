# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stages of a training, each of which continues from its own checkpoint."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch

from m2r2_ros.core.labels import LabelSet
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.network.bundle import Bundle
from m2r2_ros.network.heads.registry import is_online
from m2r2_ros.network.network import Network
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.choices import ExtractorChoice, HeadChoice, with_relative_pose
from m2r2_ros.training.data import TrainingData, fingerprint
from m2r2_ros.training.extract import extract, features_of
from m2r2_ros.training.feature_set import FeatureSet, FeatureTrack
from m2r2_ros.training.loop import Progress, train_network
from m2r2_ros.training.parameter_groups import freeze_backbones
from m2r2_ros.training.train_head import TrainedHead, train_head
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation

#: Frames that the hold waits for, by which online heads are compared beside arg max.
HELD: Final = 3


@dataclass(frozen=True, slots=True)
class Begin:
    """What every extractor of a training begins with.

    Attributes:
        model: Shapes of the network, whose head teaches the extractor.
        windows: Shape of the windows.
        labels: What the ids of targets mean.
        seed: Of all random numbers.
        extractor: Bundle of the same shapes to start from.
        freeze: Modalities whose encoder keeps its backbone as it is.
    """

    model: ModelConfig
    windows: WindowConfig
    labels: LabelSet
    seed: int
    extractor: Bundle | None = None
    freeze: Collection[str] = ()

    def network(self, model: ModelConfig | None = None) -> Network:
        """Return a network before training, by default of these shapes."""
        torch.manual_seed(self.seed)
        shape = model or self.model
        fresh = self.extractor is None
        network = Network(shape, self.windows, len(self.labels.names), pretrained=fresh)
        if self.extractor:
            network.extractor.load_state_dict(self.extractor.network.extractor.state_dict())
        freeze_backbones(network, self.freeze)
        return network


@dataclass(frozen=True, slots=True)
class Curve:
    """How a stage went.

    Attributes:
        stage: Its name.
        losses: Mean loss of each epoch.
        looks: Epochs in which held-out recordings were scored, accuracy, 0..1, F1@50, percent.
    """

    stage: str
    losses: tuple[float, ...]
    looks: tuple[tuple[int, float, float], ...] = ()


@dataclass
class Stages:
    """Trains extractors and heads; what was trained before it was interrupted is not done again.

    Attributes:
        begin: What extractors begin with.
        folder: For checkpoints.
        on_epoch: Called after each epoch with the name of the stage.
        curves: Of all stages so far, by name.
    """

    begin: Begin
    folder: Path
    on_epoch: Callable[[str, Progress], None] = lambda stage, progress: None
    curves: dict[str, Curve] = field(default_factory=dict)

    def extractor(
        self,
        stage: str,
        choice: ExtractorChoice,
        data: TrainingData,
    ) -> Network:
        """Train an extractor with an online head, on augmented recordings."""
        model = with_relative_pose(self.begin.model, choice)
        network = self.begin.network(model)
        begun = self.begin.extractor.id if self.begin.extractor else ''
        facts = (choice.config.to_dict(), model.to_dict(), self.begin.windows.to_dict())
        more = (begun, sorted(self.begin.freeze), [r.name for r in data.recordings])
        losses = train_network(
            network,
            data.recordings,
            data.normalisation,
            choice.config,
            checkpoint=self._checkpoint(stage),
            fingerprint=fingerprint(data, *facts, *more),
            progress=lambda progress: self.on_epoch(stage, progress),
        )
        self.curves[stage] = Curve(stage, tuple(losses))
        return network

    def features(
        self, network: Network, recordings: Sequence[CachedRecording], scales: Normalisation
    ) -> tuple[FeatureTrack, ...]:
        """Return what an extractor makes of recordings as they are."""
        return tuple(
            FeatureTrack(
                r.name,
                extract(r, scales, features_of(network)),
                np.array(r.targets),  # of a file that is mapped for reading alone
            )
            for r in recordings
        )

    def head(
        self,
        stage: str,
        choice: HeadChoice,
        train: Sequence[FeatureTrack],
        held_out: Sequence[FeatureTrack] = (),
        stop: int | None = None,
    ) -> TrainedHead:
        """Train a head on features.

        Args:
            stage: Name of the stage.
            choice: The head and how it is trained.
            train: To learn from.
            held_out: To choose the epoch by; without, the last one is taken.
            stop: Epochs after which to stop.
        """
        seen: list[float] = []

        def looked(accuracy: float, f1: float) -> None:
            seen[:] = accuracy, f1

        def told(epoch: int, epochs: int, loss: float) -> None:
            self.on_epoch(stage, Progress(epoch, epochs, loss, *seen))
            seen.clear()

        trained = train_head(
            choice.head,
            self._set(train, held_out),
            recipe=choice.recipe,
            seed=self.begin.seed,
            stop=stop,
            checkpoint=self._checkpoint(stage),
            rules=self._rules(choice),
            progress=told,
            looked=looked,
        )
        trained.head.load_state_dict(trained.best)
        self.curves[stage] = Curve(stage, trained.losses, trained.looks)
        return trained

    def _rules(self, choice: HeadChoice) -> tuple[Decoding, ...]:
        """Return how labels are decided while heads are compared.

        Labels of an online head that knows much flicker; a hold shows what the rule that is learnt
        in the end makes of them.
        """
        if not is_online(choice.head):
            return (Decoding(),)
        return Decoding(), Decoding(min_duration=(HELD - 0.5) / self.begin.windows.frame_rate)

    def _set(self, train: Sequence[FeatureTrack], held_out: Sequence[FeatureTrack]) -> FeatureSet:
        parts = {'train': tuple(train), 'val': tuple(held_out), 'test': ()}
        rate = self.begin.windows.frame_rate
        return FeatureSet(self.folder, self.begin.labels, rate, parts, {})

    def _checkpoint(self, stage: str) -> Path:
        """Return the file of a stage, whose name may hold what files cannot be called."""
        return self.folder / f'{hashlib.sha256(stage.encode()).hexdigest()[:16]}.safetensors'
