# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Label one recording: windows, segmenter, label bag, segments CSV and summary."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from m2r2_ros import __version__
from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.merge import merge
from m2r2_ros.bags.labels.origin_marks import origin_entries
from m2r2_ros.bags.labels.topics import LABEL_SET_TOPIC, LABEL_TOPIC, SEGMENT_TOPIC
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError, BundleError
from m2r2_ros.core.files import atomic_write, write_text
from m2r2_ros.core.labels import UNKNOWN, FrameLabel, Segment
from m2r2_ros.core.origin import LayerFacts, Origin
from m2r2_ros.core.time import to_ns
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.ahead import one_ahead
from m2r2_ros.replay.outputs import Outputs
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.segmenters.base import WHOLE_RECORDING
from m2r2_ros.segmenters.model import Model
from m2r2_ros.segmenters.segments import SegmentBuilder
from m2r2_ros.segmenters.tally import LabelTally
from m2r2_ros.windows.fit import InputFit


@dataclass(frozen=True, slots=True)
class Summary:
    """How labelling went.

    Attributes:
        recording: Name of the recording.
        model_id: Id of the bundle.
        topics: Topic of each modality.
        absent_topics: Topics that were requested but are not in the recording, by modality.
        derived: Twists that were made from poses.
        truncated: The recording was cut off.
        notes: What else there is to say about the recording, such as what it has lost.
        duration_s: Length of the recording, s.
        wall_s: Time it took, s.
        speed: Recorded seconds labelled in a second.
        frames: Labels written.
        segments: Segments written that have a label.
        confidence: Mean confidence of the labels given, 0..1; 0 without any.
        unknown: Share of the frames without a label, 0..1.
        reasons: How many frames have no label for each reason, the most frequent first.
        warnings: What of the inputs does not fit the training set, and what did not run as asked.
        revision_lag: Frames each label waited for.
        counters: Windows, masks and drops, those that are not zero.
    """

    recording: str
    model_id: str
    topics: dict[str, str]
    absent_topics: dict[str, str]
    derived: list[str]
    truncated: bool
    notes: list[str]
    duration_s: float
    wall_s: float
    speed: float
    frames: int
    segments: int
    confidence: float
    unknown: float
    reasons: dict[str, int]
    warnings: list[str]
    revision_lag: int
    counters: dict[str, int]


def label_recording(
    path: Path,
    model: Model,
    folder: Path,
    *,
    topics: Mapping[str, TopicSpec] | None = None,
    with_recording: bool = False,
    overwrite: bool = False,
    progress: Callable[[float], None] = lambda share: None,
) -> Summary:
    """Label a recording.

    Args:
        path: Bag or bare file.
        model: The segmenter, and the windows that it takes.
        folder: Where the outputs go; made where it is missing.
        topics: Topics that are not to be guessed.
        with_recording: Also write a copy of the recording with the labels in it.
        overwrite: Replace outputs that exist.
        progress: Called now and then with the share that is done.

    Raises:
        M2R2Error: The recording cannot be read, an output exists already, or the model gives NaN.
    """
    recording = open_recording(path)
    outputs = Outputs.of(folder, recording.name)
    # What is refused makes no folder, and waits for nothing.
    outputs.refuse_same(path)
    outputs.finish()
    outputs.check(overwrite=overwrite)
    if with_recording:
        _expect_no_labels(recording)
    stream = WindowStream(recording, model.windows, model.modalities, topics, model.topics)
    began = time.perf_counter()
    with outputs.replaced(overwrite=overwrite) as drafts:
        tally = LabelTally()
        fit = InputFit(model.expectations)
        segments = _write_labels(recording, stream, model, drafts.labels, tally, fit, progress)
        if with_recording:
            merge(path, drafts.labels, drafts.merged)
        with atomic_write(drafts.segments) as draft:
            write_segments_csv(draft, segments, recording.start - stream.log_offset)
        wall = time.perf_counter() - began
        labelled = sum(not segment.reason for segment in segments)
        summary = _summarise(recording, stream, model, wall, labelled, tally, fit)
        write_text(drafts.summary, json.dumps(asdict(summary), indent=2) + '\n')
    return summary


