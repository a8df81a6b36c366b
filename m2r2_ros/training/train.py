# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From labelled bags to a bundle in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from m2r2_ros import __version__
from m2r2_ros.model.bundle import Bundle
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.network import Network
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.data import TrainingData, fingerprint, image_encoder_of, prepare
from m2r2_ros.training.loop import Progress, train_network
from m2r2_ros.training.parameter_groups import freeze_backbones
from m2r2_ros.training.recordings import LabelledRecordings, open_labelled
from m2r2_ros.windows.config import WindowConfig


def train(
    bags: Sequence[Path],
    *,
    preset: str,
    model: ModelConfig,
    windows: WindowConfig,
    config: TrainConfig,
    decoding: Mapping[str, float],
    workspace: Path,
    extractor: Bundle | None = None,
    freeze: Collection[str] = (),
    truths: Mapping[str, Path] | None = None,
    topics: Mapping[str, TopicSpec] | None = None,
    on_recording: Callable[[str, int, int], None] = lambda name, k, n: None,
    on_epoch: Callable[[Progress], None] = lambda progress: None,
) -> Bundle:
    """Train on recordings with ground truth.

    Args:
        bags: Recordings.
        preset: Name of the preset that `model` came from.
        model: Shapes of the network; modalities without a topic in any recording stay masked.
        windows: Shape of the windows.
        config: Options of the training.
        decoding: Options of the decoder that the bundle proposes.
        workspace: Folder for cached windows and the checkpoint; the caller removes it.
        extractor: Bundle of the same shapes, whose extractor and scales to begin with.
        freeze: Modalities whose encoder keeps its backbone as it is.
        truths: Ground truth files of recordings that do not hold it, by name.
        topics: Topics that are not to be guessed.
        on_recording: Called with name, count and total as windows are made.
        on_epoch: Called after each epoch.

    Raises:
        M2R2Error: A recording cannot be read or has no ground truth.
    """
    labelled = open_labelled(bags, truths)
    network = _network(model, windows, labelled, config.seed, extractor, freeze)
    prepared = prepare(
        labelled,
        modalities=model.modalities,
        windows=windows,
        folder=workspace / 'windows',
        image_encoder=image_encoder_of(network),
        topics=topics,
        normalisation=extractor.normalisation if extractor else None,
        on_recording=on_recording,
    )
    facts = _facts(prepared, config, extractor, freeze)
    train_network(
        network,
        prepared.recordings,
        prepared.normalisation,
        config,
        checkpoint=workspace / 'checkpoint.safetensors',
        fingerprint=fingerprint(prepared, facts, model.to_dict(), windows.to_dict()),
        progress=on_epoch,
    )
    bundle = prepared.bundle(network, facts, preset=preset, model=model, windows=windows)
    return replace(bundle, decoding=decoding)


def _network(
    model: ModelConfig,
    windows: WindowConfig,
    labelled: LabelledRecordings,
    seed: int,
    extractor: Bundle | None,
    freeze: Collection[str],
) -> Network:
    """Return the network that training begins with."""
    torch.manual_seed(seed)
    network = Network(model, windows, len(labelled.labels.names), pretrained=extractor is None)
    if extractor:
        network.extractor.load_state_dict(extractor.network.extractor.state_dict())
    freeze_backbones(network, freeze)
    return network


def _facts(
    prepared: TrainingData,
    config: TrainConfig,
    extractor: Bundle | None,
    freeze: Collection[str],
) -> dict[str, Any]:
    """Return how the network was trained, to be kept in the bundle."""
    return {
        'recordings': [r.name for r in prepared.recordings],
        'frames': sum(map(len, prepared.recordings)),
        'options': config.to_dict(),
        'm2r2_ros': __version__,
        **({'extractor': {'model': extractor.id, **extractor.training}} if extractor else {}),
        **({'freeze': sorted(freeze)} if freeze else {}),
    }
