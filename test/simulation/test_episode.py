# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded episode: what is in it, and who can open it."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from mcap.reader import make_reader as make_mcap_reader
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from m2r2_ros.bags.labels.reader import read_segments, read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.samples import ImageSamples, SoundSamples
from m2r2_ros.readers.guessing import guess_topics
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.simulation.cell import Cell
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.episode import START, write_episode
from m2r2_ros.simulation.layout import draw_layout
from m2r2_ros.simulation.parts import PARTS, PHASES, action_labels
from m2r2_ros.simulation.recorder import Recorder
from m2r2_ros.views.signals import read_signals
from test.simulation.recordings import Messages, messages

HAND = '/hand_camera/image_raw/compressed'
PHASE = '/ground_truth/phase/action_segment'


def images(path: Path, topic: str) -> list[NDArray[np.uint8]]:
    recording = open_recording(path)
    info = recording.topics[topic]
    reader = make_reader(TopicSpec('image', topic, info.type_name), info.type_name, info.definition)
    found: list[NDArray[np.uint8]] = []
    for blocks in recording.blocks([topic]):
        for block in blocks:
            samples = reader.decode(block)
            assert isinstance(samples, ImageSamples)
            found += [frame.decode() for frame in samples.frames]
    return found


def test_three_readers_open_it_and_count_the_same(episode: Path) -> None:
    recording = open_recording(episode)
    counts = {name: len(rows) for name, rows in messages(episode).items()}
    assert counts.keys() == recording.topics.keys()
    store = get_typestore(Stores.ROS2_JAZZY)
    with AnyReader([episode], default_typestore=store) as bag:
        assert {c.topic: c.msgcount for c in bag.connections} == counts
        wrench = [c for c in bag.connections if c.topic == '/ft_sensor/wrench']
        _, _, raw = next(bag.messages(wrench))
        message = bag.deserialize(raw, wrench[0].msgtype)
        assert message.header.frame_id == 'wrist'  # type: ignore[attr-defined]
    with next(episode.glob('*.mcap')).open('rb') as stream:
        summary = make_mcap_reader(stream).get_summary()
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.message_count == sum(counts.values())


def test_every_modality_is_found_without_being_named(episode: Path) -> None:
    available = {t.name: t.type_name for t in open_recording(episode).topics.values()}
    found = {name: spec.topic for name, spec in guess_topics(available, {}).items()}
    if HAND in available:
        assert found.pop('image') == HAND
    assert found == {
        'sound': '/microphone/audio',
        'wrench': '/ft_sensor/wrench',
        'pose': '/current_pose',
        'twist': '/current_twist',
        'gripper': '/gripper/joint_states',
    }


def test_rates_are_those_of_the_devices(episode: Path) -> None:
    recording = open_recording(episode)
    seconds = (recording.end - recording.start) / 1e9
    rates = {
        '/ft_sensor/wrench': 1000,
        '/current_pose': 580,
        '/current_twist': 580,
        '/gripper/joint_states': 15,
        '/microphone/audio': 31.25,
        '/joint_states': 100,
        '/tf': 50,
        HAND: 10,
    }
    found = messages(episode)
    for topic, rate in rates.items():
        if topic in found:
            assert len(found[topic]) / seconds == pytest.approx(rate, rel=0.03), topic
            log_times = [log_time for log_time, _ in found[topic]]
            assert log_times == sorted(log_times)


def test_a_seed_means_the_same_noise_whatever_sensors_are_added(episode: Path) -> None:
    # Models and figures come from seeds. The beginning of an episode does not depend on physics.
    found = messages(episode)
    begin = START + 3_600_000_000_000
    first = {
        '/ft_sensor/wrench': 2_118_342,
        '/current_pose': 2_873_822,
        '/current_twist': 3_297_347,
        '/gripper/joint_states': 51_737_484,
        '/microphone/audio': 37_422_507,
        '/joint_states': 13_012_196,
        '/tf': 13_312_196,
    }
    assert {topic: found[topic][0][0] - begin for topic in first} == first
    wrenches = [np.frombuffer(raw[-48:], '<f8') for _, raw in found['/ft_sensor/wrench'][:200]]
    bias = (-0.316, -0.065, 0.051, -0.0022, -0.0037, -0.0032)
    assert np.mean(wrenches, axis=0) == pytest.approx(bias, abs=2e-3)