def _summarise(
    recording: Recording,
    stream: WindowStream,
    model: Model,
    wall: float,
    segments: int,
    tally: LabelTally,
    fit: InputFit,
) -> Summary:
    counters = stream.counters + model.segmenter.counters
    duration = (recording.end - recording.start) * 1e-9
    return Summary(
        recording=recording.name,
        model_id=model.id,
        topics={m: s.topic for m, s in stream.topics.items()},
        absent_topics=stream.absent,
        derived=list(stream.derived),
        truncated=recording.truncated,
        notes=list(recording.notes),
        duration_s=round(duration, 3),
        wall_s=round(wall, 3),
        speed=round(duration / wall, 1),
        frames=tally.frames,
        segments=segments,
        confidence=round(tally.confidence, 4),
        unknown=round(tally.unknown, 4),
        reasons=dict(tally.reasons.most_common()),
        warnings=[
            *model.segmenter.warnings,
            *fit.warnings(stream.rates),
            *_doubts(model, tally),
        ],
        revision_lag=model.segmenter.revision_lag,
        counters={k: int(n) for k, n in sorted(counters.items()) if n},
    )


def _doubts(model: Model, tally: LabelTally) -> list[str]:
    """Return what mean confidence says of all labels together."""
    decoding = model.segmenter.decoding
    whole = model.segmenter.revision_lag == WHOLE_RECORDING
    usual = (decoding.whole_rule if whole else decoding.rule).doubtful_below
    if tally.reasons.total() == tally.frames or tally.confidence >= usual:
        return []
    return [
        f'doubtful: the mean confidence is {tally.confidence:.2f}, under the {usual:.2f} that '
        'recordings like those of the validation set reach'
    ]


def _expect_no_labels(recording: Recording) -> None:
    """Refuse to merge labels into a recording that has some, before any work is done."""
    labels = (LABEL_TOPIC, SEGMENT_TOPIC, LABEL_SET_TOPIC)
    if there := [topic for topic in labels if topic in recording.topics]:
        msg = (
            f'{recording.path} has {", ".join(there)} already: label it without --merge, or label '
            'the recording that it was made from'
        )
        raise BagError(msg)


def _write_labels(
    recording: Recording,
    stream: WindowStream,
    model: Model,
    out: Path,
    tally: LabelTally,
    fit: InputFit,
    progress: Callable[[float], None],
) -> list[Segment]:
    """Run the segmenter over the recording; return the segments."""
    segmenter, builder = model.segmenter, SegmentBuilder(to_ns(model.windows.max_gap))
    segmenter.reset()
    segmenter.counters.clear()
    segments: list[Segment] = []
    length = max(recording.end - recording.start, 1)
    with BagWriter(out, discard_failed=True) as bag:
        bag.custom |= origin_entries(_origin(model))
        writer = LabelWriter(bag)

        def write(labels: list[FrameLabel]) -> None:
            for label in labels:
                if not label.is_finite:
                    msg = (
                        f'{recording.path}: model {model.id} gives NaN instead of probabilities; '
                        'train it again, or take another one'
                    )
                    raise BundleError(msg)
                if not tally.frames:
                    # Both bags begin together: seconds from the start are the same in them.
                    first = min(recording.start, label.stamp + stream.log_offset)
                    writer.write_label_set(segmenter.labels, model.id, first, model.modalities)
                writer.write_label(label, model.id, 0.0, label.stamp + stream.log_offset)
                tally.add(label)
            keep(builder.add(labels))

        def keep(closed: list[tuple[int, Segment]]) -> None:
            for index, segment in closed:
                label_id = UNKNOWN if segment.reason else segmenter.labels.id_of(segment.label)
                writer.write_segment(
                    segment, label_id, index, model.id, log_offset=stream.log_offset
                )
                segments.append(segment)

        for windows in one_ahead(stream):
            fit.add(windows)
            write(segmenter.extend(windows))
            progress(min(stream.read / length, 1.0))
        write(segmenter.finish())
        keep(builder.finish())
    return segments


def _origin(model: Model) -> LayerFacts:
    """Return where the labels of a model come from: clusters are found by rules, not learned."""
    origin = Origin.HEURISTIC if model.kind == 'discovered' else Origin.AUTOMATIC
    return LayerFacts(origin, model.id, tool=f'm2r2 label {__version__}')
