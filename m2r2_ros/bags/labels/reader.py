# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels, segments and ground truth, read back from a bag or a CSV file."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.cells import SUFFIXES
from m2r2_ros.bags.labels.clock import RecordingClock
from m2r2_ros.bags.labels.csv import read_labels_csv
from m2r2_ros.bags.labels.older import older_hashes, store_of
from m2r2_ros.bags.labels.topics import (
    GROUND_TRUTH,
    LABEL,
    LABEL_SET,
    LABEL_SET_TOPIC,
    LABEL_TOPIC,
    OUTCOMES,
    SEGMENT,
    SEGMENT_TOPIC,
)
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.source import Topic
from m2r2_ros.core.errors import LabelError, MessageError, NoTruthError
from m2r2_ros.core.labels import UNKNOWN_LABEL, LabelSet, Segment, expect_labels
from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.core.palette import Colour, colour_of
from m2r2_ros.core.reading import naming, reading
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.definitions import type_hash

_SUCCESSES: Final = {outcome: success for success, outcome in OUTCOMES.items()}


@dataclass(frozen=True)
class LabelTrack:
    """The labels of one recording, frame by frame.

    Attributes:
        name: Name of the recording.
        stamps: int64 (n,), frame stamps, nanoseconds.
        label_ids: int64 (n,), index into the label set, UNKNOWN without one.
        labels: n label names.
        confidences: float32 (n,).
        probabilities: float32 (n, C).
        boundary_scores: float32 (n,).
        revision_lags: int64 (n,), frames.
        latencies: float32 (n,), seconds.
        masks: uint32 (n,), modality masks.
        model_id: Id of the bundle that made the labels; '' without labels.
        label_set: The label set beside the labels; None without one.
        modalities: What the bits of the masks stand for.
        reasons: n reasons why a frame has no label, '' where it has one.
    """

    name: str
    stamps: NDArray[np.int64]
    label_ids: NDArray[np.int64]
    labels: list[str]
    confidences: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    boundary_scores: NDArray[np.float32]
    revision_lags: NDArray[np.int64]
    latencies: NDArray[np.float32]
    masks: NDArray[np.uint32]
    model_id: str
    label_set: LabelSet | None
    modalities: tuple[str, ...] = MODALITIES
    reasons: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.stamps)


@dataclass(frozen=True, slots=True)
class Truth:
    """Ground truth.

    Attributes:
        segments: In order of start.
        label_set: The label set where it is known.
        note: How the times of a table were understood; '' of bags.
    """

    segments: list[Segment]
    label_set: LabelSet | None
    note: str = field(default='', compare=False)


def read_label_track(path: Path, topic: str = LABEL_TOPIC) -> LabelTrack:
    """Read the labels of every frame.

    Args:
        path: Bag or bare file.
        topic: Topic of ActionLabel messages; their label set is expected beside it.

    Raises:
        BagError: The bag cannot be read.
        LabelError: It has no such topic, labels of several models in it, or a damaged one.
    """
    recording = open_recording(path)
    _expect_topic(recording, topic, LABEL)
    label_set_topic = topic.removesuffix(LABEL_TOPIC) + LABEL_SET_TOPIC
    label_set = _label_set(recording, label_set_topic)
    messages = list(_messages(recording, topic, LABEL))
    model_ids = sorted({m.model_id for m in messages})
    widths = sorted({len(m.probabilities) for m in messages})
    if len(model_ids) > 1 or len(widths) > 1:
        msg = (
            f'{path}: {topic} mixes labels of the models {listed(model_ids)} with '
            f'{listed([str(width) for width in widths])} probabilities; record or label with one '
            'model at a time'
        )
        raise LabelError(msg)
    width = widths[0] if widths else len(label_set.names) if label_set else 0
    probabilities = np.array([m.probabilities for m in messages], np.float32)
    track = LabelTrack(
        name=recording.name,
        stamps=np.array([_nanoseconds(m.header.stamp) for m in messages], np.int64),
        label_ids=np.array([m.label_id for m in messages], np.int64),
        labels=[m.label for m in messages],
        confidences=np.array([m.confidence for m in messages], np.float32),
        probabilities=probabilities.reshape(len(messages), width),
        boundary_scores=np.array([m.boundary_score for m in messages], np.float32),
        revision_lags=np.array([m.revision_lag for m in messages], np.int64),
        latencies=np.array([m.latency for m in messages], np.float32),
        masks=np.array([m.modality_mask for m in messages], np.uint32),
        reasons=[getattr(m, 'reason', '') for m in messages],
        model_id=model_ids[0] if model_ids else '',
        label_set=label_set,
        modalities=_mask_names(recording, label_set_topic),
    )
    _expect_usable(track, f'{path}: {topic}')
    return track


