# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmenter's work without ROS: what is done where it cannot keep up."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.tables.spec import WRENCH
from m2r2_ros.bags.templates import message_template
from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.labels import FrameLabel
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.nodes.common.received import Received
from m2r2_ros.nodes.segmenter.labelling import Labelling
from m2r2_ros.nodes.segmenter.live_windows import LiveWindows
from m2r2_ros.nodes.segmenter.loading import load_model
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.segmenters.network import NetworkSegmenter
from test.nodes.bundles import write_bundle

START = 1_800_000_000_000_000_000
SECOND = 1_000_000_000


class Sink:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.count = dict[str, int]()

    def add_topic(self, name: str, type_name: str, **given: Any) -> None:
        self.count[name] = 0

    def write(self, topic: str, raw: bytes, log_time: int) -> None:
        self.count[topic] += 1


def seconds_of_wrench(begin: float, seconds: float) -> dict[str, list[Received]]:
    stamps = START + ((begin + np.arange(0, seconds, 0.005)) * SECOND).astype(np.int64)
    template = message_template(WRENCH, 6, 'tool', (), ())
    values = np.random.default_rng(0).normal(size=(len(stamps), 6))
    rows = template.fill(stamps, values)
    return {'/wrench': [Received(r.tobytes(), int(t)) for r, t in zip(rows, stamps, strict=True)]}


class Watch:
    """A clock that only the segmenter moves: costs do not depend on the machine."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cost = 0.002

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def seen(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> list[FrameWindows]:
    """Keep what is labelled, at the cost that the watch says for each window, s."""
    seen: list[FrameWindows] = []
    extend = NetworkSegmenter.extend

    def timed(self: NetworkSegmenter, windows: FrameWindows) -> list[FrameLabel]:
        seen.append(windows)
        watch.now += watch.cost * len(windows)
        return extend(self, windows)

    monkeypatch.setattr(NetworkSegmenter, 'extend', timed)
    return seen


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr('m2r2_ros.nodes.segmenter.labelling.time', watch)
    return watch


@pytest.fixture
def labelling(tmp_path: Path) -> Iterator[Labelling]:
    model = load_model(str(write_bundle(tmp_path / 'bundle')))
    windows = LiveWindows(model.windows, model.modalities)
    spec = TopicSpec('wrench', '/wrench')
    windows.follow({'wrench': (spec, make_reader(spec, WRENCH))})
    yield Labelling(model, windows, LabelWriter(Sink()), time.time_ns)


def test_a_burst_is_labelled_whole_by_what_is_fast(
    labelling: Labelling, seen: list[FrameWindows]
) -> None:
    for k in range(20):
        labelling.step(seconds_of_wrench(k / 10, 0.1))
    before = labelling.labels
    labelling.step(seconds_of_wrench(2.0, 3.0))
    assert labelling.labels - before >= 29
    assert len(seen[-1]) == labelling.labels - before
    assert not labelling.counters['windows.skipped']


def test_the_newest_window_wins_where_labelling_is_slower_than_frames_come(
    labelling: Labelling, seen: list[FrameWindows], watch: Watch
) -> None:
    watch.cost = 0.11
    labelling.step(seconds_of_wrench(0.0, 0.5))
    first = labelling.labels
    assert first  # all of them: what a window costs is not known yet
    for k in range(5):
        labelling.step(seconds_of_wrench(0.5 + k * 0.4, 0.4))
    counters = labelling.counters
    assert [len(windows) for windows in seen[1:]] == [1] * 5
    assert counters['windows.skipped'] == 5 * 3
    assert counters['windows'] == labelling.labels + counters['windows.skipped']
    # It is the newest of those that waited.
    assert np.diff([int(w.stamps[-1]) for w in seen]).min() == 4 * SECOND // 10


@pytest.mark.parametrize('broken', ['confidence', 'boundary_score', 'probabilities'])
def test_labels_that_are_no_numbers_are_refused_and_the_network_begins_anew(
    labelling: Labelling, seen: list[FrameWindows], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    extend = NetworkSegmenter.extend
    wrong: dict[str, Any] = {'confidence': np.nan, 'boundary_score': np.inf}
    wrong['probabilities'] = np.array([0.5, np.nan, 0.5], np.float32)

    def spoilt(self: NetworkSegmenter, windows: FrameWindows) -> list[FrameLabel]:
        labels = extend(self, windows)
        return [labels[0], *(replace(label, **{broken: wrong[broken]}) for label in labels[1:])]

    labelling.step(seconds_of_wrench(0.0, 1.0))
    good = labelling.labels
    with monkeypatch.context() as context:
        context.setattr(NetworkSegmenter, 'extend', spoilt)
        labelling.step(seconds_of_wrench(1.0, 1.0))
    refused = labelling.counters['labels.non_finite']
    assert refused > 5
    assert labelling.labels == good + 1
    labelling.step(seconds_of_wrench(2.0, 1.0))
    assert seen[-1].restarts.tolist() == [True] + [False] * (len(seen[-1]) - 1)
    assert labelling.counters['labels.non_finite'] == refused
    labelling.step(seconds_of_wrench(3.0, 1.0))
    assert not seen[-1].restarts.any()
    assert labelling.counters['windows'] == labelling.labels + refused


def test_a_model_that_gives_nan_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_bundle(tmp_path / 'bundle')
    step = NetworkSegmenter.step

    def spoilt(self: NetworkSegmenter, window: FrameWindows) -> FrameLabel | None:
        label = step(self, window)
        return label and replace(label, confidence=np.nan)

    monkeypatch.setattr(NetworkSegmenter, 'step', spoilt)
    with pytest.raises(BundleError, match='gives NaN instead of probabilities'):
        load_model(str(folder))
