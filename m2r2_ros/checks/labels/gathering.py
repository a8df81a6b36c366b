# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The labels of a recording gathered from where they lie."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from m2r2_ros.bags.labels.clock import RecordingClock, clock_of
from m2r2_ros.bags.labels.foreign import FOREIGN
from m2r2_ros.bags.labels.layers import layers_of
from m2r2_ros.bags.labels.origin import facts_of_labels
from m2r2_ros.bags.labels.reader import (
    LabelTrack,
    read_label_set,
    read_label_track,
    read_segments,
    read_truth,
)
from m2r2_ros.bags.labels.sources import TABLES, TruthSource, own_truth
from m2r2_ros.bags.labels.topics import GROUND_TRUTH, LABEL_TOPIC, SEGMENT_TOPIC
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.remote.places import real_name
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.origin import LayerFacts, Origin
from m2r2_ros.core.taxonomy import Taxonomy
from m2r2_ros.core.time import SECOND
from m2r2_ros.evaluation.sequence import segments_of

#: Topics of coarse labels and of phases of motion, below those of the labels.
_COARSE, _PHASE = '/coarse', '/phase'
_IMAGES: Final = ('sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/Image')
#: Layers that labels are compared with at most, the newest of each annotator.
_MOST_OTHERS: Final = 20


def labels_of(
    recording: Path,
    source: TruthSource | None = None,
    taxonomy: Taxonomy | None = None,
    others: Sequence[TruthSource] = (),
) -> LabelsUnderCheck:
    """Gather the labels of a recording, and what lies beside them.

    Args:
        recording: The recording.
        source: Where its labels are; None takes its newest annotation layer, or its own truth.
        taxonomy: What labels there may be; None where nobody said.
        others: Layers to compare with, besides those of the recording: the newest annotation layer
            of each annotator, and its own truth.

    Raises:
        NoTruthError: The recording has no labels.
        M2R2Error: They cannot be read.
    """
    opened = open_recording(recording)
    source = replace(source or own_truth(recording), recording=recording)
    clock = clock_of(opened)
    segments, label_set = _read(source, clock)
    track = _track(source.path) if source.given else None
    if track is not None and not segments:  # those of a run that was killed
        segments = segments_of(track.stamps, track.labels)
    prefix = '' if source.given else GROUND_TRUTH
    return LabelsUnderCheck(
        recording=recording,
        source=source.path,
        name=opened.name,
        segments=tuple(segments),
        span=(clock.start, clock.end),
        label_set=label_set,
        taxonomy=taxonomy,
        track=track,
        coarse=_level(source, prefix + _COARSE),
        phases=_level(source, prefix + _PHASE),
        frame=_frame(opened, track),
        others=_others(opened, source, others, clock),
        facts=_facts(source),
    )


def _read(source: TruthSource, clock: RecordingClock) -> tuple[list[Segment], LabelSet | None]:
    """Return all segments of a source, unknown ones included, and the label set."""
    if source.given:
        return read_segments(source.path, SEGMENT_TOPIC), read_label_set(source.path)
    if source.stated is not None or source.path.suffix in FOREIGN:
        truth = source.read()
    else:
        truth = read_truth(source.path, replace(clock, rate=source.rate))
    return truth.segments, truth.label_set


def _facts(source: TruthSource) -> LayerFacts | None:
    """Return where labels come from; None of those that are part of the recording."""
    if source.stated or (
        source.recording and real_name(source.path) == real_name(source.recording)
    ):
        return None
    foreign = source.path.suffix in FOREIGN
    return LayerFacts(Origin.IMPORTED) if foreign else facts_of_labels(source.path)


def _track(path: Path) -> LabelTrack | None:
    """Return the labels of every frame; None where there are segments alone."""
    return read_label_track(path) if LABEL_TOPIC in open_recording(path).topics else None


def _level(source: TruthSource, prefix: str) -> tuple[Segment, ...] | None:
    """Return the segments of another level that lie beside those of a source."""
    if source.path.suffix in TABLES or source.stated is not None:
        return None
    topic = prefix + SEGMENT_TOPIC
    there = topic in open_recording(source.path).topics
    return tuple(read_segments(source.path, topic)) if there else None


def _frame(recording: Recording, track: LabelTrack | None) -> int:
    """Return the period of the frames that labels are of, nanoseconds; 0 where there are none."""
    if track is not None and len(track) > 1:
        return int(np.median(np.diff(track.stamps)))
    length = recording.end - recording.start
    counts = [t.count for t in recording.topics.values() if t.type_name in _IMAGES]
    rate = max(counts, default=0)
    return min(length // rate, SECOND) if rate > 1 else 0


def _others(
    recording: Recording, source: TruthSource, given: Sequence[TruthSource], clock: RecordingClock
) -> dict[str, list[Segment]]:
    """Return the segments of other layers by what they are called."""
    newest = {layer.provenance.annotator: layer for layer in layers_of(recording.path)}
    layers = list(newest.values())[-_MOST_OTHERS:]
    found = [TruthSource(layer.path, recording.path) for layer in layers]
    if GROUND_TRUTH + SEGMENT_TOPIC in recording.topics:
        found.append(TruthSource(recording.path))
    others: dict[str, list[Segment]] = {}
    for other in (*found, *given):
        path = real_name(other.path)
        if path != real_name(source.path):
            name = 'the truth in it' if path == real_name(recording.path) else other.path.name
            name = name if name not in others else str(other.path)
            others[name] = _read(replace(other, recording=recording.path), clock)[0]
    return others