def read_segments(path: Path, topic: str = GROUND_TRUTH + SEGMENT_TOPIC) -> list[Segment]:
    """Read segments, sorted by start.

    Raises:
        BagError: The bag cannot be read.
        LabelError: It has no such topic, or a damaged segment in it.
    """
    return _segments(open_recording(path), topic)


def read_truth(path: Path, clock: RecordingClock | None = None) -> Truth:
    """Read ground truth from a bag's GROUND_TRUTH topics or from a table, see `read_labels_csv`.

    A table does not say whether an attempt succeeded.

    Args:
        path: Bag, bare file or table.
        clock: Of the recording, for a table that counts from its start.

    Raises:
        BagError: The bag cannot be read.
        NoTruthError: There is no ground truth in the bag.
        LabelError: It is damaged, or a cell of the table is wrong.
    """
    if path.suffix in SUFFIXES:
        table = read_labels_csv(path, clock)
        return Truth(table.segments, None, table.note)
    recording = open_recording(path)
    segments = _segments(recording, GROUND_TRUTH + SEGMENT_TOPIC)
    return Truth(segments, _label_set(recording, GROUND_TRUTH + LABEL_SET_TOPIC))


def read_given_labels(path: Path) -> Truth:
    """Read the segments that a model or a person gave a recording as if they were its truth.

    Raises:
        BagError: The bag cannot be read.
        LabelError: It has no labels, or damaged ones.
    """
    recording = open_recording(path)
    segments = _segments(recording, SEGMENT_TOPIC)
    known = [s for s in segments if s.label not in ('', UNKNOWN_LABEL)]
    return Truth(known, _label_set(recording, LABEL_SET_TOPIC))


def read_label_set(path: Path, prefix: str = '') -> LabelSet | None:
    """Read a label set alone; None where there is none, as in a CSV file.

    Args:
        path: Bag, bare file or CSV file.
        prefix: In front of the topic's name; GROUND_TRUTH for that of the truth.

    Raises:
        BagError: The bag cannot be read.
        LabelError: The label set is damaged.
    """
    if path.suffix in SUFFIXES:
        return None
    return _label_set(open_recording(path), prefix + LABEL_SET_TOPIC)


def read_model_id(path: Path) -> str:
    """Read the id of the model that made the labels of a bag; '' where none says it.

    Raises:
        BagError: The bag cannot be read.
        LabelError: A label is damaged.
    """
    recording = open_recording(path)
    kinds = {LABEL_SET_TOPIC: LABEL_SET, SEGMENT_TOPIC: SEGMENT, LABEL_TOPIC: LABEL}
    for topic, type_name in kinds.items():
        if topic in recording.topics:
            _expect_topic(recording, topic, type_name)
            if model := next((str(m.model_id) for m in _messages(recording, topic, type_name)), ''):
                return model
    return ''


def _segments(recording: Recording, topic: str) -> list[Segment]:
    _expect_topic(recording, topic, SEGMENT)
    segments = []
    for k, m in enumerate(_messages(recording, topic, SEGMENT)):
        start, end = _nanoseconds(m.start), _nanoseconds(m.end)
        if end < start or not np.isfinite(m.confidence) or m.outcome not in _SUCCESSES:
            msg = f'{_Place(recording, topic, k)} does not end after its start, or is damaged'
            raise LabelError(msg)
        segments.append(Segment(start, end, m.label, m.confidence, _SUCCESSES[m.outcome]))
    with naming(f'{recording.path}: {topic}', LabelError):
        expect_labels({segment.label for segment in segments} - {''})
    return sorted(segments, key=lambda segment: (segment.start, segment.end))


