# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of a training: optimiser, schedule, averaged weights; on disk between epochs."""

from pathlib import Path

import torch

from m2r2_ros.network.network import Network
from m2r2_ros.training.checkpoint import load_checkpoint, save_checkpoint
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.schedule import one_cycle


class TrainState:
    """Optimiser, one-cycle schedule and running average of one network's weights.

    Attributes:
        optimizer: AdamW over the parameters that are trained.
        config: Options of the training.
        losses: Mean loss of each epoch so far.
    """

    def __init__(self, network: Network, config: TrainConfig, steps: int, fingerprint: str) -> None:
        """Begin a training.

        Args:
            network: What is trained; its frozen parameters stay as they are.
            config: Options.
            steps: Optimiser steps in all.
            fingerprint: Of data and options, by which a checkpoint is recognised.
        """
        self.config = config
        self.losses: list[float] = []
        self._network = network
        self._fingerprint = fingerprint
        self._steps = steps
        self._done = 0
        self._trained = {n: p for n, p in network.named_parameters() if p.requires_grad}
        self._average = {n: p.detach().clone() for n, p in self._trained.items()}
        self.optimizer = torch.optim.AdamW(
            self._trained.values(), config.learning_rate, weight_decay=config.weight_decay
        )

    def advance(self) -> None:
        """Take an optimiser step at the schedule's rate, and move the average."""
        self.optimizer.param_groups[0]['lr'] = self.config.learning_rate * one_cycle(
            self._done / max(self._steps, 1)
        )
        self.optimizer.step()
        self._done += 1
        # Early averages are short, so that the initial weights are soon forgotten.
        past = min(self.config.averaging, self._done / (self._done + 10))
        with torch.no_grad():
            for name, parameter in self._trained.items():
                self._average[name].lerp_(parameter, 1 - past)

    def use_average(self) -> None:
        """Put the averaged weights into the network."""
        with torch.no_grad():
            for name, parameter in self._trained.items():
                parameter.copy_(self._average[name])

    def save(self, path: Path, epoch: int) -> None:
        """Write the state after an epoch, replacing the file in one step."""
        save_checkpoint(
            path,
            self._network,
            self.optimizer,
            fingerprint=self._fingerprint,
            facts={'epoch': epoch, 'steps': self._done, 'losses': self.losses},
            groups={'average': self._average},
        )

    def load(self, path: Path) -> int:
        """Continue from a file if it belongs to this training; return the epochs done."""
        kept = load_checkpoint(path, self._network, self.optimizer, fingerprint=self._fingerprint)
        if kept is None:
            return 0
        self._average = kept.groups['average']
        self._done = int(kept.facts['steps'])
        self.losses = [float(loss) for loss in kept.facts['losses']]
        return int(kept.facts['epoch'])
