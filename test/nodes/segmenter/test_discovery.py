# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topic is taken for which modality."""

from dataclasses import replace

from m2r2_ros.core.modalities import BUILTIN, declared
from m2r2_ros.nodes.segmenter.discovery import GIVEN, GUESSED, MODEL, Discovery
from m2r2_ros.readers.topics import TopicSpec

POSE, WRENCH = 'geometry_msgs/msg/PoseStamped', 'geometry_msgs/msg/WrenchStamped'
BOTH = declared(['wrench', 'pose'])
EXPECTED = {'pose': {'topic': '/tcp', 'type': POSE}, 'wrench': {'topic': '/ft', 'type': WRENCH}}


def chosen(discovery: Discovery) -> dict[str, tuple[str, str]]:
    return {m: (s.topic, discovery.origin[m]) for m, s in discovery.resolved.items()}


def test_the_topics_of_the_model_come_before_guesses() -> None:
    discovery = Discovery(BOTH, {}, EXPECTED, '/')
    available = {'/tcp': POSE, '/current_pose': POSE, '/other/wrench': WRENCH}
    assert [s.topic for s in discovery.look(available, guess=False)] == ['/tcp']
    assert discovery.missing == {'wrench': '/ft'}
    discovery.look(available, guess=True)
    assert chosen(discovery) == {'pose': ('/tcp', MODEL), 'wrench': ('/other/wrench', GUESSED)}
    assert discovery.look({**available, '/ft': WRENCH}, guess=True) == []  # what is resolved stays


def test_what_is_given_is_waited_for_and_what_is_off_stays_off() -> None:
    given = {'pose': TopicSpec('pose', '/mine'), 'wrench': TopicSpec('wrench', '')}
    discovery = Discovery(BOTH, given, EXPECTED, '/')
    assert discovery.look({'/tcp': POSE, '/ft': WRENCH}, guess=True) == []
    assert discovery.missing == {'pose': '/mine'}
    (spec,) = discovery.look({'/mine': POSE}, guess=False)
    assert (spec.topic, spec.type, discovery.origin['pose']) == ('/mine', POSE, GIVEN)
    assert not discovery.missing


def test_a_given_type_must_be_that_of_the_topic_and_delays_no_other() -> None:
    given = {'pose': TopicSpec('pose', '/mine', POSE)}
    discovery = Discovery(BOTH, given, EXPECTED, '/')
    found = discovery.look({'/mine': WRENCH, '/ft': WRENCH}, guess=False)
    assert [spec.topic for spec in found] == ['/ft']
    assert '/mine' in discovery.refused['pose']
    assert WRENCH in discovery.refused['pose']
    assert discovery.missing == {'pose': '/mine'}


def test_in_a_namespace_nothing_outside_is_guessed() -> None:
    discovery = Discovery(BOTH, {}, {'pose': EXPECTED['pose']}, '/left')
    available = {'/right/ft': WRENCH, '/tcp': POSE, '/left/tcp': POSE}
    discovery.look(available, guess=True)
    assert chosen(discovery) == {'pose': ('/left/tcp', MODEL)}
    discovery.look({**available, '/left/ft': WRENCH}, guess=True)
    assert discovery.resolved['wrench'].topic == '/left/ft'


def test_remapped_names_are_looked_for() -> None:
    discovery = Discovery(declared(['pose']), {}, EXPECTED, '/', {'/tcp': '/renamed'}.get)  # type: ignore[arg-type]
    discovery.look({'/tcp': POSE, '/renamed': POSE}, guess=False)
    assert discovery.resolved['pose'].topic == '/renamed'


def test_another_model_may_want_more() -> None:
    discovery = Discovery(declared(['pose']), {}, EXPECTED, '/')
    discovery.look({'/tcp': POSE, '/ft': WRENCH}, guess=False)
    discovery.want(BOTH, EXPECTED)
    assert [s.topic for s in discovery.look({'/ft': WRENCH}, guess=False)] == ['/ft']
    discovery.forget()
    assert set(discovery.missing) == {'wrench', 'pose'}


def test_a_topic_that_serves_one_wrench_is_not_guessed_for_another() -> None:
    two = {**declared(['wrench']), 'left_wrench': replace(BUILTIN['wrench'], name='left_wrench')}
    expected = {'left_wrench': {**EXPECTED['wrench'], 'like': 'wrench'}}
    discovery = Discovery(two, {}, expected, '/')
    discovery.look({'/ft': WRENCH}, guess=True)
    assert chosen(discovery) == {'left_wrench': ('/ft', MODEL)}
    discovery.look({'/ft': WRENCH, '/right/ft': WRENCH}, guess=True)
    assert discovery.resolved['wrench'].topic == '/right/ft'