def test_truth_has_three_lanes_without_gaps(episode: Path) -> None:
    truth = read_truth(episode)
    assert truth.label_set == action_labels()
    coarse = read_segments(episode, '/ground_truth/coarse/action_segment')
    phases = read_segments(episode, PHASE)
    assert [s.label.partition('_')[0] for s in truth.segments if s.label != 'no_action'] == [
        s.label for s in coarse if s.label != 'no_action'
    ]
    assert {s.label for s in phases} <= set(PHASES)
    for lane in (truth.segments, coarse, phases):
        assert all(a.end == b.start for a, b in pairwise(lane))
        assert (lane[0].start, lane[-1].end) == (truth.segments[0].start, truth.segments[-1].end)
    assert truth.segments[0].label == truth.segments[-1].label == 'no_action'
    assert all(s.success is not None for s in truth.segments)


def test_images_show_the_cell_and_that_something_moves(episode: Path) -> None:
    if HAND not in open_recording(episode).topics:
        pytest.skip('no OpenGL on this machine')
    frames = images(episode, '/external_camera/image_raw/compressed')
    assert frames[0].shape == (128, 128, 3)
    # Table, tray, board and parts are of different colours, the parts of strong ones.
    hsv = cv2.cvtColor(frames[0], cv2.COLOR_RGB2HSV)
    vivid = hsv[..., 0][(hsv[..., 1] > 130) & (hsv[..., 2] > 50)]
    assert len(np.unique(vivid // 15)) >= 3
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() < 5
    moved = [np.abs(frames[0].astype(int) - frame).max() for frame in frames]
    assert max(moved) > 60
    assert len({frame.tobytes() for frame in images(episode, HAND)}) > 20


def test_a_contact_can_be_heard(episode: Path) -> None:
    signals = read_signals(episode, frames=0)
    assert signals.loudness is not None
    stamps, loudness = signals.loudness.stamps, signals.loudness.values
    phases = read_segments(episode, PHASE)

    def loudest(kind: str) -> float:
        inside = [(stamps > s.start) & (stamps < s.end) for s in phases if s.label == kind]
        return float(loudness[np.any(inside, axis=0)].max())

    quiet = loudest('rest')
    # The motor and the touch of the fingers; the peg that meets the board.
    assert loudest('grasp') > quiet + 6
    assert loudest('align') > quiet + 10


def test_flushing_twice_at_a_time_is_nothing_special(tmp_path: Path) -> None:
    def record(*, twice: bool) -> Messages:
        cell = Cell(draw_layout(np.random.default_rng(2)))
        path = tmp_path / f'bag{twice}'
        config = EpisodeConfig(cameras=False)
        with BagWriter(path) as bag:
            recorder = Recorder(cell, bag, config, 10**18, np.random.default_rng(3))
            for _ in range(100):
                cell.advance()
                recorder.flush()
                if twice:
                    recorder.flush()
            recorder.flush(everything=True)
        return messages(path)

    assert record(twice=True) == record(twice=False)


def test_sound_is_what_the_format_says(episode: Path) -> None:
    recording, topic = open_recording(episode), '/microphone/audio'
    info = recording.topics[topic]
    reader = make_reader(TopicSpec('sound', topic, info.type_name), info.type_name, info.definition)
    count = 0
    for blocks in recording.blocks([topic]):
        for block in blocks:
            samples = reader.decode(block)
            assert isinstance(samples, SoundSamples)
            count += sum(len(chunk) for chunk in samples.chunks)
    seconds = (recording.end - recording.start) / 1e9
    assert count / 16_000 == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize('seed', [500_000, 2**31 - 1])
def test_stamps_fit_for_every_seed(seed: int, tmp_path: Path) -> None:
    write_episode(tmp_path, seed, EpisodeConfig(seconds=1.0, cameras=False))
    stamps = [stamp for rows in messages(tmp_path / f'cell_{seed}').values() for stamp, _ in rows]
    assert START <= min(stamps) < max(stamps) < (2**31) * 10**9


def test_parts_and_verbs_can_be_left_out(tmp_path: Path) -> None:
    without = ('insert', *(part.name for part in PARTS[1:]))
    config = EpisodeConfig(seconds=25.0, cameras=False, without=without)
    done = {action.name for action in write_episode(tmp_path, 4, config)}
    assert 'place_round_peg_small' in done
    assert done <= {'no_action', *(f'{v}_{PARTS[0].name}' for v in ('pick', 'remove', 'place'))}
    assert config.to_dict()['without'] == list(without)
    with pytest.raises(ConfigError, match="without: 'lid' is not one of round_peg_small, "):
        EpisodeConfig(without=('lid',))
