# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.labels import read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.core.modalities import MODALITIES
from m2r2_ros.core.samples import ImageSamples, Samples, SoundSamples, VectorSamples
from m2r2_ros.demo.recording import START, write_demo_recording
from m2r2_ros.demo.script import demo_labels
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import guess_topics

SECONDS = 12.0


@pytest.fixture(scope='module')
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('demo') / 'demo'
    write_demo_recording(path, seconds=SECONDS, seed=3)
    return path


def read(path: Path, modality: str) -> list[Samples]:
    recording = open_recording(path)
    available = {topic.name: topic.type_name for topic in recording.topics.values()}
    spec = guess_topics(available, {})[modality]
    reader = make_reader(spec, spec.type, recording.topics[spec.topic].definition)
    return [reader.decode(block) for blocks in recording.blocks([spec.topic]) for block in blocks]


def test_every_modality_is_found_by_itself(demo: Path) -> None:
    recording = open_recording(demo)
    available = {topic.name: topic.type_name for topic in recording.topics.values()}
    assert tuple(guess_topics(available, {})) == MODALITIES


@pytest.mark.parametrize(
    ('modality', 'rate', 'width'),
    [('wrench', 500, 6), ('pose', 500, 7), ('twist', 500, 6), ('gripper', 50, 1)],
)
def test_sensors_are_read_at_their_rate(demo: Path, modality: str, rate: int, width: int) -> None:
    parts = [part for part in read(demo, modality) if isinstance(part, VectorSamples)]
    stamps = np.concatenate([part.stamps for part in parts])
    values = np.concatenate([part.values for part in parts])
    assert values.shape == (SECONDS * rate, width)
    assert not any(part.dropped for part in parts)
    steps = np.diff(stamps)
    assert np.all(steps > 0)
    assert np.median(steps) == pytest.approx(1e9 / rate, rel=0.02)
    assert steps.std() > 0.05e9 / rate  # the clock is not perfect


def test_poses_carry_rotations_and_positions_in_reach(demo: Path) -> None:
    parts = [part for part in read(demo, 'pose') if isinstance(part, VectorSamples)]
    values = np.concatenate([part.values for part in parts])
    assert np.allclose(np.linalg.norm(values[:, 3:], axis=1), 1)
    assert np.all(np.abs(values[:, :3] - (0.45, 0.0, 0.13)) < (0.15, 0.2, 0.14))


def test_sound_and_pictures_are_read(demo: Path) -> None:
    sound = [part for part in read(demo, 'sound') if isinstance(part, SoundSamples)]
    assert {part.rate for part in sound} == {16_000}
    samples = np.concatenate([chunk for part in sound for chunk in part.chunks])
    assert len(samples) == pytest.approx(SECONDS * 16_000, abs=512)
    assert 0.05 < np.abs(samples).max() < 1
    pictures = [part for part in read(demo, 'image') if isinstance(part, ImageSamples)]
    frames = [frame for part in pictures for frame in part.frames]
    assert len(frames) == SECONDS * 10
    assert frames[0].decode().shape == (224, 224, 3)


def test_messages_lie_in_log_time_order(demo: Path) -> None:
    recording = open_recording(demo)
    arrivals = [
        (rank, log_time)
        for blocks in recording.blocks()
        for block in blocks
        for rank, log_time in zip(block.arrival.tolist(), block.log_times.tolist(), strict=True)
    ]
    assert all(a[1] <= b[1] for a, b in pairwise(sorted(arrivals)))


def test_truth_covers_the_recording(demo: Path) -> None:
    truth = read_truth(demo)
    assert truth.label_set == demo_labels()
    assert truth.segments[0].start == START
    assert truth.segments[-1].end == START + SECONDS * 1e9
    assert all(a.end == b.start for a, b in pairwise(truth.segments))


def test_gripper_width_tells_what_is_held(tmp_path: Path) -> None:
    truth = write_demo_recording(tmp_path / 'demo', seconds=30.0, seed=0)
    parts = [p for p in read(tmp_path / 'demo', 'gripper') if isinstance(p, VectorSamples)]
    stamps = np.concatenate([part.stamps for part in parts])
    width = np.concatenate([part.values for part in parts])[:, 0]
    expected = {'peg': 0.012, 'plug': 0.030, 'gear': 0.052}
    for segment in truth:
        verb, _, name = segment.label.partition('_')
        if verb in {'insert', 'place'}:
            at_start = width[np.searchsorted(stamps, segment.start + 300_000_000)]
            assert at_start == pytest.approx(expected[name], abs=1e-3)


def contents(path: Path) -> list[tuple[str, int, bytes]]:
    return [
        (block.topic, int(log_time), block.message(i).tobytes())
        for blocks in open_recording(path).blocks()
        for block in blocks
        for i, log_time in enumerate(block.log_times)
    ]


def test_a_seed_gives_the_same_recording(tmp_path: Path) -> None:
    for name, seed in (('a', 5), ('b', 5), ('c', 6)):
        write_demo_recording(tmp_path / name, seconds=3.0, seed=seed)
    assert contents(tmp_path / 'a') == contents(tmp_path / 'b')
    assert contents(tmp_path / 'a') != contents(tmp_path / 'c')


def test_refusals(tmp_path: Path) -> None:
    for seconds in (0.0, -1.0, float('nan')):
        with pytest.raises(ConfigError, match='positive'):
            write_demo_recording(tmp_path / 'demo', seconds=seconds, seed=0)
    write_demo_recording(tmp_path / 'demo', seconds=0.5, seed=0)
    with pytest.raises(BagError, match='exists'):
        write_demo_recording(tmp_path / 'demo', seconds=0.5, seed=0)
    write_demo_recording(tmp_path / 'demo', seconds=0.5, seed=0, overwrite=True)
