# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Types and QoS of topics, against rosbags and against live publishers."""

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

import yaml
from rclpy.node import Node, TopicEndpointInfo
from rclpy.qos import (
    DurabilityPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from std_msgs.msg import String

from m2r2_ros.bags.writing.metadata import qos_profiles
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.nodes.common import graph
from m2r2_ros.nodes.common.publishing import publisher_qos
from test.nodes.conftest import wait_until

TYPES = (
    'sensor_msgs/msg/JointState', 'sensor_msgs/msg/CompressedImage',
    'geometry_msgs/msg/PoseStamped',
    'visualization_msgs/msg/MarkerArray', 'diagnostic_msgs/msg/DiagnosticArray',
    'm2r2_ros/msg/LabelSet', 'foxglove_msgs/msg/RawAudio',
)  # fmt: skip


@pytest.mark.parametrize('type_name', TYPES)
def test_installed_definitions_are_whole(type_name: str, peer: Node) -> None:
    """Rosbags parses the text into the very type that a live publisher says it has."""
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(graph.installed_definition(type_name), type_name))
    publisher = peer.create_publisher(graph.message_class(type_name), 'typed', 1)
    info = wait_until(lambda: peer.get_publishers_info_by_topic('/typed'))[0]
    assert store.hash_rihs01(type_name) == str(info.topic_type_hash)
    peer.destroy_publisher(publisher)


def test_what_is_not_installed_is_named() -> None:
    assert graph.installed_definition('absent_msgs/msg/Thing') == ''
    with pytest.raises(ConfigError, match=r'absent_msgs/msg/Thing.*ros-\$ROS_DISTRO-absent-msgs'):
        graph.message_class('absent_msgs/msg/Thing')
    with pytest.raises(ConfigError, match='sensor_msgs/msg/Thing'):
        graph.message_class('sensor_msgs/msg/Thing')


def wait_for_publishers(node: Node, topic: str, count: int) -> list[TopicEndpointInfo]:
    wait_until(lambda: len(node.get_publishers_info_by_topic(topic)) == count)
    return list(node.get_publishers_info_by_topic(topic))


def test_the_strictest_qos_that_all_publishers_serve(peer: Node) -> None:
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    for count, (offered, reliable, transient) in enumerate(
        ((latched, True, True), (QoSProfile(depth=5), True, False),
         (qos_profile_sensor_data, False, False)), start=1,
    ):  # fmt: skip
        peer.create_publisher(String, 'words', offered)
        publishers = wait_for_publishers(peer, '/words', count)
        qos = graph.matching_qos(publishers, 7)
        assert (qos.reliability == ReliabilityPolicy.RELIABLE) == reliable
        assert (qos.durability == DurabilityPolicy.TRANSIENT_LOCAL) == transient
        assert qos.depth == 7
    text = graph.offered_qos(publishers)
    assert len(yaml.safe_load(text)) == 3
    assert qos_profiles(text) == yaml.safe_load(text)  # as rosbag2 spells it
    # One of several that is best effort does not make a replay so: its subscribers may want more.
    assert publisher_qos(text).reliability == ReliabilityPolicy.RELIABLE


def test_recorded_qos_is_offered_again(peer: Node) -> None:
    for offered in (
        qos_profile_sensor_data,
        QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
    ):
        publisher = peer.create_publisher(String, 'again', offered)
        infos = wait_until(lambda: peer.get_publishers_info_by_topic('/again'))
        again = publisher_qos(graph.offered_qos(infos))
        assert again.reliability == offered.reliability
        assert again.durability == offered.durability
        peer.destroy_publisher(publisher)
        wait_until(lambda: not peer.get_publishers_info_by_topic('/again'))