def _label_set(recording: Recording, topic: str) -> LabelSet | None:
    if topic not in recording.topics:
        return None
    _expect_topic(recording, topic, LABEL_SET)
    found = None
    for message in _messages(recording, topic, LABEL_SET):
        with naming(f'{recording.path}: {topic}', LabelError):
            found = LabelSet(tuple(message.names), tuple(message.parents), _chosen(message))
    return found


def _chosen(message: Any) -> tuple[Colour, ...]:  # noqa: ANN401 - a generated class
    """Return the colours of a label set; none where they are those of the palette."""
    given = [(float(c.r), float(c.g), float(c.b)) for c in message.colours]
    usual = [colour_of(place) for place in range(len(message.names))]
    if len(given) != len(usual) or np.allclose(given, usual, atol=1e-6, rtol=0):
        return ()
    inside = np.isfinite(given).all() and np.min(given) >= 0 and np.max(given) <= 1
    return tuple(given) if inside else ()


def _mask_names(recording: Recording, topic: str) -> tuple[str, ...]:
    """Return what the bits of masks stand for; older label sets do not say."""
    found: tuple[str, ...] = ()
    if topic in recording.topics:
        for message in _messages(recording, topic, LABEL_SET):
            found = tuple(getattr(message, 'modalities', ()))
    return found or MODALITIES


def _expect_topic(recording: Recording, topic: str, type_name: str) -> None:
    if topic not in recording.topics:
        truth = topic.startswith(GROUND_TRUTH)
        way_out = (
            'give a CSV file of start, end, label (--truth), or the topic that says what goes on '
            '(--truth-topic)'
            if truth
            else 'label the recording first (m2r2 label)'
        )
        there = listed(sorted(recording.topics), 20) or 'no topics'
        msg = f'{recording.path} has no {topic} ({type_name}), but {there}: {way_out}'
        raise NoTruthError(msg) if truth else LabelError(msg)
    found = recording.topics[topic]
    if found.type_name != type_name:
        msg = (
            f'{recording.path}: {topic} holds {found.type_name}, expected {type_name}: '
            'name another topic'
        )
        raise LabelError(msg)
    version = _version(found)
    known = {'', type_hash(type_name)}
    if version not in known and version not in older_hashes(type_name):
        msg = (
            f'{recording.path}: {topic} holds another version of {type_name} ({version}): '
            'read it with the version of m2r2_ros that wrote it, or make it again'
        )
        raise LabelError(msg)


def _version(topic: Topic) -> str:
    """Return the hash of a topic's type, by its definition where the recording does not say it."""
    if topic.definition and not topic.type_hash:
        with suppress(MessageError):
            return type_hash(topic.type_name, topic.definition)
    return topic.type_hash


def _messages(recording: Recording, topic: str, type_name: str) -> Iterator[Any]:
    """Yield messages; one that is damaged ends it, since a score over the others would mislead."""
    store = store_of(type_name, _version(recording.topics[topic]))
    place = _Place(recording, topic)
    with reading(place, type_name, LabelError):
        for blocks in recording.blocks([topic]):
            for block in blocks:
                for i in range(len(block)):
                    yield store.deserialize_cdr(block.message(i).tobytes(), type_name)
                    place.number += 1


class _Place:
    """A message, by its number among those of its topic, as errors name it."""

    def __init__(self, recording: Recording, topic: str, number: int = 0) -> None:
        self._recording, self._topic, self.number = recording, topic, number

    def __str__(self) -> str:
        return f'{self._recording.path}: message {self.number} of {self._topic}'


def _expect_usable(track: LabelTrack, place: str) -> None:
    """Refuse labels with numbers that a segmenter does not give, and label names without end."""
    numbers = (track.confidences, track.boundary_scores, track.latencies, track.probabilities.T)
    finite = np.isfinite(np.vstack(numbers)).all(axis=0)
    if not finite.all():
        msg = (
            f'{place}: message {int(np.argmin(finite))} has a confidence, probability, boundary '
            'score or latency that is not finite: label the recording again'
        )
        raise LabelError(msg)
    with naming(place, LabelError):
        expect_labels(set(track.labels) - {''})


def _nanoseconds(time: Any) -> int:  # noqa: ANN401 - a generated class
    return int(time.sec) * SECOND + int(time.nanosec)
