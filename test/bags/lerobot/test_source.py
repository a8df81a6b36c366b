# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Episodes of LeRobot datasets opened where they are: topics, stamps, numbers, images."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.source import ALWAYS, Span
from m2r2_ros.bags.steps.stamps import EPOCH
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.messages import in_order
from m2r2_ros.readers.definitions import store_for
from test.bags.lerobot.files import (
    CAMERA,
    JOINTS,
    Layout,
    both,
    picture,
    shade,
    stamps,
    values,
    write_dataset,
    write_film,
)

FILM = '/observation/images/front/compressed'


def read(recording: Recording, topic: str, span: Span = ALWAYS) -> list[tuple[int, Any]]:
    """Return log times and messages of a topic."""
    found = recording.topics[topic]
    store = store_for(found.type_name, found.definition)
    return [
        (time, store.deserialize_cdr(bytes(raw), found.type_name))
        for blocks in recording.blocks([topic], span)
        for time, _, raw in in_order(blocks)
    ]


@pytest.fixture(scope='module', params=list(both()), ids=['v2', 'v3'])
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp('data') / 'set', request.param)


def test_all_episodes_are_found(dataset: Path) -> None:
    found = [dataset / 'episode_000000', dataset / 'episode_000001']
    assert find_recordings([dataset]) == found
    assert find_recordings([dataset.parent]) == found
    assert find_recordings([found[1]]) == found[1:]
    assert open_recording(found[1]).name == 'episode_000001'


def test_topics_say_what_the_features_are(dataset: Path) -> None:
    recording = open_recording(dataset / 'episode_000001')
    assert {name: (t.type_name, t.count) for name, t in recording.topics.items()} == {
        '/observation/state': ('sensor_msgs/msg/JointState', 25),
        '/observation/state/gripper': ('std_msgs/msg/Float64', 25),
        '/action/command': ('sensor_msgs/msg/JointState', 25),
        '/observation/ee_pose': ('geometry_msgs/msg/PoseStamped', 25),
        '/observation/wrench': ('geometry_msgs/msg/WrenchStamped', 25),
        '/observation/tactile': ('std_msgs/msg/Float64MultiArray', 25),
        '/next/reward': ('std_msgs/msg/Float64', 25),
        FILM: ('sensor_msgs/msg/CompressedImage', 25),
        '/ground_truth/label_set': ('m2r2_ros/msg/LabelSet', 1),
        '/ground_truth/action_segment': ('m2r2_ros/msg/ActionSegment', 3),
        '/ground_truth/coarse/label_set': ('m2r2_ros/msg/LabelSet', 1),
        '/ground_truth/coarse/action_segment': ('m2r2_ros/msg/ActionSegment', 1),
    }
    assert recording.notes == ()
    assert recording.start == EPOCH
    assert recording.end == EPOCH + 2_500_000_000


@pytest.mark.parametrize(('episode', 'length'), [(0, 40), (1, 25)])
def test_numbers_are_those_of_the_table(dataset: Path, episode: int, length: int) -> None:
    recording = open_recording(dataset / f'episode_{episode:06d}')
    for topic, offset in (('/observation/state', 0), ('/action/command', 100)):
        found = read(recording, topic)
        assert [time for time, _ in found] == [EPOCH + k * 100_000_000 for k in range(length)]
        assert found[3][1].header.stamp.nanosec == 300_000_000
        assert found[0][1].name == JOINTS
        got = np.array([message.position for _, message in found])
        assert (got == values(episode + offset, length, 3)).all()
    poses = [message.pose for _, message in read(recording, '/observation/ee_pose')]
    got = np.array([[p.position.z, p.orientation.x, p.orientation.w] for p in poses])
    assert (got == values(episode + 200, length, 7)[:, [2, 3, 6]]).all()
    pads = np.array([message.data for _, message in read(recording, '/observation/tactile')])
    assert (pads == values(episode, length, 4)).all()
    rewards = [message.data for _, message in read(recording, '/next/reward')]
    assert rewards == list(range(length))


