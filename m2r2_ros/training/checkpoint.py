# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of a training: optimiser, schedule, averaged weights; on disk between epochs."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from m2r2_ros.core.files import atomic_write
from m2r2_ros.model.network import Network
from m2r2_ros.training.config import TrainConfig

MOMENTS = ('exp_avg', 'exp_avg_sq', 'step')


class Checkpoint:
    """Optimiser, one-cycle schedule and running average of one network's weights.

    Attributes:
        optimizer: AdamW over the parameters that are trained.
        config: Options of the training.
    """

    def __init__(self, network: Network, config: TrainConfig, steps: int, fingerprint: str) -> None:
        """Begin a training of so many steps."""
        self.config = config
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
        # The average of few steps is short, so that it forgets where training began.
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
        """Write the state after an epoch, replacing the file at once."""
        tensors: dict[str, Tensor] = {}
        for name, parameter in self._trained.items():
            tensors[f'weights/{name}'] = parameter.detach().contiguous()
            tensors[f'average/{name}'] = self._average[name].contiguous()
            for moment in MOMENTS:
                if parameter in self.optimizer.state:
                    tensors[f'{moment}/{name}'] = self.optimizer.state[parameter][moment]
        facts = {
            'fingerprint': self._fingerprint, 'epoch': str(epoch), 'done': str(self._done),
        }  # fmt: skip
        with atomic_write(path) as draft:
            save_file(tensors, draft, metadata=facts)

    def load(self, path: Path) -> int:
        """Go on from a file where it belongs to this training; return the epochs done."""
        try:
            with safe_open(path, framework='pt') as file:
                facts = file.metadata() or {}
                if facts.get('fingerprint') != self._fingerprint:
                    return 0
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError):
            return 0
        with torch.no_grad():
            for name, parameter in self._trained.items():
                parameter.copy_(tensors[f'weights/{name}'])
                self._average[name] = tensors[f'average/{name}']
                moments = {m: tensors[f'{m}/{name}'] for m in MOMENTS if f'{m}/{name}' in tensors}
                if moments:
                    self.optimizer.state[parameter] = moments
        self._done = int(facts['done'])
        return int(facts['epoch'])


def one_cycle(share: float, warm_up: float = 0.1) -> float:
    """Return the learning rate's share of its peak: up in a line, down in a cosine."""
    if share < warm_up:
        return 0.04 + 0.96 * share / warm_up
    return float((1 + torch.cos(torch.tensor((share - warm_up) / (1 - warm_up) * torch.pi))) / 2)
