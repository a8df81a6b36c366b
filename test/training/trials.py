# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cached recordings made by hand, and small networks to learn them."""

import numpy as np
import torch

from m2r2_ros.core.modalities import BUILTIN, MODALITIES, column, declared
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.network.network import Network
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.data import fit_normalisation
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.logmel import MEL_BINS, mel_frames
from m2r2_ros.windows.normalisation import Normalisation

ALL = declared(MODALITIES)
WINDOWS = WindowConfig(sensor_rate=40.0, audio_context=0.5)
COLUMNS = mel_frames(round(WINDOWS.audio_context * WINDOWS.audio_rate))
MODEL = ModelConfig(
    declared(('wrench', 'gripper')),
    width=16,
    heads=2,
    feedforward=16,
    mlp=16,
    dropout=0.1,
    head=CausalTCNConfig(width=16, layers=3, stages=2),
)
QUICK = TrainConfig(epochs=3, crop=20)


def trial(frames: int = 60, seed: int = 0, *, sound: bool = False) -> CachedRecording:
    """Make a recording whose force and width tell which of three labels a frame has."""
    rng = np.random.default_rng(seed)
    targets = rng.permutation(np.arange(frames) // 10) % 3
    targets = np.sort(targets) if frames < 10 else np.repeat(targets[: -(-frames // 10)], 10)
    targets = targets[:frames].astype(np.int64)
    shape = (frames, WINDOWS.points)
    arrays = {
        name: rng.normal(0, 1, (*shape, BUILTIN[name].dims)).astype(np.float32)
        for name in ('wrench', 'gripper')
    }
    arrays['wrench'][..., 2] -= 20 * (targets == 1)[:, None]
    arrays['gripper'] = (arrays['gripper'] * 1e-3 + 0.05 * (targets == 2)[:, None, None]).astype(
        np.float32
    )
    present = np.zeros((frames, len(ALL)), np.bool_)
    present[:, [column(ALL, m) for m in ('wrench', 'gripper')]] = True
    if sound:
        arrays['sound'] = rng.uniform(-80, 0, (frames, MEL_BINS, COLUMNS)).astype(np.float16)
        present[:, column(ALL, 'sound')] = True
    stamps = 10**8 * np.arange(frames)
    restarts = np.arange(frames) == 0
    return CachedRecording(f'trial{seed}', stamps, targets, restarts, arrays, present, ALL)


def fitted(*recordings: CachedRecording) -> Normalisation:
    return fit_normalisation(recordings)


def network(seed: int = 0, model: ModelConfig = MODEL) -> Network:
    torch.manual_seed(seed)
    return Network(model, WINDOWS, 3)


def weights(net: Network) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in net.named_parameters()}


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[n], b[n]) for n in a)
