# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of a pretraining: weights, optimiser, results of each epoch; on disk in between."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from m2r2_ros.training.checkpoint import load_checkpoint, save_checkpoint
from m2r2_ros.training.parameter_groups import parameter_groups
from m2r2_ros.training.pretraining.config import PretrainConfig
from m2r2_ros.training.pretraining.module import Pretraining
from m2r2_ros.training.schedule import one_cycle


@dataclass(frozen=True, slots=True)
class ValidationScores:
    """Losses and retrieval on the validation windows.

    Attributes:
        action: L_action.
        boundary: L_boundary.
        retrieval: Share of windows whose own sentence is the nearest of all distinct ones.
    """

    action: float
    boundary: float
    retrieval: float

    @property
    def total(self) -> float:
        """L_action + L_boundary (paper eq. 5), by which the best epoch is chosen."""
        return self.action + self.boundary


@dataclass(frozen=True, slots=True)
class Epoch:
    """Results of an epoch.

    Attributes:
        epoch: Epochs that are done.
        action: Mean L_action in training.
        boundary: Mean L_boundary in training.
        validation: Scores on the validation windows, where there are any.
    """

    epoch: int
    action: float
    boundary: float
    validation: ValidationScores | None


class PretrainState:
    """Weights, optimiser and one-cycle schedule of a pretraining, and its best epoch.

    Attributes:
        optimizer: AdamW over the parameters that are trained.
        history: Epochs that are done.
        best: The extractor's trained weights after the best epoch; empty without validation.
        best_epoch: The epoch with the smallest total on validation; 0 without validation.
    """

    def __init__(self, module: Pretraining, config: PretrainConfig, fingerprint: str) -> None:
        """Begin a pretraining, and freeze the parts of the module that `config` names."""
        self._module = module
        self._fingerprint = fingerprint
        self.optimizer = torch.optim.AdamW(
            parameter_groups(
                module,
                learning_rate=config.learning_rate,
                weight_decay=config.weight_decay,
                freeze=config.freeze,
                layer_decay=config.layer_decay,
            )
        )
        self._peaks = [group['lr'] for group in self.optimizer.param_groups]
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = {}
        self.best_epoch = 0

    def schedule(self, share: float) -> None:
        """Set the learning rates for a step after `share` of all steps."""
        for group, peak in zip(self.optimizer.param_groups, self._peaks, strict=True):
            group['lr'] = peak * one_cycle(share)

    def add(self, epoch: Epoch) -> None:
        """Record an epoch, and keep the extractor if none was better."""
        self.history.append(epoch)
        scores = [e.validation.total for e in self.history if e.validation]
        if scores and scores[-1] <= min(scores):
            self.best_epoch = epoch.epoch
            self.best = {
                name: p.detach().cpu().clone()
                for name, p in self._module.extractor.named_parameters()
                if p.requires_grad
            }

    def stale(self, patience: int) -> bool:
        """Return whether no epoch of the last `patience` ones was better."""
        return 0 < patience <= len(self.history) - self.best_epoch and self.best_epoch > 0

    def save(self, path: Path, scaler: dict[str, Any]) -> None:
        """Write the state after an epoch, replacing the file in one step.

        Args:
            path: The file.
            scaler: State of the loss scaler of fp16; empty without one.
        """
        facts = {
            'history': [asdict(epoch) for epoch in self.history],
            'best_epoch': self.best_epoch,
            'scaler': scaler,
        }
        save_checkpoint(
            path,
            self._module,
            self.optimizer,
            fingerprint=self._fingerprint,
            facts=facts,
            groups={'best': self.best},
        )

    def load(self, path: Path) -> dict[str, Any]:
        """Continue from a file if it belongs to this pretraining; return the scaler's state."""
        kept = load_checkpoint(path, self._module, self.optimizer, fingerprint=self._fingerprint)
        if kept is None:
            return {}
        facts = kept.facts
        self.history = [
            Epoch(**{**e, 'validation': e['validation'] and ValidationScores(**e['validation'])})
            for e in facts['history']
        ]
        self.best, self.best_epoch = kept.groups.get('best', {}), facts['best_epoch']
        scaler: dict[str, Any] = facts['scaler']
        return scaler
