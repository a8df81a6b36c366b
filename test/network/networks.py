# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small networks, and inputs and windows of every modality, for tests."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.modalities import (
    BUILTIN,
    IMAGE,
    MODALITIES,
    SENSORS,
    SOUND,
    VECTOR,
    Modalities,
    Modality,
    declared,
    of_kind,
)
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.network.bundle import Bundle
from m2r2_ros.network.heads.causal_tcn import CausalTCN
from m2r2_ros.network.network import Network
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.readers.guessing import MODALITY_TYPES
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.logmel import MEL_BINS, mel_frames
from m2r2_ros.windows.normalisation import Normalisation, NormalisationFit

ARRAY = 'std_msgs/msg/Float32MultiArray'
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


def columns_of(modalities: Modalities) -> Modalities:
    """Return ALL, or others that a model looks at."""
    return ALL if modalities.items() <= ALL.items() else modalities


def make_present(
    rng: np.random.Generator, n: int, modalities: Modalities = ALL
) -> NDArray[np.bool_]:
    """Mask a third of everything, and leave the first frame without anything."""
    present = rng.uniform(size=(n, len(modalities))) > 1 / 3
    present[:1] = False
    present[1:2] = True
    return present


def make_inputs_of(
    config: ModelConfig, n: int, seed: int = 0, *, whole: bool = False
) -> InputTensors:
    """Make random inputs; images as a backbone's features.

    They have a column for each of ALL where the model looks at some of these.
    """
    columns = columns_of(config.modalities)
    rng = np.random.default_rng(seed)
    data: dict[str, torch.Tensor] = {}
    for name, modality in config.modalities.items():
        shape: tuple[int, ...] = (n, 1280)
        if modality.kind == SOUND:
            shape = (n, MEL_BINS, MEL_FRAMES)
        elif modality.kind == VECTOR:
            shape = (n, WINDOWS.points, modality.dims)
        data[name] = torch.from_numpy(rng.uniform(-1, 1, shape).astype(np.float32))
    present = make_present(rng, n, columns)
    present |= whole
    return InputTensors(data, torch.from_numpy(present), columns)


def make_windows(
    n: int, seed: int = 0, *, images: bool = False, modalities: Modalities = ALL
) -> FrameWindows:
    """Make windows whose signals wander, a third of them masked."""
    rng = np.random.default_rng(seed)
    present = make_present(rng, n, modalities)
    cameras = {name: list(modalities).index(name) for name in of_kind(modalities, IMAGE)}
    for k in cameras.values():
        present[:, k] &= images
    stamps = T + np.arange(1, n + 1) * (SECOND // 10)
    sensors = {}
    for name in of_kind(modalities, VECTOR):
        dims = modalities[name].dims
        values = rng.normal(0, 1, (n, WINDOWS.points, dims)) + rng.normal(0, 3, (n, 1, dims))
        values[~present[:, list(modalities).index(name)]] = 0
        sensors[name] = values.astype(np.float32)
    sounds = {
        name: rng.normal(0, 0.1, (n, 16_000)).astype(np.float32)
        for name in of_kind(modalities, SOUND)
    }
    restarts = np.zeros(n, np.bool_)
    restarts[:1] = True
    shown = {
        name: [make_image(i + 1000 * k) if p else None for i, p in enumerate(present[:, k])]
        for name, k in cameras.items()
    }
    return FrameWindows(
        stamps - SECOND // 10,
        stamps,
        sensors,
        present,
        restarts,
        sounds,
        shown if images else {},
        modalities,
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


def make_scales(modalities: Modalities) -> Normalisation:
    """Measure the windows of `make_windows`; their sound is taken for silence."""
    fit = NormalisationFit(modalities)
    windows = make_windows(60, 1, modalities=columns_of(modalities))
    fit.add(windows.sensors, np.stack([windows.has(name) for name in modalities], axis=1))
    return fit.result()


def topic_of(modality: Modality) -> dict[str, Any]:
    """Return the topic of a training set, as a bundle has it."""
    entry: dict[str, Any] = {'topic': f'/{modality.name}', 'type': ARRAY}
    if modality.like:
        entry['type'] = MODALITY_TYPES[modality.like][0]
    else:
        entry['fields'] = [f'data[0:{modality.dims}]']
    return (
        entry if modality.name in BUILTIN or not modality.like else entry | {'like': modality.like}
    )


def make_bundle(config: ModelConfig = SENSING, seed: int = 0) -> Bundle:
    """Make a bundle with random weights, not saved."""
    torch.manual_seed(seed)
    return Bundle(
        preset='proprio',
        labels=LABELS,
        windows=WINDOWS,
        model=config,
        normalisation=make_scales(config.modalities),
        network=Network(config, WINDOWS, len(LABELS.names)).eval(),
        decoding={'min_confidence': 0.5, 'lag': 2},
        topics={name: topic_of(m) for name, m in columns_of(config.modalities).items()},
        training={'epochs': 3},
        scores={'accuracy': 0.5},
    )
