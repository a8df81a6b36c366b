# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compress a bundle, and label recordings with both to see what it costs."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.sources import own_truth
from m2r2_ros.bags.recording import open_recording, recording_name
from m2r2_ros.core.errors import BagError, BundleError, LabelError
from m2r2_ros.core.labels import FrameLabel, Segment
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.evaluation.score import score
from m2r2_ros.evaluation.sequence import ScoredSequence
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import BundleFacts, read_facts
from m2r2_ros.model.graph_backend import GraphBackend
from m2r2_ros.model.inputs import make_inputs
from m2r2_ros.model.relative_pose import RelativePoses
from m2r2_ros.network.compress import compress
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.segmenters import Model, open_model

#: Frames of all recordings together on which inputs of convolutions are scaled.
CALIBRATED: Final = 64
#: Share of frames that must get the label that the bundle in full precision gives.
LEAST_AGREEMENT: Final = 0.995
_ONE_CORE: Final = Placement(threads=1)


@dataclass(frozen=True, slots=True)
class Way:
    """What the labels of both bundles are like, one way of labelling.

    Attributes:
        name: 'as live', or 'whole recording'.
        frames: Frames that were labelled.
        equal: Those with the same label.
        scores: Accuracy (fraction) and F1@50 (percent), before and after; empty without truth.
    """

    name: str
    frames: int
    equal: int
    scores: Mapping[str, tuple[float, float]]

    @property
    def agreement(self) -> float:
        """Share of frames with the same label, 0..1."""
        return self.equal / max(self.frames, 1)


@dataclass(frozen=True, slots=True)
class Compressed:
    """What compressing came to.

    Attributes:
        id: Of the new bundle.
        ways: How its labels compare.
        milliseconds: Of a frame through the network on one core, before and after.
        megabytes: Of both bundles.
    """

    id: str
    ways: tuple[Way, ...]
    milliseconds: tuple[float, float]
    megabytes: tuple[float, float]


def compress_checked(
    folder: Path,
    out: Path,
    precision: str,
    recordings: Sequence[Path],
    *,
    topics: Mapping[str, TopicSpec] | None = None,
    least: float = LEAST_AGREEMENT,
    progress: Callable[[str], None] = lambda what: None,
) -> Compressed:
    """Write a compressed bundle, unless too many labels of recordings change.

    Args:
        folder: Of the bundle to compress.
        out: Folder for the new one.
        precision: 'int8' or 'bf16'.
        recordings: Labelled with both; convolutions are scaled by the first of their frames.
        topics: Topics that are not to be guessed.
        least: Share of frames that must agree, 0..1.
        progress: Called with what is done next.

    Raises:
        BundleError: The bundle cannot be compressed, or fewer frames agree.
        BagError: A recording cannot be read.
    """
    facts = read_facts(folder)
    ways: list[Way] = []

    def check(draft: Path) -> dict[str, Any]:
        for live in _ways(facts):
            progress(f'labelling {_NAMES[live]}')
            pair = [open_model(path, placement=_ONE_CORE, live=live) for path in (folder, draft)]
            ways.append(_compare(_NAMES[live], pair, recordings, topics))
        if poor := [way for way in ways if not way.agreement >= least]:
            told = ', '.join(f'{way.agreement:.2%} {way.name}' for way in poor)
            msg = (
                f'{out}: {told} of the frames get the label that {folder} gives, under the '
                f'{least:.1%} wanted: not written. --min-agreement accepts less'
            )
            raise BundleError(msg)
        return {
            'recordings': [recording_name(path) for path in recordings],
            'agreement': {way.name: round(way.agreement, 5) for way in ways},
        }

    progress('reading windows')
    first = _first_windows(facts, recordings, topics)
    new = compress(folder, out, precision, _feeds(facts, first), check)
    progress('timing')
    took = tuple(_milliseconds(f, first) for f in (facts, new))
    return Compressed(new.id, tuple(ways), (took[0], took[1]), (_size(folder), _size(out)))


_NAMES: Final = {True: 'as live', False: 'whole recording'}


