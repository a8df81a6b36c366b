# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two arms, two cameras and a sensor of its own, from their topics to labels."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import LabelSet, label_at
from m2r2_ros.core.modalities import BUILTIN, Modalities, modality_names
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.inputs import make_inputs
from m2r2_ros.model.relative_pose import RelativePoses
from m2r2_ros.network.bundle import load_bundle
from m2r2_ros.readers.topic_map import TopicMap
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.labeller import label_recording
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.segmenters.kinds import open_model
from m2r2_ros.training.cache import CacheWriter
from m2r2_ros.training.cache_key import cache_key
from m2r2_ros.windows.config import WindowConfig
from test.replay.recordings import (
    ACTIONS,
    GRIPPER,
    POSE,
    SECOND,
    START,
    TINY,
    TYPES,
    robot,
    tiny_bundle,
    truth_of,
    write_bag,
)
from test.replay.two_arms import MAP, array, declarations, two_arms, two_arms_bag

ARMS = (
    'left_wrench', 'right_wrench', 'left_pose', 'right_pose', 'left_twist', 'right_twist',
    'left_gripper', 'right_gripper', 'tactile',
)  # fmt: skip


def stream_of(path: Path, given: TopicMap) -> WindowStream:
    return WindowStream(open_recording(path), WindowConfig(), given.modalities, given.topics)


@pytest.fixture(scope='module')
def given(tmp_path_factory: pytest.TempPathFactory) -> TopicMap:
    return declarations(tmp_path_factory.mktemp('map'))


@pytest.fixture(scope='module')
def trained(tmp_path_factory: pytest.TempPathFactory, given: TopicMap) -> Path:
    """The bundle of a model that was trained on both arms."""
    folder = tmp_path_factory.mktemp('arms')
    arms = {name: given.modalities[name] for name in ARMS}
    bag = two_arms_bag(folder / 'trial', 12.0, 1, cameras=False)
    model = replace(TINY, modalities=arms, relative_pose=True)
    topics = {name: spec for name, spec in given.topics.items() if name in arms}
    tiny_bundle(folder / 'bundle', [bag], model=model, topics=topics)
    return folder / 'bundle'


