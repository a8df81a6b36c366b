# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train extractor and online head together on cached recordings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.core.modalities import VECTOR
from m2r2_ros.model.relative_pose import relative_name
from m2r2_ros.network.extractor import drop_modalities
from m2r2_ros.network.network import Network
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.state import TrainState
from m2r2_ros.windows.normalisation import Normalisation

MAX_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training is.

    Attributes:
        epoch: Epochs that are done.
        epochs: Epochs in all.
        loss: Mean loss of the last epoch.
        accuracy: On held-out recordings, 0..1; None where they were not scored after this epoch.
        f1: F1@50 on them, percent; None likewise.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float | None = None
    f1: float | None = None


def train_network(
    network: Network,
    recordings: Sequence[CachedRecording],
    normalisation: Normalisation,
    config: TrainConfig,
    *,
    checkpoint: Path | None = None,
    fingerprint: str = '',
    progress: Callable[[Progress], None] = lambda progress: None,
) -> list[float]:
    """Train a network in place; it ends with the running average of its weights.

    Every epoch draws from its own random numbers, so that a training that was interrupted continues
    from its checkpoint to the same result.

    Args:
        network: The network; its weights are where training begins.
        recordings: What to learn.
        normalisation: Scales of these recordings.
        config: Options.
        checkpoint: File to keep the state in after each epoch, and to continue from.
        fingerprint: Of data and options; a checkpoint with another one is ignored.
        progress: Called after each epoch.

    Returns:
        The mean loss of each epoch.
    """
    sequences = sequences_of(recordings, config)
    state = TrainState(network, config, config.epochs * len(sequences), fingerprint)
    first = state.load(checkpoint) if checkpoint is not None else 0
    network.train()
    for epoch in range(first, config.epochs):
        rng = np.random.default_rng([config.seed, epoch])
        torch.manual_seed(int(rng.integers(2**62)))
        losses = []
        for k in rng.permutation(len(sequences)):
            lo, hi = _crop(len(sequences[k][0]), sequences[k][1], config, rng)
            losses.append(_step(network, state, sequences[k][0], (lo, hi), normalisation))
        state.losses.append(float(np.mean(losses)))
        if checkpoint is not None:
            state.save(checkpoint, epoch + 1)
        progress(Progress(epoch + 1, config.epochs, state.losses[-1]))
    state.use_average()
    network.eval()
    return state.losses


def sequences_of(
    recordings: Sequence[CachedRecording], config: TrainConfig
) -> list[tuple[CachedRecording, int]]:
    """Return what an epoch goes through: recordings, each with the frame that it is cut before."""
    return [(r, lo) for r in recordings for lo in range(0, max(len(r), 1), config.crop)]


def _crop(
    frames: int, first: int, config: TrainConfig, rng: np.random.Generator
) -> tuple[int, int]:
    """Choose a sequence: the recording's beginning, or anywhere."""
    if first == 0:
        return 0, min(frames, config.crop)
    lo = int(rng.integers(0, max(frames - config.crop // 3, 1)))
    return lo, min(frames, lo + config.crop)


def _step(
    network: Network,
    state: TrainState,
    recording: CachedRecording,
    span: tuple[int, int],
    normalisation: Normalisation,
) -> float:
    """Take one step on frames lo .. hi - 1 of a recording; return the loss."""
    config = state.config
    targets = torch.from_numpy(np.array(recording.targets[span[0] : span[1]]))
    if not bool((targets != UNKNOWN).any()):
        return 0.0
    inputs = augment(InputTensors.of(recording.inputs(*span, normalisation)), config)
    loss = network.head.loss(network.extractor(inputs), targets)
    state.optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
    state.advance()
    return float(loss.detach())


def augment(inputs: InputTensors, config: TrainConfig) -> InputTensors:
    """Add noise and offsets to sensors, and mask modalities, from torch's own random numbers.

    The pose of the arm and the wrench at rest differ from trial to trial. The opening of the
    gripper does not, and millimetres of it distinguish objects: it gets noise, but neither an
    offset nor a gain.
    """
    data = dict(inputs.data)
    for name, modality in inputs.modalities.items():
        if modality.kind == VECTOR and name in data:
            z = data[name]
            shift = config.offset * torch.randn(1, 1, z.shape[2])
            factor = 1 + config.gain * torch.randn(1, 1, z.shape[2])
            moved = z if modality.is_steady else factor * z + shift
            data[name] = moved + config.noise * torch.randn_like(z)
            if (relative := relative_name(name)) in data:
                # What moves all poses is not seen there; where the first one is, varies less.
                z = factor * data[relative] + config.offset / 2 * torch.randn_like(shift)
                data[relative] = z + config.noise * torch.randn_like(z)
    moved_inputs = InputTensors(data, inputs.present, inputs.modalities)
    return drop_modalities(moved_inputs, config.modality_dropout)
