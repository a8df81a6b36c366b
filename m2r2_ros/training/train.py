# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From labelled bags to a bundle in memory."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from m2r2_ros import __version__
from m2r2_ros.bags.labels import Truth, read_truth
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.model.bundle import Bundle
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.image import EfficientNetLite0
from m2r2_ros.model.network import Network
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.training.cache import CachedRecording, CacheWriter
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.loop import Progress, train_network
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation, NormalisationFit

#: Frames that normalisation looks at in one go.
FIT_CHUNK = 512


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
    sources = [(open_recording(b), read_truth((truths or {}).get(_name(b), b))) for b in bags]
    labels = common_labels([truth for _, truth in sources])
    network = _network(model, windows, len(labels.names), config.seed)
    backbone = network.extractor.encoders['image'] if 'image' in model.modalities else None
    assert backbone is None or isinstance(backbone, EfficientNetLite0)
    writer = CacheWriter(workspace / 'windows', windows, backbone)
    recordings: list[CachedRecording] = []
    used: dict[str, dict[str, str]] = {}
    for k, (recording, truth) in enumerate(sources):
        on_recording(recording.name, k, len(sources))
        stream = WindowStream(recording, windows, model.modalities, topics)
        key = f'{k:04d}_{recording.name}'
        recordings.append(writer.write(key, stream, truth.segments, labels))
        for modality, spec in stream.topics.items():
            used.setdefault(modality, {'topic': spec.topic, 'type': spec.type})
    _expect_labels(recordings, sources)
    normalisation = fit_normalisation(recordings)
    facts = {
        'recordings': [r.name for r, _ in sources],
        'frames': sum(map(len, recordings)),
        'options': config.to_dict(),
        'm2r2_ros': __version__,
    }
    train_network(
        network,
        recordings,
        normalisation,
        config,
        checkpoint=workspace / 'checkpoint.safetensors',
        fingerprint=_fingerprint(facts, model, windows, normalisation, labels),
        progress=on_epoch,
    )
    return Bundle(
        preset=preset,
        labels=labels,
        windows=windows,
        model=model,
        normalisation=normalisation,
        network=network,
        decoding=decoding,
        topics=used,
        training=facts,
    )


def common_labels(truths: Sequence[Truth]) -> LabelSet:
    """Return one label set for all: the recordings' own sets, then labels that none of them has.

    Raises:
        LabelError: There are no labels, or a label has different parents.
    """
    parents: dict[str, str] = {}
    for truth in truths:
        own = truth.label_set or LabelSet.of(dict.fromkeys(s.label for s in truth.segments))
        for name, parent in zip(own.names, own.parents, strict=True):
            if parents.setdefault(name, parent) != parent:
                msg = f'label {name} has the parents {parents[name]!r} and {parent!r}'
                raise LabelError(msg)
    for truth in truths:
        for segment in truth.segments:
            parents.setdefault(segment.label, '')
    if not parents:
        msg = 'the recordings have ground truth topics, but no segment in them'
        raise LabelError(msg)
    return LabelSet(tuple(parents), tuple(parents.values()))


def fit_normalisation(recordings: Sequence[CachedRecording]) -> Normalisation:
    """Measure cached recordings, a few frames at a time."""
    fit = NormalisationFit()
    for recording in recordings:
        for lo in range(0, len(recording), FIT_CHUNK):
            part = slice(lo, lo + FIT_CHUNK)
            fit.add({n: a[part] for n, a in recording.arrays.items()}, recording.present[part])
    return fit.result()


def _network(model: ModelConfig, windows: WindowConfig, classes: int, seed: int) -> Network:
    import torch  # one use

    torch.manual_seed(seed)
    return Network(model, windows, classes, pretrained=True)


def _name(bag: Path) -> str:
    return bag.resolve().name if bag.is_dir() else bag.stem


def _expect_labels(
    recordings: Sequence[CachedRecording], sources: Sequence[tuple[Recording, Truth]]
) -> None:
    """Refuse a recording whose ground truth lies outside it, which no training would survive."""
    for cached, (recording, _) in zip(recordings, sources, strict=True):
        if not (cached.targets >= 0).any():
            msg = (
                f'{recording.path}: none of its {len(cached)} frames lies in a segment of the '
                'ground truth: are the clocks of both the same?'
            )
            raise LabelError(msg)


def _fingerprint(
    facts: Mapping[str, object],
    model: ModelConfig,
    windows: WindowConfig,
    normalisation: Normalisation,
    labels: LabelSet,
) -> str:
    everything = [facts, model.to_dict(), windows.to_dict(), normalisation.to_dict(), labels.names]
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()
