# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.export.frames.names import camera_name, number_names
from m2r2_ros.export.frames.schema import fitted_to, left_out, schema_of
from m2r2_ros.export.frames.sensors import NEXT_STATE, Chosen, choose
from m2r2_ros.readers.topics import TopicSpec
from test.export.frames.numbered import (
    ARM,
    COMMAND,
    FORCE,
    HAND,
    RATE,
    RAW,
    SIDE,
    arm,
    camera,
    commands,
    every,
    forces,
    messages,
    raw_camera,
    write,
)
from test.replay.recordings import Entry, joints


def chosen_of(path: Path, entries: list[Entry], action: str = '') -> Chosen:
    return choose(open_recording(write(path, entries)), {}, action)


def test_every_camera_and_every_state_is_chosen(tmp_path: Path) -> None:
    raw = HAND.removesuffix('/compressed')
    stamps = every(RATE, 1.0)
    entries = [*messages(1.0), *camera(SIDE, stamps), *raw_camera(raw, stamps)]
    entries += [*camera('/depth/image_raw/compressed', stamps), *raw_camera(RAW, stamps)]
    chosen = chosen_of(tmp_path / 'a', entries)
    # A camera that comes raw and compressed is one, and depth shows no scene.
    assert {n: s.topic for n, s in chosen.cameras.items()} == {
        'hand_camera': HAND,
        'side': SIDE,
        'raw': RAW,
    }
    assert {n: s.topic for n, s in chosen.vectors.items()} == {'wrench': FORCE, 'joints': ARM}
    assert number_names(chosen.vectors['joints']) == ('joints.left.pos', 'joints.right.pos')


def test_numbers_of_data_sets_keep_their_names() -> None:
    said = ('joints.left.pos', 'joints.left.vel', 'right')
    spec = TopicSpec('joints', ARM, fields=('position[]',), joints=said, dims=3)
    assert number_names(spec) == ('joints.left.pos', 'joints.left.vel', 'joints.right.pos')
    both = replace(spec, joints=('a.pos', 'a'), dims=2)
    assert number_names(both) == ('joints.a.pos.pos', 'joints.a.pos')


def test_what_is_given_is_taken(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path / 'a', [*messages(1.0), *camera(SIDE, every(9, 1))]))
    given = {
        'wrist': TopicSpec('wrist', SIDE, like='image'),
        'wrench': TopicSpec('wrench', ''),
        'first': TopicSpec('first', ARM, fields=('position[0:1]',)),
        'action': TopicSpec('action', FORCE, like='wrench'),
    }
    chosen = choose(recording, given)
    assert [*chosen.specs] == ['wrist', 'joints', 'first', 'action']
    assert number_names(chosen.vectors['first']) == ('first.position[0:1]',)
    with pytest.raises(ConfigError, match='tool: it has no topic /away'):
        choose(recording, {'tool': TopicSpec('tool', '/away', like='pose')})
    with pytest.raises(ConfigError, match=f'--action /away: no such topic.*{ARM}'):
        choose(recording, {}, '/away')


def test_the_only_command_is_the_action(tmp_path: Path) -> None:
    entries = [*messages(1.0), *commands(every(10, 1.0))]
    chosen = chosen_of(tmp_path / 'one', entries)
    assert chosen.action is not None
    assert chosen.action.topic == COMMAND
    assert schema_of([chosen], '').action[0] == 'action.vx'
    target = '/arm/target/joint_states'
    other = [Entry(target, e.type_name, e.log_time, e.raw) for e in arm(every(10, 1.0))]
    chosen = chosen_of(tmp_path / 'two', [*entries, *other])
    assert (chosen.action, chosen.commands) == (None, (target, COMMAND))
    chosen = chosen_of(tmp_path / 'three', entries, NEXT_STATE)
    schema = schema_of([chosen], NEXT_STATE)
    # Forces are felt, not commanded.
    assert schema.acting == ('joints',)
    assert schema.action == ('joints.left.pos', 'joints.right.pos')


def test_a_recording_has_to_fit_the_others(tmp_path: Path) -> None:
    usual = [chosen_of(tmp_path / f'{k}', messages(1.0)) for k in range(2)]
    lacking = chosen_of(tmp_path / 'lacking', forces(every(50, 1.0)))
    stamps = every(50, 1.0)
    more = [*messages(1.0), *camera(SIDE, stamps[:9])]
    named = [
        Entry(ARM, 'sensor_msgs/msg/JointState', t, joints(t, [0, 1], ('a', 'b'))) for t in stamps
    ]
    other = [e for e in messages(1.0) if e.topic != ARM] + named
    richer, renamed = (chosen_of(tmp_path / n, e) for n, e in (('more', more), ('renamed', other)))
    schema = schema_of([*usual, lacking, richer, renamed], '')
    assert schema.cameras == ('hand_camera',)
    assert left_out(richer, schema) == [f'{SIDE} (side)']
    recording = open_recording(tmp_path / '0')
    assert [*fitted_to(recording, richer, schema).specs] == ['hand_camera', 'wrench', 'joints']
    with pytest.raises(BagError, match='it has no hand_camera, joints, which the other recordings'):
        fitted_to(recording, lacking, schema)
    with pytest.raises(BagError, match=r'joints has the numbers joints\.a\.pos.*joints\.left\.pos'):
        fitted_to(recording, renamed, schema)


def test_names_are_there_once(tmp_path: Path) -> None:
    films = [
        e
        for k, n in enumerate(('wrench', 'state', 'wrench/left'))
        for e in camera(f'/{n}/image', every(9, 1), k)
    ]
    recording = open_recording(write(tmp_path / 'a', [*messages(1.0), *films]))
    assert [*choose(recording, {}).specs] == [
        'hand_camera',
        'state_2',
        'wrench_2',
        'wrench_left',
        'wrench',
        'joints',
    ]
    chosen = choose(recording, {'state': TopicSpec('state', ARM, like='joints')})
    with pytest.raises(ConfigError, match='a sensor is called state'):
        schema_of([chosen], '')


def test_nothing_to_export_is_told() -> None:
    with pytest.raises(BagError, match='neither a camera nor numbers'):
        schema_of([Chosen({}, {})], '')
    camera_alone = Chosen({'hand': TopicSpec('hand', HAND, like='image')}, {})
    with pytest.raises(ConfigError, match='no state that can be commanded'):
        schema_of([camera_alone], NEXT_STATE)


@pytest.mark.parametrize(
    ('topic', 'name'),
    [
        ('/hand_camera/image_raw/compressed', 'hand_camera'),
        ('/camera/color/image_raw', 'camera'),
        ('/Cam-2/image', 'cam_2'),
        ('/robot/left/rgb', 'robot_left'),
        ('/observation/images/cam_high/compressed', 'cam_high'),
        ('/über', 'uber'),
    ],
)
def test_cameras_are_called_after_their_topics(topic: str, name: str) -> None:
    assert camera_name(topic, ()) == name
    assert camera_name(topic, (name, f'{name}_2')) == f'{name}_3'
