# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Epochs of pretraining, on one device or several, through Hugging Face accelerate."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.training.loop import MAX_GRADIENT
from m2r2_ros.training.pretraining.config import PretrainConfig
from m2r2_ros.training.pretraining.data import WindowSet
from m2r2_ros.training.pretraining.module import Pretraining
from m2r2_ros.training.pretraining.state import Epoch, PretrainState, ValidationScores
from m2r2_ros.training.pretraining.validation import validate

if TYPE_CHECKING:
    from accelerate import Accelerator


@dataclass(frozen=True, slots=True)
class PretrainingRun:
    """What every epoch needs."""

    module: Pretraining
    windows: WindowSet
    held_out: WindowSet | None
    state: PretrainState
    config: PretrainConfig


def run_epochs(
    run: PretrainingRun,
    *,
    checkpoint: Path | None,
    log_dir: Path | None,
    on_epoch: Callable[[Epoch], None],
) -> None:
    """Train until the last epoch, or until validation no longer improves.

    Every epoch draws from its own random numbers, so that an interrupted training continues to the
    same result.

    Raises:
        ConfigError: The extra `pretrain` is not installed, or fp16 has no device.
    """
    accelerator = _accelerator(run.config.precision)
    log = _EventLog(log_dir if accelerator.is_main_process else None)
    state, config = run.state, run.config
    model, optimizer = accelerator.prepare(run.module, state.optimizer)
    saved = state.load(checkpoint) if checkpoint is not None else {}
    if saved and accelerator.scaler is not None:
        accelerator.scaler.load_state_dict(saved)
    while len(state.history) < config.epochs and not state.stale(config.patience):
        action, boundary = _epoch(run, accelerator, model, optimizer)
        epoch = Epoch(len(state.history) + 1, action, boundary, _validated(run, accelerator))
        state.add(epoch)
        if accelerator.is_main_process:
            if checkpoint is not None:
                state.save(
                    checkpoint, accelerator.scaler.state_dict() if accelerator.scaler else {}
                )
            log.write(epoch)
            on_epoch(epoch)
    log.close()


def order(
    windows: int, config: PretrainConfig, processes: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return an epoch's batches: int64 (steps, processes, accumulation, batch_size).

    Every window once, and some twice so that the last batch is full.
    """
    shape = (processes, config.accumulation, config.batch_size)
    steps = -(-windows // int(np.prod(shape)))
    return np.resize(rng.permutation(windows), (steps, *shape))


def _epoch(
    run: PretrainingRun,
    accelerator: 'Accelerator',
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
) -> tuple[float, float]:
    """Train on every window once; return the means of L_action and L_boundary."""
    state, config, done = run.state, run.config, len(run.state.history)
    rng = np.random.default_rng([config.seed, done])
    batches = order(len(run.windows), config, accelerator.num_processes, rng)
    own = np.random.default_rng([config.seed, done, accelerator.process_index])
    torch.manual_seed(int(own.integers(2**62)))
    model.train()
    losses = []
    for k, step in enumerate(batches):
        for chosen in step[accelerator.process_index]:
            batch = run.windows.batch(chosen.tolist(), own, augmented=True)
            last = chosen is step[accelerator.process_index][-1]
            with nullcontext() if last else accelerator.no_sync(model):
                action, boundary, _ = model(batch.to(accelerator.device))
                accelerator.backward((action + boundary) / config.accumulation)
            losses.append(torch.stack([action.detach(), boundary.detach()]))
        accelerator.clip_grad_norm_(model.parameters(), MAX_GRADIENT)
        state.schedule((done * len(batches) + k) / (config.epochs * len(batches)))
        optimizer.step()
        optimizer.zero_grad()
        run.module.contrastive.keep_in_bounds()
    mean = accelerator.reduce(torch.stack(losses).mean(dim=0), 'mean').tolist()
    return mean[0], mean[1]


def _validated(run: PretrainingRun, accelerator: 'Accelerator') -> ValidationScores | None:
    """Return the scores on validation: their mean over processes, so that all of them agree."""
    if run.held_out is None:
        return None
    scores = validate(run.module, run.held_out, run.config, accelerator.device)
    values = torch.tensor(
        [scores.action, scores.boundary, scores.retrieval], device=accelerator.device
    )
    return ValidationScores(*accelerator.reduce(values, 'mean').tolist())


def expect_extra() -> None:
    """Refuse to start without the extra `pretrain`, before hours of work.

    Raises:
        ConfigError: It is not installed.
    """
    missing = [name for name in ('accelerate', 'tensorboardX') if find_spec(name) is None]
    if missing:
        msg = f"pretraining needs {' and '.join(missing)}: pip install 'm2r2_ros[pretrain]'"
        raise ConfigError(msg)


def _accelerator(precision: str) -> 'Accelerator':
    expect_extra()
    from accelerate import Accelerator, DistributedDataParallelKwargs  # an extra

    if precision == 'fp16' and not torch.cuda.is_available():
        msg = 'pretraining.precision: fp16 needs a CUDA device; choose bf16 or no'
        raise ConfigError(msg)
    # Encoders of masked modalities get no gradient.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(mixed_precision=precision, kwargs_handlers=[unused])


class _EventLog:
    """TensorBoard event files, if a folder is given."""

    def __init__(self, folder: Path | None) -> None:
        self._writer: Any = None
        if folder is not None:
            from tensorboardX import SummaryWriter  # an extra

            self._writer = SummaryWriter(str(folder))

    def write(self, epoch: Epoch) -> None:
        """Write an epoch's losses and scores."""
        if self._writer is None:
            return
        values = {'train/action': epoch.action, 'train/boundary': epoch.boundary}
        if epoch.validation:
            values['validation/action'] = epoch.validation.action
            values['validation/boundary'] = epoch.validation.boundary
            values['validation/retrieval'] = epoch.validation.retrieval
        for name, value in values.items():
            self._writer.add_scalar(name, value, epoch.epoch)
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
