# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from m2r2_ros.core.errors import MessageError
from m2r2_ros.readers.definitions import (
    is_known,
    message_definition,
    own_types,
    store_for,
    type_hash,
    typestore,
)

ODD = 'sensor_msgs/msg/Image'


def test_our_messages_are_known_beside_those_of_ros() -> None:
    for name in ('ActionLabel', 'ActionSegment', 'LabelSet'):
        assert is_known(f'm2r2_ros/msg/{name}')
    assert is_known('sensor_msgs/msg/JointState')
    assert not is_known('my_msgs/msg/Thing')


def test_our_types_alone_are_what_they_are_among_those_of_ros() -> None:
    own, every = own_types(), typestore()
    names = [name for name in own.fielddefs if '/msg/' in name]
    assert {name for name in every.fielddefs if name.startswith('m2r2_ros/')} <= set(names)
    for name in names:
        assert own.hash_rihs01(name) == every.hash_rihs01(name)
        assert own.generate_msgdef(name)[0] == every.generate_msgdef(name)[0]


def test_definitions_bring_what_their_fields_need() -> None:
    text = message_definition('geometry_msgs/msg/WrenchStamped')
    for part in (
        'MSG: std_msgs/Header',
        'MSG: builtin_interfaces/Time',
        'MSG: geometry_msgs/Wrench',
    ):
        assert part in text
    name = 'geometry_msgs/msg/WrenchStamped'
    assert type_hash(name, text) == type_hash(name)


def test_hashes_are_those_of_ros() -> None:
    # As rmw_fastrtps of Jazzy gives it.
    expected = 'RIHS01_a13ee3a330e346c9d87b5aa18d24e11690752bd33a0350f11c5882bc9179260e'
    assert type_hash('sensor_msgs/msg/JointState') == expected


def test_a_definition_from_outside_does_not_change_the_shared_ones() -> None:
    store = store_for(ODD, 'uint8 only\n')
    assert [name for name, _ in store.fielddefs[ODD][1]] == ['only']
    assert 'encoding' in [name for name, _ in typestore().fielddefs[ODD][1]]
    assert type_hash(ODD, 'uint8 only\n') != type_hash(ODD)


@pytest.mark.parametrize('text', ['not a definition !', 'my_msgs/Missing x\n', 'a/msg/Loop x\n'])
def test_unreadable_definitions_are_refused(text: str) -> None:
    with pytest.raises(MessageError, match='a/msg/Loop'):
        store_for('a/msg/Loop', text)


def test_unknown_types_are_named() -> None:
    with pytest.raises(MessageError, match='my_msgs/msg/Thing is unknown'):
        message_definition('my_msgs/msg/Thing')