def test_windows_of_a_recording_hold_all_that_was_declared(tmp_path: Path, given: TopicMap) -> None:
    stream = stream_of(write_bag(tmp_path / 'bag', two_arms(4.0)), given)
    windows = FrameWindows.join(list(stream))
    assert tuple(windows.modalities) == tuple(given.modalities)
    assert windows.present[2:-2].all()
    assert stream.derived == ('left_twist', 'right_twist')
    assert not stream.absent
    # Frames are those of the camera that is declared first.
    assert set(windows.stamps.tolist()) <= {START + k * SECOND // 10 + 5 for k in range(40)}
    # The array's first and last numbers are no cells, hundredths are newtons.
    cells = windows.sensors['tactile'][10:-1]
    assert cells.shape[1:] == (30, 16)
    times = (windows.starts[10:-1] - START) / SECOND
    expected = np.sin(times[:, None] * 4 + np.arange(1, 17))
    np.testing.assert_allclose(cells[:, 0], expected, atol=0.15)
    assert stream.counters['tactile.thinned'] == pytest.approx(600, abs=4)
    # Millimetres became metres.
    widths = windows.sensors['right_gripper'][2:]
    assert 0.009 < widths.min() < 0.012
    assert 0.028 < widths.max() < 0.031
    assert windows.sensors['left_gripper'].max() == pytest.approx(0.04, abs=1e-4)
    assert not np.allclose(windows.sensors['left_twist'][9], windows.sensors['right_twist'][9])


def test_arrays_that_change_their_length_are_dropped_and_counted(
    tmp_path: Path, given: TopicMap
) -> None:
    entries = two_arms(2.0, cameras=False)
    places = [k for k, e in enumerate(entries) if e.topic == '/tactile'][1::4]
    for k in places:
        entries[k] = entries[k]._replace(raw=array(np.ones(9)))
    stream = stream_of(write_bag(tmp_path / 'bag', entries), given)
    windows = FrameWindows.join(list(stream))
    assert stream.counters['tactile.length_changed'] == len(places) == 100
    assert windows.has('tactile')[2:].all()


def test_what_a_model_takes_is_guessed_as_it_was_trained(tmp_path: Path) -> None:
    """Joints are found beside a pose, for they are asked for, and read by the same names."""
    entries = [
        e._replace(topic='/joint_states') if e.topic == GRIPPER else e
        for e in robot(1.0, topics=[POSE, GRIPPER])
    ]
    joints = {'joints': replace(BUILTIN['joints'], dims=2)}
    usual = {
        'topic': '/arm/joint_states', 'type': TYPES[GRIPPER], 'fields': ['position'],
        'joints': ['right', 'left'],
    }  # fmt: skip
    recording = open_recording(write_bag(tmp_path / 'bag', entries))
    stream = WindowStream(recording, WindowConfig(), joints, {}, {'joints': usual})
    assert {m: (s.topic, s.joints) for m, s in stream.topics.items()} == {
        'joints': ('/joint_states', ('right', 'left'))
    }
    assert FrameWindows.join(list(stream)).has('joints')[1:].all()


def test_units_that_disagree_and_other_kinds_are_refused(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', two_arms(0.5, cameras=False))
    grams = declarations(tmp_path, MAP.replace('unit: mm', 'unit: kgf'))
    with pytest.raises(ConfigError, match=r"right_gripper\.unit: 'kgf' is a force, expected a len"):
        stream_of(bag, grams)
    given = declarations(tmp_path)
    wrench = replace(given.topics['left_wrench'], modality='front')
    other = TopicMap(given.modalities, {**given.topics, 'front': wrench})
    with pytest.raises(ConfigError, match='front: expected image, but the topic map gives vector'):
        stream_of(bag, other)


def test_a_recording_that_lacks_an_arm_has_it_masked(tmp_path: Path, given: TopicMap) -> None:
    entries = [e for e in two_arms(2.0, cameras=False) if not e.topic.startswith('/right/')]
    stream = stream_of(write_bag(tmp_path / 'bag', entries), given)
    windows = FrameWindows.join(list(stream))
    lost = {name for name in given.modalities if not windows.has(name).any()}
    assert lost == {n for n in ARMS if n.startswith('right')} | {'front', 'hand'}
    assert stream.derived == ('left_twist',)
    assert set(stream.absent) == lost - {'right_twist'}


def test_a_twist_whose_pose_is_not_looked_at_is_masked(tmp_path: Path, given: TopicMap) -> None:
    """The training set had a topic of the twist and none of the pose; a recording lacks both."""
    few = {n: given.modalities[n] for n in ('left_wrench', 'left_twist')}
    bag = write_bag(tmp_path / 'bag', two_arms(1.0, cameras=False))
    topics = {'left_wrench': given.topics['left_wrench']}
    stream = WindowStream(open_recording(bag), WindowConfig(), few, topics)
    windows = FrameWindows.join(list(stream))
    assert windows.has('left_wrench').any()
    assert not windows.has('left_twist').any()
    assert stream.derived == ()


def test_labels_of_two_arms_come_with_named_masks(
    tmp_path: Path, trained: Path, given: TopicMap
) -> None:
    """The bundle alone says how its topics are read: nothing is given but the recording."""
    gone = START + 6 * SECOND
    entries = two_arms(10.0, 7, cameras=False)
    path = write_bag(
        tmp_path / 'cut', [e for e in entries if e.topic != '/tactile' or e.log_time < gone]
    )
    model = open_model(trained)
    summary = label_recording(path, model, tmp_path / 'out')
    assert summary.topics == {n: s.topic for n, s in given.topics.items() if n in ARMS}
    assert summary.derived == ['left_twist', 'right_twist']
    track = read_label_track(tmp_path / 'out' / 'cut_labels')
    assert track.modalities == ARMS
    early, late = track.stamps < gone, track.stamps > gone + SECOND
    seen = [modality_names(mask, track.modalities) for mask in track.masks.tolist()]
    assert {seen[k] for k in np.flatnonzero(early)[5:]} == {ARMS}
    assert {seen[k] for k in np.flatnonzero(late)} == {ARMS[:-1]}
    # The ninth modality has the ninth bit, for which the masks of six had no room.
    assert (track.masks[early][5:] == 0b111111111).all()
    assert summary.counters['tactile.masked'] >= late.sum()
    truth = label_at(truth_of(10.0, 7), track.stamps)
    assert np.mean([a == b for a, b in zip(track.labels, truth, strict=True)]) > 0.7


@pytest.mark.parametrize('run', [1, 3, 50])
def test_labels_are_the_same_however_windows_come(tmp_path: Path, trained: Path, run: int) -> None:
    path = write_bag(tmp_path / 'bag', two_arms(6.0, 3, cameras=False))
    model, other = open_model(trained), open_model(trained)
    recording = open_recording(path)
    stream = WindowStream(recording, model.windows, model.modalities, {}, model.topics)
    windows = FrameWindows.join(list(stream))
    whole = model.segmenter.segment(windows)
    other.segmenter.reset()
    parts = [
        label
        for k in range(0, len(windows), run)
        for label in other.segmenter.extend(windows[k : k + run])
    ]
    parts += other.segmenter.finish()
    assert [(x.stamp, x.label, x.modality_mask) for x in parts] == [
        (x.stamp, x.label, x.modality_mask) for x in whole
    ]
    np.testing.assert_allclose(
        [x.probabilities for x in parts], [x.probabilities for x in whole], atol=1e-5
    )


def test_training_reads_the_cache_as_labelling_makes_windows(tmp_path: Path, trained: Path) -> None:
    bundle = load_bundle(trained)
    path = write_bag(tmp_path / 'bag', two_arms(4.0, 3, cameras=False))
    model = open_model(trained)

    def windows() -> FrameWindows:
        recording = open_recording(path)
        stream = WindowStream(recording, model.windows, model.modalities, {}, model.topics)
        return FrameWindows.join(list(stream))

    writer = CacheWriter(tmp_path / 'cache', model.windows, model.modalities, {})
    cached = writer.write('bag', [windows()[:9], windows()[9:]], [], LabelSet.of(ACTIONS))
    assert set(cached.arrays) == set(ARMS)
    assert set(cached.origins) == {'left_pose', 'right_pose'}
    found = cached.inputs(0, len(cached), bundle.normalisation)
    plain = make_inputs(windows(), bundle.normalisation, model.modalities)
    expected = RelativePoses()(plain)
    assert found.data.keys() == expected.data.keys()
    np.testing.assert_array_equal(found.present, expected.present)
    for name, values in expected.data.items():
        np.testing.assert_array_equal(found.data[name], values)


def test_declarations_change_the_key_of_cached_windows(tmp_path: Path, given: TopicMap) -> None:
    path = write_bag(tmp_path / 'bag', two_arms(0.1, cameras=False))

    def key(modalities: Modalities, topics: Mapping[str, TopicSpec]) -> str:
        labels, config = LabelSet.of(ACTIONS), WindowConfig()
        return cache_key(path, [], labels, config, modalities, topics, '')

    usual = key(given.modalities, given.topics)
    assert key(dict(given.modalities), dict(given.topics)) == usual
    tactile, spec = given.modalities['tactile'], given.topics['tactile']
    for change in ({'max_rate': 60.0}, {'max_age': 0.4}, {'unit': 'kN'}):
        other = replace(tactile, **change)
        assert key({**given.modalities, 'tactile': other}, given.topics) != usual
    for edit in ({'scale': 0.02}, {'fields': ('data[0:16]',)}, {'time_offset': 0.1}):
        topics = {**given.topics, 'tactile': replace(spec, **edit)}
        assert key(given.modalities, topics) != usual
