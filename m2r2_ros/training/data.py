# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From labelled bags to cached windows, one label set and normalisation."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.labels.reader import Truth, read_truth
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import ConfigError, LabelError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.image import ImageEncoder, make_image_encoder
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.training.cache import CachedRecording, CacheWriter
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation, NormalisationFit

#: Frames that normalisation looks at in one go.
FIT_CHUNK = 512


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Recordings with ground truth, ready to learn from or to look at.

    Attributes:
        recordings: Their frames.
        labels: What the ids of their targets mean.
        normalisation: Scales of these recordings, or those that were given.
        topics: By modality, the `topic` and `type` that served it first.
        unknown_labels: Labels of their ground truth that the given label set has not; their frames
            count as unlabelled.
    """

    recordings: tuple[CachedRecording, ...]
    labels: LabelSet
    normalisation: Normalisation
    topics: Mapping[str, Mapping[str, str]]
    unknown_labels: tuple[str, ...]


def prepare(
    bags: Sequence[Path],
    *,
    model: ModelConfig,
    windows: WindowConfig,
    folder: Path,
    image_encoder: ImageEncoder | None = None,
    truths: Mapping[str, Path] | None = None,
    topics: Mapping[str, TopicSpec] | None = None,
    labels: LabelSet | None = None,
    normalisation: Normalisation | None = None,
    on_recording: Callable[[str, int, int], None] = lambda name, k, n: None,
) -> TrainingData:
    """Make the windows of recordings with ground truth.

    Args:
        bags: Recordings.
        model: Modalities to read; those without a topic in any bag stay masked.
        windows: Shape of the windows.
        folder: Folder for cached windows; the caller removes it.
        image_encoder: The model's, where its backbone is frozen with weights of its own; what it
            makes of images is cached.
        truths: Files with the ground truth of recordings that do not hold it, by name.
        topics: Topics that are not to be guessed.
        labels: Label set of a training set, for recordings that are not trained on; otherwise
            the recordings' own.
        normalisation: Scales of that training set; otherwise the recordings' own.
        on_recording: Called with name, count and total as windows are made.

    Raises:
        M2R2Error: A recording cannot be read or has no ground truth.
    """
    sources = [_source(bag, truths or {}) for bag in bags]
    own = common_labels({recording.path: truth for recording, truth in sources})
    labels = labels or own
    if image_encoder is None and model.image_encoder:
        image_encoder = make_image_encoder(model.image_encoder, model.width, pretrained=True)
    writer = CacheWriter(folder, windows, image_encoder)
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
    seen = dict.fromkeys(s.label for _, truth in sources for s in truth.segments)
    return TrainingData(
        tuple(recordings),
        labels,
        normalisation or fit_normalisation(recordings),
        used,
        tuple(name for name in seen if name not in labels.names),
    )


def fingerprint(prepared: TrainingData, *facts: object) -> str:
    """Return a hash of what is learnt from and of all options, by which a checkpoint is known.

    Args:
        prepared: The recordings.
        facts: What json can write.
    """
    targets = [hashlib.sha256(r.targets.tobytes()).hexdigest() for r in prepared.recordings]
    own = (prepared.normalisation.to_dict(), prepared.labels.names, targets)
    return hashlib.sha256(json.dumps((own, facts), sort_keys=True).encode()).hexdigest()


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
