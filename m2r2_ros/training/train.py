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
from m2r2_ros.core.errors import ConfigError, LabelError
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
    sources = [_source(bag, truths or {}) for bag in bags]
    labels = common_labels({recording.path: truth for recording, truth in sources})
    network = _network(model, windows, len(labels.names), config.seed)
    backbone = network.extractor.encoders['image'] if 'image' in model.modalities else None
    assert backbone is None or isinstance(backbone, EfficientNetLite0)
    writer = CacheWriter(workspace / 'windows', windows, backbone)
    recordings: list[CachedRecording] = []
    used: dict[str, dict[str, str]] = {}
    for k, (recording, truth) in enumerate(sources):
        on_recording(recording.name, k, len(sources))
        stream = WindowStream(recording, windows, model.modalities, topics)
        recordings.append(writer.write(recording.name, stream, truth.segments, labels))
        for modality, spec in stream.topics.items():
            used.setdefault(modality, {'topic': spec.topic, 'type': spec.type})
    _expect_labels(recordings, sources)
    _expect_topics(topics or {}, model.modalities, used)
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
        fingerprint=_fingerprint(
            facts,
            model.to_dict(),
            windows.to_dict(),
            normalisation.to_dict(),
            labels.names,
            *(hashlib.sha256(r.targets.tobytes()).hexdigest() for r in recordings),
        ),
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


def common_labels(truths: Mapping[Path, Truth]) -> LabelSet:
    """Return one label set for all: the recordings' own sets, then labels that none of them has.

    Args:
        truths: By recording.

    Raises:
        LabelError: There are no labels, or a label has different parents.
    """
    parents: dict[str, str] = {}
    seen: dict[str, Path] = {}
    for path, truth in truths.items():
        own = truth.label_set or LabelSet((), ())
        for name, parent in zip(own.names, own.parents, strict=True):
            if parents.setdefault(name, parent) != parent:
                msg = (
                    f'label {name} is a {parents[name]!r} in {seen[name]} and a {parent!r} in '
                    f'{path}: its parent has to be the same in all recordings'
                )
                raise LabelError(msg)
            seen.setdefault(name, path)
    for truth in truths.values():
        for segment in truth.segments:
            parents.setdefault(segment.label, '')
    if not parents:
        msg = f'there is no segment in the ground truth of {", ".join(map(str, truths))}'
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


def _source(bag: Path, truths: Mapping[str, Path]) -> tuple[Recording, Truth]:
    recording = open_recording(bag)
    return recording, read_truth(truths.get(recording.name, bag))


def _expect_topics(
    given: Mapping[str, TopicSpec], modalities: Sequence[str], used: Mapping[str, object]
) -> None:
    """Refuse a topic that was asked for but that no recording has: it is a slip of the pen."""
    for modality, spec in given.items():
        if spec.topic and modality in modalities and modality not in used:
            msg = (
                f'{modality}: none of the recordings has the topic {spec.topic}; correct it, or '
                'set it to null to train without'
            )
            raise ConfigError(msg)


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


def _fingerprint(*everything: object) -> str:
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()
