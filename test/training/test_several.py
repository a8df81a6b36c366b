# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A whole training on two arms: from a topic map to a bundle that knows each of its sensors."""

from pathlib import Path

import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.network.bundle import load_bundle, save_bundle
from m2r2_ros.readers.topic_map import TopicMap
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.segmenters.kinds import open_model
from m2r2_ros.training.choices import Wishes
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.inputs import settle_inputs
from m2r2_ros.training.train import Trained, train
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.fit import InputFit
from test.replay.recordings import TINY, TWIST, pose, robot, truth_of, wrench, write_bag
from test.replay.two_arms import MAP, declarations, two_arms, two_arms_bag

#: The cell's own modalities are off: two arms have others.
OFF = 'wrench: null\npose: null\ntwist: null\ngripper: null\njoints: null\n'
ARMS = {
    'left_wrench', 'right_wrench', 'left_pose', 'right_pose', 'left_twist', 'right_twist',
    'left_gripper', 'right_gripper', 'tactile',
}  # fmt: skip


@pytest.fixture(scope='module')
def bags(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp('arms')
    return [two_arms_bag(folder / f'r{k}', 6.0, k, cameras=False) for k in range(3)]


def trained(bags: list[Path], given: TopicMap, workspace: Path) -> Trained:
    settled = settle_inputs(TINY, given, bags)
    return train(
        bags,
        preset='tiny',
        model=settled.model,
        topics=settled.topics,
        windows=WindowConfig(),
        config=TrainConfig(seed=7, crop=100, learning_rate=1e-2),
        workspace=workspace,
        wishes=Wishes(epochs=2, search=False),
    )


@pytest.fixture(scope='module')
def folder(bags: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp('model')
    found = trained(bags, declarations(place, OFF + MAP), place / 'work')
    assert found.survey.missing == ()
    save_bundle(found.bundle, place / 'bundle')
    return place / 'bundle'


def test_the_bundle_has_what_was_declared(folder: Path) -> None:
    bundle = load_bundle(folder)
    # A preset without an image encoder leaves the cameras out.
    assert set(bundle.model.modalities) == ARMS
    assert bundle.model.modalities['right_wrench'].encoder == 'left_wrench'
    assert set(bundle.topics) == ARMS - {'left_twist', 'right_twist'}
    assert bundle.topics['tactile']['fields'] == ['data[1:17]']
    assert bundle.familiarity is not None
    assert set(bundle.familiarity.parts) == {*ARMS, 'features'}
    assert set(bundle.familiarity.always) == ARMS
    assert bundle.familiarity.rates['tactile'] == pytest.approx(200, rel=0.05)


def test_what_one_arm_feels_for_the_first_time_is_named(tmp_path: Path, folder: Path) -> None:
    model = open_model(folder)

    def reasons(scale: float) -> set[str]:
        entries = two_arms(6.0, 9, cameras=False)
        path = write_bag(tmp_path / f'bag{scale}', entries)
        stream = WindowStream(
            open_recording(path), model.windows, model.modalities, {}, model.topics
        )
        windows = FrameWindows.join(list(stream))
        windows.sensors['right_wrench'][:] = windows.sensors['right_wrench'] * scale + (scale - 1)
        return {x.reason for x in model.segmenter.segment(windows)}

    assert any('right_wrench' in reason for reason in reasons(300.0))
    assert not any('right_wrench' in reason for reason in reasons(1.0))


def test_slow_sensors_are_told_by_their_names(tmp_path: Path, folder: Path) -> None:
    model = open_model(folder)
    whole = two_arms(6.0, 9, cameras=False)
    few = [e for e in whole if e.topic == '/tactile'][::20]
    entries = [e for e in whole if e.topic != '/tactile' or e in few]
    path = write_bag(tmp_path / 'slow', entries)
    stream = WindowStream(open_recording(path), model.windows, model.modalities, {}, model.topics)
    fit = InputFit(model.expectations)
    for windows in stream:
        fit.add(windows)
    told = [w for w in fit.warnings(stream.rates) if w.startswith('tactile')]
    assert len(told) == 1
    assert told[0].endswith('messages/s, 200 in training')


def test_sensors_that_never_say_a_number_are_left_out_and_others_go_on_without_them(
    tmp_path: Path,
) -> None:
    """What shared an encoder has its own then, and no twist can be made of such a pose."""
    nothing = [float('nan')] * 6
    entries = []
    for e in two_arms(6.0, 2, cameras=False):
        raw = {
            '/left/wrench': wrench(e.log_time, nothing),
            '/left/pose': pose(e.log_time, nothing[:3]),
        }.get(e.topic, e.raw)
        entries.append(e._replace(raw=raw))
    moving = [e._replace(topic='/left/twist') for e in robot(6.0, 2, topics=[TWIST])]
    entries = sorted([*entries, *moving], key=lambda e: e.log_time)
    bag = write_bag(tmp_path / 'bag', entries, truth_of(6.0, 2))
    text = MAP.replace('derived_from: left_pose', 'topic: /left/twist, derived_from: left_pose')
    found = trained([bag], declarations(tmp_path, OFF + text), tmp_path / 'work')
    assert found.survey.missing == ('left_wrench', 'left_pose')
    left = found.bundle.model.modalities
    assert set(left) == ARMS - {'left_wrench', 'left_pose'}
    assert (left['right_wrench'].encoder, left['left_twist'].derived_from) == ('', '')
    assert left['right_twist'].derived_from == 'right_pose'


def test_a_declared_topic_that_no_recording_has_is_named(bags: list[Path], tmp_path: Path) -> None:
    text = MAP.replace('/right/pose', '/nowhere/pose')
    with pytest.raises(
        ConfigError, match=r'right_pose: none of the recordings has .*/nowhere/pose'
    ):
        trained(bags[:1], declarations(tmp_path, OFF + text), tmp_path / 'work')
