# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An overview shows what readers read, in one pass; a stretch is the same in detail."""

from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.sensors import Sensors
from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.pages.container import Container
from m2r2_ros.pages.overview import Overview, stretch
from m2r2_ros.readers.topics import TopicSpec
from test.pages.containers import Unpacked
from test.replay.recordings import START, robot, robot_bag, write_mcap, write_sqlite

SECOND = 10**9


def overview(path: Path, **options: object) -> Unpacked:
    made = Overview(open_recording(path), **options)  # type: ignore[arg-type]
    shares = list(made.read())
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    return snapshot(made)


def snapshot(made: Overview) -> Unpacked:
    out = Container()
    return Unpacked(out.pack(made.pack(out)))


def forces(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return times and force x of a recording, by the readers."""
    recording = open_recording(path)
    sensors = Sensors(recording)
    stamps, values = [], []
    for blocks in recording.blocks(sensors.topics):
        for spec, samples in sensors.decode(blocks):
            if spec.modality == 'wrench':
                assert isinstance(samples, VectorSamples)
                stamps.append(samples.stamps)
                values.append(samples.values[:, 0])
    return (np.concatenate(stamps) - START) / SECOND, np.concatenate(values)


def test_signals_are_those_of_the_sensors(tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'bag', 8.0)
    found = overview(bag, around=[2.0])
    assert [s['id'] for s in found.page['signals']] == [
        'wrench.force', 'wrench.torque', 'pose.position', 'pose.orientation', 'twist.velocity',
        'twist.angular', 'gripper',
    ]  # fmt: skip
    times, values = found.samples('wrench.force', 0)
    expected_times, expected = forces(bag)
    assert np.allclose(times, expected_times, atol=2e-6)
    assert np.allclose(values, expected, atol=np.ptp(expected) / 60_000)
    sizes = found.samples('wrench.force', 3)[1]
    assert sizes.max() > 0
    extremes = found.extremes('wrench.force', 0)
    assert np.nanmax(extremes) == pytest.approx(expected.max(), abs=1e-3)


def test_a_stretch_is_what_was_sensed_in_a_range(tmp_path: Path) -> None:
    entries = robot(8.0)
    for path in (
        write_mcap(tmp_path / 'a.mcap', entries, chunk=2000),
        write_mcap(tmp_path / 'b.mcap', entries, chunked=False),
        write_sqlite(tmp_path / 'c', entries),
    ):
        found = Unpacked(stretch(open_recording(path), None, 3.0, 4.5))
        times, values = found.samples('wrench.force', 0)
        every, expected = forces(path)
        inside = (every >= 3.0) & (every < 4.5)
        assert np.allclose(times, every[inside], atol=2e-6)
        assert np.allclose(values, expected[inside], atol=1e-3)


def test_a_stretch_past_the_end_is_empty(tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'bag', 4.0)
    found = Unpacked(stretch(open_recording(bag), None, 100.0, 101.0))
    assert [s for s in found.page['signals'] if s['stretches']] == []


def test_what_has_been_read_can_be_had_before_the_end(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / 'a.mcap', robot(60.0), chunk=20_000)
    made = Overview(open_recording(path))
    assert snapshot(made).page['progress'] == 0.0
    reading = made.read()
    share = next(reading)
    found = snapshot(made)
    assert found.page['progress'] == share <= 1.0
    assert found.page['signals']
    list(reading)
    assert snapshot(made).page['progress'] == 1.0


def test_a_topic_that_was_given_has_to_be_readable(tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'bag', 2.0)
    with pytest.raises(MessageError, match='image'):
        Overview(open_recording(bag), {'image': TopicSpec('image', '/wrench')})


def test_several_of_a_kind_have_plots_of_their_own(tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'bag', 2.0)
    topics = {'left_wrench': TopicSpec('left_wrench', '/wrench', like='wrench')}
    titles = [s['title'] for s in overview(bag, topics=topics).page['signals']]
    assert {'left_wrench: force', 'left_wrench: torque'} <= set(titles)


def test_an_empty_recording_has_an_empty_overview(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / 'a.mcap', [])
    assert overview(path).page['signals'] == []
