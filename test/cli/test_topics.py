# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 topics`, and what inspect says of topics that could serve."""

import json
from pathlib import Path

import pytest

from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.topic_map import load_topics
from test.cli.run import done, m2r2
from test.replay.recordings import START, cdr, header, joints, robot, write_bag

FLOATS = 'std_msgs/msg/Float64MultiArray'


@pytest.fixture
def jointed(tmp_path: Path) -> Path:
    """A recording of a robot that gives its joints, an array and words, and no more."""
    with BagWriter(tmp_path / 'jointed') as bag:
        bag.add_topic('/joint_states', 'sensor_msgs/msg/JointState')
        bag.add_topic('/skin', 'my_msgs/msg/Skin', definition='float32[3] taxels\nint32 count\n')
        bag.add_topic('/words', 'std_msgs/msg/String')
        for k in range(100):
            stamp = START + k * SECOND // 50
            bag.write('/joint_states', joints(stamp, [k / 100, 1.0], ('one', 'two')), stamp)
            bag.write('/skin', b'\x00\x01\x00\x00' + bytes(16), stamp + 1)
            bag.write('/words', cdr('std_msgs/msg/String', data='hello'), stamp + 2)
    return tmp_path / 'jointed'


def test_the_map_says_what_would_be_guessed(robots: Path, tmp_path: Path) -> None:
    path = tmp_path / 'topics.yaml'
    text = done('topics', robots / 'first').out
    path.write_text(text)
    assert {m: s.topic for m, s in load_topics(path).items()} == {
        'wrench': '/wrench',
        'pose': '/pose',
        'twist': '/twist',
        'gripper': '/gripper/joint_states',
    }
    assert 'pose' not in ''.join(line for line in text.splitlines() if line.startswith('#'))
    plain = json.loads(done('inspect', robots / 'first', '--json').out)
    given = json.loads(done('inspect', robots / 'first', '--topics', path, '--json').out)
    assert given == plain


def test_joints_are_named_and_other_numbers_suggested(jointed: Path, tmp_path: Path) -> None:
    text = done('topics', jointed).out
    path = tmp_path / 'topics.yaml'
    path.write_text(text)
    (spec,) = load_topics(path).values()
    assert (spec.modality, spec.joints, spec.fields) == ('joints', ('one', 'two'), ('position',))
    assert 'numbers: taxels, count' in text
    assert '/words' not in text
    uncommented = text[text.index('# my_msgs') :].replace('# skin:', 'skin:').replace('#   ', '  ')
    path.write_text(uncommented)
    assert load_topics(path)['skin'].topic == '/skin'


def test_a_recording_without_anything_is_refused(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'words') as bag:
        bag.add_topic('/words', 'std_msgs/msg/String')
        bag.write('/words', cdr('std_msgs/msg/String', data='hello'), START)
    assert 'none of its topics holds images, sound or numbers' in m2r2(
        'topics', tmp_path / 'words'
    ).error  # fmt: skip


def test_inspect_says_what_could_serve_and_why_not(jointed: Path) -> None:
    shown = done('inspect', jointed).out
    assert 'start 2' in shown
    assert 'sensor_msgs/msg/JointState: could serve gripper' in shown
    assert 'my_msgs/msg/Skin: could serve vector (name fields)' in shown
    assert 'std_msgs/msg/String: no numbers in it' in shown
    (found,) = json.loads(done('inspect', jointed, '--json').out)
    assert found['topics']['/joint_states']['serves'] == ['joints']
    assert found['topics']['/skin']['could_serve'] == ['vector']
    assert found['end_ns'] - found['start_ns'] == pytest.approx(2 * SECOND, rel=0.02)


def test_long_names_of_topics_stay_whole(tmp_path: Path) -> None:
    entries = robot(0.5)
    long = (
        '/a_robot_with/a_very_long_namespace/and_a_long_name_of_its_own/for_its_one/wrench_sensor'
    )
    path = write_bag(tmp_path / 'robot', [e._replace(topic=long + e.topic) for e in entries])
    for line in (long + '/wrench', long + '/pose'):
        assert line in done('inspect', path).out


def test_a_topic_of_the_wrong_kind_is_refused_by_inspect_too(robots: Path, tmp_path: Path) -> None:
    topics = tmp_path / 'topics.yaml'
    for text, words in (
        ('wrench: /pose', '/pose is of type geometry_msgs/msg/PoseStamped'),
        ('image: /pose', 'from which image cannot be read'),
        ('force: {topic: /wrench, fields: [wrench.force.w]}', 'there is no w; geometry_msgs'),
        ('gripper: {topic: /gripper/joint_states, unit: N}', "'N' is a force, expected a length"),
        ('pose: {topic: /wrench, frames: [a, b]}', 'need pose.urdf'),
    ):
        topics.write_text(text)
        assert words in m2r2('inspect', robots / 'first', '--topics', topics).error


def test_stamps_of_headers_are_not_suggested(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'battery') as bag:
        bag.add_topic('/range', 'sensor_msgs/msg/Range')
        raw = cdr(
            'sensor_msgs/msg/Range', header=header(START), radiation_type=0, field_of_view=0.0,
            min_range=0.0, max_range=1.0, range=0.5, variance=0.0,
        )  # fmt: skip
        bag.write('/range', raw, START)
    assert '# numbers: radiation_type' in done('topics', tmp_path / 'battery').out


def test_topics_without_messages_could_serve_and_do_not(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'silent') as bag:
        bag.add_topic('/wrench', 'geometry_msgs/msg/WrenchStamped')
        bag.add_topic('/joint_states', 'sensor_msgs/msg/JointState')
        bag.write('/joint_states', joints(START, [1.0]), START)
    shown = done('inspect', tmp_path / 'silent').out
    assert 'WrenchStamped: could serve wrench (no messages)' in shown
    assert (
        '# geometry_msgs/msg/WrenchStamped, no messages' in done('topics', tmp_path / 'silent').out
    )
