# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From labelled recordings to cached windows, one label set and normalisation."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from m2r2_ros.core.errors import ConfigError, LabelError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.modalities import Modalities
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.network.bundle import Bundle
from m2r2_ros.network.image import ImageEncoder
from m2r2_ros.network.network import Network
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.training.cache import CachedRecording, CacheWriter
from m2r2_ros.training.cache_key import cache_key, encoder_key
from m2r2_ros.training.recordings import LabelledRecordings
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation, NormalisationFit

#: Frames that normalisation reads at a time.
FIT_CHUNK = 512


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Recordings with ground truth, ready to train or to validate on.

    Attributes:
        recordings: Their frames.
        labels: What the ids of their targets mean.
        normalisation: Scales of these recordings, or those that were given.
        topics: By modality, how it was first read; see BundleFacts.
        unknown_labels: Labels of their ground truth that are not in the given label set; their
            frames count as unlabelled.
        rates: Messages per second of each modality's topic, the median of the recordings.
    """

    recordings: tuple[CachedRecording, ...]
    labels: LabelSet
    normalisation: Normalisation
    topics: Mapping[str, Mapping[str, Any]]
    unknown_labels: tuple[str, ...]
    rates: Mapping[str, float]

    def part(self, chosen: Sequence[int], scales: Normalisation | None = None) -> 'TrainingData':
        """Return some recordings, by number, with given scales or their own."""
        recordings = tuple(self.recordings[k] for k in chosen)
        scales = scales or fit_normalisation(recordings)
        return replace(self, recordings=recordings, normalisation=scales)

    def bundle(
        self,
        network: Network,
        training: Mapping[str, Any],
        *,
        preset: str,
        model: ModelConfig,
        windows: WindowConfig,
    ) -> Bundle:
        """Return a network that was trained on these recordings as a bundle.

        Args:
            network: The network.
            training: How it was trained.
            preset: Name of the preset that `model` came from.
            model: Shapes of the network.
            windows: Shape of the windows.
        """
        return Bundle(
            preset=preset,
            labels=self.labels,
            windows=windows,
            model=model,
            normalisation=self.normalisation,
            network=network,
            topics=self.topics,
            training=training,
        )


def prepare(
    labelled: LabelledRecordings,
    *,
    modalities: Modalities,
    windows: WindowConfig,
    folder: Path,
    image_encoders: Mapping[str, ImageEncoder],
    topics: Mapping[str, TopicSpec] | None = None,
    labels: LabelSet | None = None,
    normalisation: Normalisation | None = None,
    on_recording: Callable[[str, int, int], None] = lambda name, k, n: None,
) -> TrainingData:
    """Make the windows of recordings with ground truth, those of an interrupted run excepted.

    Args:
        labelled: Recordings.
        modalities: What to read; those without a topic in any recording stay masked.
        windows: Shape of the windows.
        folder: Folder for cached windows; the caller removes it.
        image_encoders: Those of the network, by camera; where a backbone is frozen, what it makes
            of images is cached instead of their pixels.
        topics: Topics that are not to be guessed.
        labels: Label set of a training set, for recordings that are not trained on; by default
            the recordings' own.
        normalisation: Scales of that training set; by default the recordings' own.
        on_recording: Called with name, count and total as windows are made.

    Raises:
        M2R2Error: A recording cannot be read, or its ground truth lies outside it.
    """
    labels = labels or labelled.labels
    writer = CacheWriter(folder, windows, modalities, image_encoders)
    encoder = encoder_key(image_encoders)
    recordings: list[CachedRecording] = []
    used: dict[str, dict[str, Any]] = {}
    rates: dict[str, list[float]] = {}
    for k, (recording, truth) in enumerate(labelled.pairs):
        on_recording(recording.name, k, len(labelled.pairs))
        stream = WindowStream(recording, windows, modalities, topics)
        segments = truth.segments
        key = cache_key(
            recording.path, segments, labels, windows, modalities, stream.topics, encoder
        )
        recordings.append(writer.write(recording.name, stream, segments, labels, key))
        for modality, spec in stream.chosen.items():
            used.setdefault(modality, spec.to_entry())
            rates.setdefault(modality, []).append(stream.rates[modality])
    _expect_labels(recordings, labelled)
    _expect_topics(topics or {}, modalities, used)
    scales = normalisation or fit_normalisation(recordings)
    unknown = tuple(name for name in labelled.labels_seen if name not in labels.names)
    usual = {modality: float(np.median(found)) for modality, found in rates.items()}
    return TrainingData(tuple(recordings), labels, scales, used, unknown, usual)


def image_encoders_of(network: Network) -> dict[str, ImageEncoder]:
    """Return the image encoders of a network, by camera."""
    extractor = network.extractor
    found = {name: extractor.encoder(name) for name in extractor.modalities}
    return {name: e for name, e in found.items() if isinstance(e, ImageEncoder)}


def fingerprint(prepared: TrainingData, *facts: object) -> str:
    """Return a hash of the data and of all options, by which a checkpoint is recognised.

    Args:
        prepared: The recordings.
        facts: What JSON can hold.
    """
    targets = [hashlib.sha256(r.targets.tobytes()).hexdigest() for r in prepared.recordings]
    own = (prepared.normalisation.to_dict(), prepared.labels.names, targets)
    return hashlib.sha256(json.dumps((own, facts), sort_keys=True).encode()).hexdigest()


def fit_normalisation(recordings: Sequence[CachedRecording]) -> Normalisation:
    """Measure cached recordings, a few frames at a time."""
    fit = NormalisationFit(recordings[0].modalities if recordings else {})
    for recording in recordings:
        for lo in range(0, len(recording), FIT_CHUNK):
            part = slice(lo, lo + FIT_CHUNK)
            fit.add({n: a[part] for n, a in recording.arrays.items()}, recording.present[part])
    return fit.result()


def _expect_topics(
    given: Mapping[str, TopicSpec], modalities: Modalities, used: Mapping[str, object]
) -> None:
    """Refuse a topic that was asked for but that no recording has: it is misspelt."""
    for modality, spec in given.items():
        if spec.topic and modality in modalities and modality not in used:
            msg = (
                f'{modality}: none of the recordings has the topic {spec.topic}; correct it, or '
                'set it to null to train without'
            )
            raise ConfigError(msg)


def _expect_labels(recordings: Sequence[CachedRecording], labelled: LabelledRecordings) -> None:
    """Refuse a recording whose ground truth lies outside it: nothing could be learnt from it."""
    for cached, (recording, _) in zip(recordings, labelled.pairs, strict=True):
        if not (cached.targets >= 0).any():
            msg = (
                f'{recording.path}: none of its {len(cached)} frames lies in a segment of the '
                'ground truth: are the clocks of both the same?'
            )
            raise LabelError(msg)