def _ways(facts: BundleFacts) -> tuple[bool, ...]:
    """Return whether a bundle labels live, as whole recordings, or in both ways."""
    assert facts.network is not None
    model = facts.network.model
    if not model.head.online:
        return (False,)
    return (True,) if model.offline_head is None else (True, False)


def _compare(
    name: str,
    models: Sequence[Model],
    recordings: Sequence[Path],
    topics: Mapping[str, TopicSpec] | None,
) -> Way:
    """Label recordings with both models, which see the same windows."""
    frames = equal = 0
    sequences: tuple[list[ScoredSequence], ...] = ([], [])
    for path in recordings:
        said: tuple[list[FrameLabel], ...] = ([], [])
        stream = WindowStream(
            open_recording(path), models[0].windows, models[0].modalities, topics, models[0].topics
        )
        for windows in stream:
            for labels, model in zip(said, models, strict=True):
                labels += model.segmenter.extend(windows)
        for labels, model in zip(said, models, strict=True):
            labels += model.segmenter.finish()
        frames += len(said[0])
        equal += sum(a.label_id == b.label_id for a, b in zip(*said, strict=True))
        if truth := _truth(path):
            for found, labels in zip(sequences, said, strict=True):
                found.append(_sequence(recording_name(path), labels, truth))
    scores = {}
    if sequences[0]:
        before, after = (score(found) for found in sequences)
        scores = {
            'accuracy': (before.accuracy or 0.0, after.accuracy or 0.0),
            'F1@50': (before.f1[50] or 0.0, after.f1[50] or 0.0),
        }
    return Way(name, frames, equal, scores)


def _truth(path: Path) -> list[Segment]:
    """Return what a recording says itself happened; nothing where it does not."""
    try:
        return list(own_truth(path).read().segments)
    except (LabelError, BagError):
        return []


def _sequence(name: str, labels: Sequence[FrameLabel], truth: Sequence[Segment]) -> ScoredSequence:
    return ScoredSequence(
        name,
        np.array([label.stamp for label in labels], np.int64),
        ['' if label.reason else label.label for label in labels],
        truth,
    )


def _first_windows(
    facts: BundleFacts, recordings: Sequence[Path], topics: Mapping[str, TopicSpec] | None
) -> FrameWindows:
    """Return windows spread over the recordings, CALIBRATED in all, or as many as there are."""
    parts, share = [], max(CALIBRATED // len(recordings), 1)
    for path in recordings:
        recording = open_recording(path)
        stream = WindowStream(recording, facts.windows, facts.modalities, topics, facts.topics)
        left = share
        for windows in stream:
            step = max(len(windows) // 8, 1)
            for k in range(0, len(windows), step):
                if left:
                    parts.append(windows[k : k + 1])
                    left -= 1
            if not left:
                break
    return FrameWindows.join(parts)


def _feeds(facts: BundleFacts, windows: FrameWindows) -> list[dict[str, NDArray[Any]]]:
    """Return what the graph takes at each of the windows."""
    assert facts.network is not None
    backend = GraphBackend(facts, _ONE_CORE, live=True)
    state = backend.initial_state().tensors if backend.online else {}
    frames = (windows[k : k + 1] for k in range(len(windows)))
    inputs = (RelativePoses()(make_inputs(frame, *_of(facts))) for frame in frames)
    return [{**backend.feed(x), **state} for x in inputs]


def _milliseconds(facts: BundleFacts, windows: FrameWindows) -> float:
    """Return the median time that a frame takes in the network, on one core."""
    backend = GraphBackend(facts, Placement(threads=1, one_frame=True), live=True)
    took = []
    for _ in range(2):
        for k in range(len(windows)):
            inputs = RelativePoses()(make_inputs(windows[k : k + 1], *_of(facts)))
            began = time.perf_counter()
            backend.encode(inputs)
            took.append(time.perf_counter() - began)
    return float(np.median(took)) * 1e3


def _of(facts: BundleFacts) -> tuple[Any, Any]:
    assert facts.network is not None
    return facts.network.normalisation, facts.modalities


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 1e6
