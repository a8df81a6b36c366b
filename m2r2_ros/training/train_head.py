# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train any head on features: the one trainer that all heads share."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from m2r2_ros import __version__
from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.model.head_config import HeadConfig
from m2r2_ros.network.heads.base import Head, Recipe
from m2r2_ros.network.heads.registry import make_head
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.training.checkpoint import load_checkpoint, save_checkpoint
from m2r2_ros.training.feature_set import FeatureSet, FeatureTrack
from m2r2_ros.training.schedule import one_cycle
from m2r2_ros.training.scoring import probabilities_of, score_labelling
from m2r2_ros.training.vary import varied

#: How often in a training the validation recordings are scored.
LOOKS = 10


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """A head after training.

    Attributes:
        head: With the weights of the last epoch.
        best: Weights of the epoch that was best on the validation recordings (F1@50 plus
            accuracy in percent); those of the last where there are none.
        best_epoch: That epoch.
        looks: Epochs in which the validation recordings were scored, with accuracy, 0..1, and
            F1@50, percent, by the better of the rules that it was scored with.
        losses: Mean loss of each epoch.
    """

    head: Head
    best: dict[str, Tensor]
    best_epoch: int
    looks: tuple[tuple[int, float, float], ...]
    losses: tuple[float, ...]


def train_head(
    config: HeadConfig,
    features: FeatureSet,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    stop: int | None = None,
    checkpoint: Path | None = None,
    rules: Sequence[Decoding] = (Decoding(),),
    progress: Callable[[int, int, float], None] = lambda epoch, epochs, loss: None,
    looked: Callable[[float, float], None] = lambda accuracy, f1: None,
) -> TrainedHead:
    """Train a head on the train part of a feature set.

    The test part is not used. The same seed gives the same weights on one thread,
    and an interrupted training continues to the same result.

    Args:
        config: The head.
        features: What to learn from, and to validate on.
        recipe: How; by default as published.
        seed: Of weights, order and dropout.
        stop: Epochs after which to stop, as if interrupted; by default all of the recipe's.
        checkpoint: File to keep the state in after each epoch, and to continue from.
        rules: By which labels of the validation recordings are decided, to be scored.
        progress: Called with epoch, epochs and mean loss.
        looked: Called before that with accuracy, 0..1, and F1@50, percent, in epochs after which
            the validation recordings are scored.
    """
    torch.manual_seed(seed)
    head = make_head(config, features.width, len(features.labels.names))
    recipe = recipe or head.recipe
    tracks = [t for t in features.parts['train'] if (t.targets != UNKNOWN).any()]
    head.fit_label_statistics([t.labels for t in tracks])
    optimizer = torch.optim.Adam(
        head.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    fingerprint = _fingerprint(config, features, recipe, seed)
    state = _HeadState(head, optimizer, recipe, rules, checkpoint, fingerprint)
    last = recipe.epochs if stop is None else min(stop, recipe.epochs)
    for epoch in range(state.resume(), last):
        rng = np.random.default_rng([seed, epoch])
        torch.manual_seed(int(rng.integers(2**62)))
        order = [tracks[k] for k in rng.permutation(len(tracks))]
        if recipe.anneal:
            optimizer.param_groups[0]['lr'] = recipe.learning_rate * one_cycle(
                epoch / recipe.epochs
            )
        loss = _train_epoch(head, optimizer, order, recipe, rng)
        state.add(epoch + 1, loss, features)
        if state.looks and state.looks[-1][0] == epoch + 1:
            looked(*state.looks[-1][1:])
        progress(epoch + 1, last, loss)
    head.eval()
    return TrainedHead(head, *state.best(), tuple(state.looks), tuple(state.losses))


def _train_epoch(
    head: Head,
    optimizer: torch.optim.Optimizer,
    tracks: Sequence[FeatureTrack],
    recipe: Recipe,
    rng: np.random.Generator,
) -> float:
    """Take a step for every `batch` recordings; return the mean loss."""
    head.train()
    losses = []
    for lo in range(0, len(tracks), recipe.batch):
        group = tracks[lo : lo + recipe.batch]
        optimizer.zero_grad()
        for track in group:
            loss = head.loss(*_sequence(track, recipe, rng)) / len(group)
            loss.backward()
            losses.append(float(loss.detach()) * len(group))
        optimizer.step()
    return float(np.mean(losses))


def _sequence(
    track: FeatureTrack, recipe: Recipe, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return features and labels of a recording, or of a variation of it."""
    if not recipe.vary:
        return track.features, track.labels
    frames = torch.from_numpy(varied(track.targets, recipe.vary, rng))
    return track.features[frames], track.labels[frames]


class _HeadState:
    """What a training keeps besides the head: its checkpoint, and the best weights so far."""

    def __init__(
        self,
        head: Head,
        optimizer: torch.optim.Optimizer,
        recipe: Recipe,
        rules: Sequence[Decoding],
        checkpoint: Path | None,
        fingerprint: str,
    ) -> None:
        self._head, self._optimizer, self._recipe = head, optimizer, recipe
        self._rules = rules
        self._checkpoint, self._fingerprint = checkpoint, fingerprint
        self._score, self._best_epoch = -1.0, 0
        self._best: dict[str, Tensor] = {}
        self.looks: list[tuple[int, float, float]] = []
        self.losses: list[float] = []
        self._schedule = (
            None
            if recipe.patience is None
            else torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimizer, factor=0.5, patience=recipe.patience
            )
        )

    def resume(self) -> int:
        """Continue from the checkpoint; return the epochs done."""
        if self._checkpoint is None:
            return 0
        kept = load_checkpoint(
            self._checkpoint, self._head, self._optimizer, fingerprint=self._fingerprint
        )
        if kept is None:
            return 0
        self._best = kept.groups.get('best', {})
        self._score, self._best_epoch = kept.facts['score'], kept.facts['best_epoch']
        self.looks = [(int(e), a, f) for e, a, f in kept.facts['looks']]
        for loss in kept.facts['losses']:
            self._schedule_after(loss)
        return int(kept.facts['epoch'])

    def add(self, epoch: int, loss: float, features: FeatureSet) -> None:
        """Take in an epoch: score the validation recordings now and then, and save the state."""
        self._schedule_after(loss)
        every = max(1, self._recipe.epochs // LOOKS)
        if features.parts['val'] and (epoch % every == 0 or epoch == self._recipe.epochs):
            accuracy, f1 = self._look(features)
            self.looks.append((epoch, accuracy, f1))
            value = f1 + 100 * accuracy
            # A rate that goes down makes the later of two equal epochs the steadier one.
            if value > self._score or (self._recipe.anneal and value == self._score):
                self._score, self._best_epoch = value, epoch
                self._best = _copied(self._head)
        if self._checkpoint is not None:
            save_checkpoint(
                self._checkpoint,
                self._head,
                self._optimizer,
                fingerprint=self._fingerprint,
                facts={
                    'epoch': epoch,
                    'score': self._score,
                    'best_epoch': self._best_epoch,
                    'looks': self.looks,
                    'losses': self.losses,
                },
                groups={'best': self._best},
            )

    def _look(self, features: FeatureSet) -> tuple[float, float]:
        """Return accuracy and F1@50 of the validation recordings."""
        found = probabilities_of(self._head, features.parts['val'])
        scores = [
            score_labelling(found, features.labels, features.frame_rate, rule)
            for rule in self._rules
        ]
        looks = [(s.accuracy or 0.0, s.f1[50] or 0.0) for s in scores]
        return max(looks, key=lambda look: 100 * look[0] + look[1])

    def _schedule_after(self, loss: float) -> None:
        """Set the learning rate of the next epoch, which follows from all losses so far."""
        self.losses.append(loss)
        if self._schedule is not None:
            self._schedule.step(loss)

    def best(self) -> tuple[dict[str, Tensor], int]:
        """Return the best weights and their epoch; the last ones where none were scored."""
        if self._best:
            return self._best, self._best_epoch
        return _copied(self._head), len(self.losses)


def _copied(head: Head) -> dict[str, Tensor]:
    return {n: t.clone() for n, t in head.state_dict().items()}


def _fingerprint(config: HeadConfig, features: FeatureSet, recipe: Recipe, seed: int) -> str:
    """Return a hash of everything that a training depends on."""
    options = (config.to_dict(), asdict(recipe), seed, features.labels.names, __version__)
    text = json.dumps((options, digest(features, ('train', 'val'))), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def digest(features: FeatureSet, parts: Sequence[str]) -> str:
    """Return a hash of some parts of a feature set: names, labels, and some frames of each."""
    found = hashlib.sha256()
    for part in parts:
        for track in features.parts[part]:
            found.update(track.name.encode() + track.targets.tobytes())
            found.update(np.ascontiguousarray(track.values[:: max(1, len(track) // 8)]).tobytes())
    return found.hexdigest()