@pytest.mark.parametrize(('episode', 'length'), [(0, 40), (1, 25)])
def test_images_belong_to_their_steps(dataset: Path, episode: int, length: int) -> None:
    recording = open_recording(dataset / f'episode_{episode:06d}')
    found = read(recording, FILM)
    assert [time for time, _ in found] == [EPOCH + k * 100_000_000 for k in range(length)]
    for k, (_, message) in enumerate(found):
        assert message.format == 'jpeg'
        image = np.asarray(cv2.imdecode(message.data, cv2.IMREAD_COLOR))
        assert image.shape == (48, 64, 3)
        assert abs(float(image.mean()) - shade(episode, k)) < 6


def test_a_span_is_read_as_the_whole_is(dataset: Path) -> None:
    recording = open_recording(dataset / 'episode_000001')
    span = Span(EPOCH + 1_500_000_000, EPOCH + 2_000_000_000)
    for topic in (FILM, '/observation/state'):
        whole = [(t, str(m)) for t, m in read(recording, topic) if span.since <= t < span.until]
        assert [(t, str(m)) for t, m in read(recording, topic, span)] == whole
        assert len(whole) == 5


def test_uneven_rates_are_exact_to_the_frame(tmp_path: Path) -> None:
    layout = Layout(version=2, lengths=(30,), fps=29.97, film=False)
    recording = open_recording(write_dataset(tmp_path / 'set', layout) / 'episode_000000')
    times = [time - EPOCH for time, _ in read(recording, '/observation/state')]
    assert times == [round(k * 100 / 2997 * 10**9) for k in range(30)]


def test_stamps_that_a_dataset_kept_are_those_of_messages(tmp_path: Path) -> None:
    layout = Layout(stamps=True)
    recording = open_recording(write_dataset(tmp_path / 'set', layout) / 'episode_000001')
    times = [time for time, _ in read(recording, FILM)]
    assert times == stamps(1, 25).tolist()
    assert '/stamp_ns' not in recording.topics


@pytest.mark.parametrize('version', [2, 3])
def test_images_in_tables_stay_as_they_are(tmp_path: Path, version: int) -> None:
    layout = replace(Layout(film=False, pictures=True), version=version)
    recording = open_recording(write_dataset(tmp_path / 'set', layout) / 'episode_000001')
    found = read(recording, '/observation/images/wrist/compressed')
    assert [bytes(m.data) for _, m in found] == [picture(1, k) for k in range(25)]
    assert {m.format for _, m in found} == {'png'}


def test_a_film_that_is_too_short_gives_what_it_has(tmp_path: Path) -> None:
    layout = Layout(version=2, film_lengths=(30, 25))
    recording = open_recording(write_dataset(tmp_path / 'set', layout) / 'episode_000000')
    assert len(read(recording, FILM)) == recording.topics[FILM].count == 30
    assert '30 images for 40 steps: the last 10 have none' in recording.notes[0]
    assert len(read(recording, '/observation/state')) == 40


def test_a_film_of_another_rate_is_read_to_its_end(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(version=2))
    film = folder / f'videos/chunk-000/{CAMERA}/episode_000000.mp4'
    write_film(film, [(0, k) for k in range(0, 40, 2)], 5)
    recording = open_recording(folder / 'episode_000000')
    found = read(recording, FILM)
    assert [t - EPOCH for t, _ in found] == [k * 10**8 for k in range(0, 40, 2)]
    assert 'has 5 images a second, the dataset 10 steps' in recording.notes[0]
    end = Span(EPOCH + 39 * 10**8, EPOCH + 40 * 10**8)
    assert read(recording, FILM, end) == []


def test_episodes_without_steps_are_passed_over(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(version=2, film=False))
    listing = folder / 'meta/episodes.jsonl'
    listing.write_text(listing.read_text().replace('"length": 25', '"length": 0'))
    said: list[str] = []
    assert find_recordings([folder], said.append) == [folder / 'episode_000000']
    assert 'or have no steps' in said[0]


def test_episodes_that_are_not_there_are_told(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(version=2, film=False))
    (folder / 'data/chunk-000/episode_000000.parquet').unlink()
    said: list[str] = []
    assert find_recordings([folder], said.append) == [folder / 'episode_000001']
    lacking = f'1 of 2 episodes of {folder.absolute()}, which are not there, or have no steps'
    assert said == [lacking]


def test_a_library_that_is_missing_is_named(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pyarrow.parquet', None)
    with pytest.raises(ConfigError, match=r"needs pyarrow: pip install 'm2r2_ros\[lerobot\]'"):
        open_recording(dataset / 'episode_000000')
