# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small networks, and inputs and windows of every modality, for tests."""

from dataclasses import replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.modalities import MODALITIES, SENSORS, SOUND, VECTOR, declared, of_kind
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.bundle import Bundle
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.heads.causal_tcn import CausalTCN
from m2r2_ros.model.heads.config import CausalTCNConfig
from m2r2_ros.model.network import Network
from m2r2_ros.model.tensors import InputTensors
from m2r2_ros.readers.guessing import MODALITY_TYPES
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.logmel import MEL_BINS, mel_frames
from m2r2_ros.windows.normalisation import NormalisationFit

T = 1_700_000_000 * SECOND
WINDOWS = WindowConfig()
MEL_FRAMES = mel_frames(16_000)
SMALL = ModelConfig(
    declared(('sound', *SENSORS)), width=32, heads=2, feedforward=32, mlp=32, sound_width=64,
    sound_layers=1, head=CausalTCNConfig(width=16, layers=4),
)  # fmt: skip
ALL = declared(MODALITIES)
SENSING = replace(SMALL, modalities=declared(SENSORS))
LABELS = LabelSet(('reach', 'grasp', 'lift'), ('move', 'hold', 'move'))


def make_present(rng: np.random.Generator, n: int) -> NDArray[np.bool_]:
    """Mask a third of everything, and leave the first frame without anything."""
    present = rng.uniform(size=(n, len(MODALITIES))) > 1 / 3
    present[:1] = False
    present[1:2] = True
    return present


def make_inputs_of(
    config: ModelConfig, n: int, seed: int = 0, *, whole: bool = False
) -> InputTensors:
    """Make random inputs; images as a backbone's features."""
    rng = np.random.default_rng(seed)
    data: dict[str, torch.Tensor] = {}
    for name, modality in config.modalities.items():
        shape: tuple[int, ...] = (n, 1280)
        if modality.kind == SOUND:
            shape = (n, MEL_BINS, MEL_FRAMES)
        elif modality.kind == VECTOR:
            shape = (n, WINDOWS.points, modality.dims)
        data[name] = torch.from_numpy(rng.uniform(-1, 1, shape).astype(np.float32))
    present = np.ones((n, 6), np.bool_) if whole else make_present(rng, n)
    return InputTensors(data, torch.from_numpy(present))


def make_windows(n: int, seed: int = 0, *, images: bool = False) -> FrameWindows:
    """Make windows whose signals wander, a third of them masked."""
    rng = np.random.default_rng(seed)
    present = make_present(rng, n)
    present[:, 0] &= images
    stamps = T + np.arange(1, n + 1) * (SECOND // 10)
    sensors = {}
    for name in of_kind(ALL, VECTOR):
        dims = ALL[name].dims
        values = rng.normal(0, 1, (n, WINDOWS.points, dims)) + rng.normal(0, 3, (n, 1, dims))
        values[~present[:, MODALITIES.index(name)]] = 0
        sensors[name] = values.astype(np.float32)
    sound = rng.normal(0, 0.1, (n, 16_000)).astype(np.float32)
    restarts = np.zeros(n, np.bool_)
    restarts[:1] = True
    shown = [make_image(k) if p else None for k, p in enumerate(present[:, 0])]
    return FrameWindows(
        stamps - SECOND // 10,
        stamps,
        sensors,
        present,
        restarts,
        {'sound': sound},
        {'image': shown} if images else {},
    )


def make_image(seed: int, height: int = 60, width: int = 80) -> EncodedImage:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)
    png = cv2.imencode('.png', pixels[:, :, ::-1])[1].tobytes()
    return EncodedImage(png, decode_png)


def decode_png(payload: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image[:, :, ::-1], np.uint8)


def enliven(bundle: Bundle) -> None:
    """Let a head of random weights change its mind, which it hardly ever does."""
    assert isinstance(bundle.network.head, CausalTCN)
    for stage in bundle.network.head.stages:
        for layer in stage.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=1.5 / layer.in_features**0.5)
                nn.init.zeros_(layer.bias)


def make_bundle(config: ModelConfig = SENSING, seed: int = 0) -> Bundle:
    """Make a bundle with random weights, not saved."""
    torch.manual_seed(seed)
    fit = NormalisationFit(ALL)
    windows = make_windows(60, 1)
    fit.add(windows.sensors, windows.present)
    return Bundle(
        preset='proprio',
        labels=LABELS,
        windows=WINDOWS,
        model=config,
        normalisation=fit.result(),
        network=Network(config, WINDOWS, len(LABELS.names)).eval(),
        decoding={'min_confidence': 0.5, 'lag': 2},
        topics={m: {'topic': f'/{m}', 'type': MODALITY_TYPES[m][0]} for m in MODALITIES},
        training={'epochs': 3},
        scores={'accuracy': 0.5},
    )
