# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From labelled bags to a bundle in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from m2r2_ros import __version__
from m2r2_ros.model.bundle import Bundle
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.image import ImageEncoder
from m2r2_ros.model.network import Network
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.data import fingerprint, prepare
from m2r2_ros.training.loop import Progress, train_network
from m2r2_ros.training.parameter_groups import freeze_backbones
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
        model: Shapes of the network; modalities without a topic in any bag stay masked.
        windows: Shape of the windows.
        config: Options of the training.
        decoding: Options of the decoder that the bundle proposes.
        workspace: Folder for cached windows and the checkpoint; the caller removes it.
        extractor: Bundle whose extractor to begin with, and whose scales to keep; of the same
            shapes as `model` and `windows`.
        freeze: Modalities whose encoder keeps its backbone as it is.
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
        image_encoder=_image_encoder(extractor, freeze),
        truths=truths,
        topics=topics,
        normalisation=extractor.normalisation if extractor else None,
        on_recording=on_recording,
    )
    recordings, labels = prepared.recordings, prepared.labels
    network = _network(model, windows, len(labels.names), config.seed)
    if extractor:
        network.extractor.load_state_dict(extractor.network.extractor.state_dict())
    freeze_backbones(network, freeze)
    facts = {
        'recordings': [r.name for r in recordings],
        'frames': sum(map(len, recordings)),
        'options': config.to_dict(),
        'm2r2_ros': __version__,
        **({'extractor': {'model': extractor.id, **extractor.training}} if extractor else {}),
        **({'freeze': sorted(freeze)} if freeze else {}),
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


def _image_encoder(extractor: Bundle | None, freeze: Collection[str]) -> ImageEncoder | None:
    """Return the encoder of images whose features may be cached, with its own weights."""
    if extractor is None:
        return None
    freeze_backbones(extractor.network, freeze)
    encoder = dict(extractor.network.extractor.encoders.items()).get('image')
    return encoder if isinstance(encoder, ImageEncoder) else None
