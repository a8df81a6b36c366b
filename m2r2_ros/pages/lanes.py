# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lanes of a page: ground truth, labels of models, and what people said of a recording."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.layers import Layer, layers_of
from m2r2_ros.bags.labels.reader import (
    LabelTrack,
    Truth,
    read_given_labels,
    read_label_track,
    read_truth,
)
from m2r2_ros.bags.labels.sources import Rank, TruthSource, names_of_bags
from m2r2_ros.bags.labels.topics import GROUND_TRUTH, LABEL_TOPIC, SEGMENT_TOPIC
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import M2R2Error, NoTruthError
from m2r2_ros.core.labels import UNKNOWN, UNKNOWN_LABEL, LabelSet, Segment
from m2r2_ros.core.time import SECOND
from m2r2_ros.evaluation.sequence import segments_of
from m2r2_ros.pages.container import Container
from m2r2_ros.pages.tidy import tidied

TRUTH, LABELS, LAYER = 'truth', 'labels', 'layer'
#: Layers that are shown, the newest ones, and frames whose probabilities are.
_LAYERS, _FRAMES = 6, 20_000


@dataclass(frozen=True, slots=True)
class LabelLane:
    """Segments that one source gives a recording.

    Attributes:
        id: Of the page.
        title: Of people.
        kind: TRUTH, LABELS or LAYER.
        segments: In order of start; those of UNKNOWN_LABEL have no label.
        label_set: Of the source; None where it has none.
        about: What else there is to say, line by line.
        margins: How much likelier the label of each segment is than the next, 0..1, mean over its
            frames; None where that is not known.
        path: Where it was read.
        track: Labels frame by frame; None of sources that have segments alone.
    """

    id: str
    title: str
    kind: str
    segments: Sequence[Segment]
    label_set: LabelSet | None
    about: Sequence[str] = ()
    margins: Sequence[float | None] = ()
    path: Path | None = None
    track: LabelTrack | None = field(default=None, repr=False)

    def without_track(self) -> 'LabelLane':
        """Return the lane without its labels frame by frame, which take most of its memory."""
        return replace(self, track=None)

    def pack(self, start: int, labels: Mapping[str, int], out: Container | None) -> dict[str, Any]:
        """Return the lane as a page has it.

        Args:
            start: When the recording began, nanoseconds.
            labels: Number of each label on the page.
            out: Takes the arrays; without it, probabilities are left out.
        """
        margins = self.margins or [None] * len(self.segments)
        return {
            'id': self.id,
            'title': self.title,
            'kind': self.kind,
            'about': list(self.about),
            'segments': [
                [
                    s.start - start,
                    s.end - start,
                    labels.get(s.label, UNKNOWN),
                    round(float(s.confidence), 4),
                    None if margin is None else round(margin, 4),
                    s.reason,
                ]
                for s, margin in zip(self.segments, margins, strict=True)
            ],
            'probabilities': None if out is None else self.probabilities(start, labels, out),
            'parents': self.label_set is not None and any(self.label_set.parents),
        }

    def probabilities(
        self, start: int, labels: Mapping[str, int], out: Container
    ) -> dict[str, Any] | None:
        """Return the probability of every label by frame as a page has it; None without any.

        Args:
            start: When the recording began, nanoseconds.
            labels: Number of each label on the page.
            out: Takes the arrays.
        """
        track = self.track
        if track is None or track.label_set is None or not len(track):
            return None
        if track.probabilities.shape[1] != len(track.label_set.names):
            return None
        step = -(-len(track) // _FRAMES)
        shares = np.round(np.clip(track.probabilities[::step], 0, 1) * 255).astype(np.uint8)
        return {
            'stamps': out.array((track.stamps[::step] - start) / SECOND),
            'values': out.array(shares.reshape(-1)),
            'labels': [labels[name] for name in track.label_set.names],
        }


def lanes_of(
    recording: Recording,
    bags: Sequence[Path] = (),
    truth: TruthSource | None = None,
    *,
    least: float = 0.0,
) -> tuple[list[LabelLane], list[str]]:
    """Return what there is to show of a recording, and what of it cannot be read.

    Args:
        recording: The recording.
        bags: Label bags of it.
        truth: Where its ground truth is.
        least: Segments of labels are at least so long, s, as suggestions are.
    """
    lanes: list[LabelLane] = []
    problems: list[str] = []
    taken: set[Path] = set()
    for read in _sources(recording, bags, truth, least):
        try:
            lane = read()
        except NoTruthError:
            continue
        except M2R2Error as error:
            problems.append(str(error))
            continue
        if lane.path is None or lane.path not in taken:
            lanes.append(lane)
        if lane.kind != LABELS and lane.path is not None:
            taken.add(lane.path)
    return _titled(lanes, bags), problems


def _titled(lanes: Sequence[LabelLane], bags: Sequence[Path]) -> list[LabelLane]:
    """Call the lanes of label bags so that they differ."""
    own = [lane for lane in lanes if lane.path in bags]
    models = [lane.track.model_id if lane.track else '' for lane in own]
    names = names_of_bags([lane.path for lane in own if lane.path], models)
    titles = {lane.id: name for lane, name in zip(own, names, strict=True)}
    return [replace(lane, title=titles.get(lane.id, lane.title)) for lane in lanes]


def layer_lane(layer: Layer, *, is_truth: bool = False) -> LabelLane:
    """Read a layer.

    Args:
        layer: The layer.
        is_truth: The others are compared with it.

    Raises:
        M2R2Error: It cannot be read.
    """
    truth = read_truth(layer.path)
    p = layer.provenance
    about = [
        f'by {p.annotator or "nobody"}, {p.time}, {p.tool}',
        f'began with {p.corrected_from or "nothing"}',
        f'{p.edits} edits in {p.seconds:.0f} s; {"done" if p.done else "not done yet"}',
    ]
    title = f'{p.annotator or "nobody"} {p.time[:16].replace("T", " ")}'
    return LabelLane(
        f'layer:{layer.name}',
        f'ground truth: {title}' if is_truth else title,
        TRUTH if is_truth else LAYER,
        truth.segments,
        truth.label_set,
        about,
        path=layer.path,
    )


def label_lane(bag: Path, title: str, number: int, least: float = 0.0) -> LabelLane:
    """Read what a model, or whoever else, gave every frame.

    Raises:
        M2R2Error: It cannot be read.
    """
    if LABEL_TOPIC not in open_recording(bag).topics:
        given = read_given_labels(bag)
        return LabelLane(
            f'labels:{number}', title, LABELS, given.segments, given.label_set, path=bag
        )
    track = tidied(read_label_track(bag), least)
    segments, margins = _segments(track)
    about = [f'model {track.model_id or "unknown"}', f'{len(track)} frames']
    if least:
        about.append(f'what would last less than {least:.2g} s is given to its neighbours')
    return LabelLane(
        f'labels:{number}', title, LABELS, segments, track.label_set, about, margins, bag, track
    )


def _sources(
    recording: Recording, bags: Sequence[Path], truth: TruthSource | None, least: float
) -> Iterator[Callable[[], LabelLane]]:
    """Yield what reads each lane, in the order in which they are shown."""
    source = truth or TruthSource(recording.path, recording.path)
    if source.rank != Rank.LAYER:
        yield partial(_truth_lane, source)
    layers = layers_of(recording.path)
    for layer in reversed(layers[-_LAYERS:]):
        yield partial(layer_lane, layer, is_truth=layer.path == source.path)
    if source.rank == Rank.LAYER and GROUND_TRUTH + SEGMENT_TOPIC in recording.topics:
        yield partial(_recorded_lane, recording.path)
    number = 0
    if LABEL_TOPIC in recording.topics:
        yield partial(label_lane, recording.path, 'labels in the recording', 0, least)
        number = 1
    for k, bag in enumerate(bags):
        yield partial(label_lane, bag, 'labels', number + k, least)


def _truth_lane(source: TruthSource) -> LabelLane:
    truth: Truth = source.read()
    about = [f'from {source.path.name}', *filter(None, [truth.note])]
    return LabelLane(
        'truth', 'ground truth', TRUTH, truth.segments, truth.label_set, about, path=source.path
    )


def _recorded_lane(recording: Path) -> LabelLane:
    """Read the truth in a recording that a layer has corrected."""
    truth = read_truth(recording)
    return LabelLane(
        'recorded', 'truth in the recording', LAYER, truth.segments, truth.label_set,
        path=recording,
    )  # fmt: skip


def _segments(track: LabelTrack) -> tuple[list[Segment], list[float | None]]:
    """Return runs of equal labels, with mean confidence, reason and margin."""
    names = [label or UNKNOWN_LABEL for label in track.labels]
    margin = _margins(track)
    segments: list[Segment] = []
    margins: list[float | None] = []
    for found in segments_of(track.stamps, names):
        rows = slice(*np.searchsorted(track.stamps, (found.start, found.end)).tolist())
        reasons = Counter(filter(None, track.reasons[rows]))
        reason = reasons.most_common(1)[0][0] if reasons else ''
        confidence = float(track.confidences[rows].mean())
        segments.append(Segment(found.start, found.end, found.label, confidence, reason=reason))
        margins.append(float(margin[rows].mean()) if len(margin) else None)
    return segments, margins


def _margins(track: LabelTrack) -> NDArray[np.float64]:
    """Return by how much the label of each frame is likelier than any other, (n,) or (0,)."""
    p = track.probabilities.astype(np.float64)
    if p.shape[1] < 2:
        return np.zeros(0)
    rows, ids = np.arange(len(p)), np.clip(track.label_ids, 0, p.shape[1] - 1)
    own = np.where(track.label_ids >= 0, p[rows, ids], 0.0)
    p[rows, ids] = -1.0
    margin: NDArray[np.float64] = np.clip(own - p.max(axis=1), 0, 1)
    return margin
