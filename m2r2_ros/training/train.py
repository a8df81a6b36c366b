# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From labelled bags to a bundle in memory."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from m2r2_ros import __version__
from m2r2_ros.model.bundle import Bundle
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.network import Network
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.data import fingerprint, prepare
from m2r2_ros.training.loop import Progress, train_network
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
    truths: Mapping[str, Path] | None = None,
    topics: Mapping[str, TopicSpec] | None = None,
    on_recording: Callable[[str, int, int], None] = lambda name, k, n: None,
    on_epoch: Callable[[Progress], None] = lambda progress: None,
) -> Bundle:
    """Train on recordings with ground truth.

    Args:
        bags: Recordings.
        preset: Name of the preset that `model` came from.
        model: Shapes of the network; modalities without a topic in any bag stay masked.
        windows: Shape of the windows.
        config: Options of the training.
        decoding: Options of the decoder that the bundle proposes.
        workspace: Folder for cached windows and the checkpoint; the caller removes it.
        truths: Files with the ground truth of recordings that do not hold it, by name.
        topics: Topics that are not to be guessed.
        on_recording: Called with name, count and total as windows are made.
        on_epoch: Called after each epoch.

    Raises:
        M2R2Error: A recording cannot be read or has no ground truth.
    """
    prepared = prepare(
        bags,
        model=model,
        windows=windows,
        folder=workspace / 'windows',
        truths=truths,
        topics=topics,
        on_recording=on_recording,
    )
    recordings, labels = prepared.recordings, prepared.labels
    network = _network(model, windows, len(labels.names), config.seed)
    facts = {
        'recordings': [r.name for r in recordings],
        'frames': sum(map(len, recordings)),
        'options': config.to_dict(),
        'm2r2_ros': __version__,
    }
    train_network(
        network,
        recordings,
        prepared.normalisation,
        config,
        checkpoint=workspace / 'checkpoint.safetensors',
        fingerprint=fingerprint(prepared, facts, model.to_dict(), windows.to_dict()),
        progress=on_epoch,
    )
    return Bundle(
        preset=preset,
        labels=labels,
        windows=windows,
        model=model,
        normalisation=prepared.normalisation,
        network=network,
        decoding=decoding,
        topics=prepared.topics,
        training=facts,
    )


def _network(model: ModelConfig, windows: WindowConfig, classes: int, seed: int) -> Network:
    import torch  # one use

    torch.manual_seed(seed)
    return Network(model, windows, classes, pretrained=True)
