# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Live messages that were made to do harm, on their way to labels."""

import math
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.bags.labels.topics import LABEL, LABEL_TOPIC
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.modalities import MODALITIES, declared
from m2r2_ros.nodes.common.received import Received
from m2r2_ros.nodes.segmenter.labelling import Labelling
from m2r2_ros.nodes.segmenter.live_windows import LiveWindows
from m2r2_ros.nodes.segmenter.loading import load_model
from m2r2_ros.readers.definitions import typestore
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.segmenters.model import Model
from m2r2_ros.windows.config import WindowConfig
from test.hostile.fuzzing import tries
from test.hostile.ros_messages import START, TOPICS, every_number, hostile, steady
from test.network.networks import SMALL
from test.nodes.bundles import write_bundle


class Sink:
    """Decodes what is published."""

    def __init__(self) -> None:
        self.labels: list[Any] = []

    def add_topic(self, name: str, type_name: str, **given: Any) -> None: ...

    def write(self, topic: str, raw: bytes, log_time: int) -> None:
        if topic == LABEL_TOPIC:
            self.labels.append(typestore().deserialize_cdr(raw, LABEL))


@pytest.fixture(scope='module')
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(str(write_bundle(tmp_path_factory.mktemp('bundle') / 'small', SMALL)))


def live_windows(config: WindowConfig, modalities: Collection[str]) -> LiveWindows:
    windows = LiveWindows(config, declared(modalities))
    specs = {m: (TopicSpec(m, TOPICS[m][0]), TOPICS[m][1]) for m in modalities}
    windows.follow({m: (spec, make_reader(spec, kind)) for m, (spec, kind) in specs.items()})
    return windows


def harmless(seconds: float, first: int, modalities: Collection[str]) -> dict[str, list[Received]]:
    return {
        TOPICS[m][0]: [Received(raw, stamp) for raw, stamp in steady(m, seconds, first)]
        for m in modalities
    }


def finite(label: Any) -> bool:
    numbers = (label.confidence, label.boundary_score, *label.probabilities)
    return all(map(math.isfinite, numbers))


def half_a_second(chance: Random, begin: int) -> Mapping[str, list[Received]]:
    """Return messages of all modalities that are hostile here and there."""
    times = [begin + k * 40_000_000 for k in range(chance.randrange(13))]
    return {
        topic: [Received(hostile(modality, t, chance), t) for t in times]
        for modality, (topic, _) in TOPICS.items()
    }


@tries(15)
@given(seed=st.integers(0, 2**32))
def test_no_message_stops_labelling_or_makes_a_label_nan(model: Model, seed: int) -> None:
    sink, chance = Sink(), Random(seed)
    windows = live_windows(model.windows, model.modalities)
    labelling = Labelling(model, windows, LabelWriter(sink), time.time_ns)
    labelling.step(harmless(1.0, START, model.modalities))
    for k in range(2):
        labelling.step(half_a_second(chance, START + 10**9 + k * 500_000_000))
    before = len(sink.labels)
    # And what is right afterwards is labelled, when no stamp leads any more.
    for second in range(2, 14):
        labelling.step(harmless(1.0, START + second * 10**9, model.modalities))
    assert len(sink.labels) > before
    assert all(map(finite, sink.labels))
    labelling.finish()


@tries(15)
@given(seed=st.integers(0, 2**32))
def test_no_image_or_sound_breaks_a_window(seed: int) -> None:
    windows, chance = live_windows(WindowConfig(), MODALITIES), Random(seed)
    for k in range(3):
        made = windows.push(half_a_second(chance, START + k * 500_000_000))
        for image in made.images['image']:
            if image is not None:
                with suppress(MessageError):
                    assert image.decode().nbytes <= 2**28


@pytest.mark.parametrize('modality', [m for m in TOPICS if m in SMALL.modalities])
def test_numbers_beyond_all_measure_are_refused_and_forgotten(model: Model, modality: str) -> None:
    sink = Sink()
    windows = live_windows(model.windows, model.modalities)
    labelling = Labelling(model, windows, LabelWriter(sink), time.time_ns)
    topic = TOPICS[modality][0]
    labelling.step({topic: [Received(raw, START) for raw in every_number(modality)]})
    labelling.step(harmless(3.0, START + 10**9, model.modalities))
    assert all(map(finite, sink.labels))
    assert len(sink.labels) >= 20
