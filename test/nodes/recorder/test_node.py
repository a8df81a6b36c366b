# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the recorder writes of what is published over DDS, and what it reports."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import WrenchStamped
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.highlevel import AnyReader
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header, Int64, String
from std_srvs.srv import Trigger

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.metadata import qos_profiles
from m2r2_ros.nodes.common import graph
from m2r2_ros.nodes.recorder.node import RecorderNode
from m2r2_ros.readers.definitions import type_hash
from test.nodes.conftest import Launch, call, wait_until
from test.nodes.recorder.bags import heard_by, log_times, messages, numbers, stopped, written

LATCHING = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=1000)


def test_all_that_is_published_is_recorded_as_it_came(
    launch: Launch, peer: Node, tmp_path: Path
) -> None:
    number = peer.create_publisher(Int64, '/number', RELIABLE)
    wrench = peer.create_publisher(WrenchStamped, '/arm/wrench', BEST_EFFORT)
    latched = peer.create_publisher(String, '/robot_description', LATCHING)
    other = peer.create_publisher(String, '/robot_description', LATCHING)
    hidden = peer.create_publisher(String, '/_hidden', RELIABLE)
    drawn = peer.create_publisher(String, '/left/visualizer/markers', RELIABLE)
    latched.publish(String(data='arm'))
    other.publish(String(data='hand'))
    recorder = launch(RecorderNode, path=str(tmp_path / 'deep' / 'bags'), name='demo')
    heard_by(number)
    heard_by(wrench)
    before = time.time_ns()
    for k in range(500):
        number.publish(Int64(data=k))
        wrench.publish(WrenchStamped(header=Header(frame_id=str(k))))
    hidden.publish(String())
    drawn.publish(String())
    for topic, count in (('/number', 500), ('/arm/wrench', 500), ('/robot_description', 2)):
        written(recorder, topic, count)
    after = time.time_ns()
    bag = stopped(peer)

    assert bag.parent == tmp_path / 'deep' / 'bags'
    assert bag.name.startswith('demo_20')
    assert [path.name for path in bag.parent.iterdir()] == [bag.name]
    found = messages(bag)
    left_out = {'/_hidden', '/rosout', '/parameter_events', '/left/visualizer/markers'}
    assert not left_out & open_recording(bag).topics.keys()
    assert found['/number'] == [serialize_message(Int64(data=k)) for k in range(500)]
    wrenches = [deserialize_message(raw, WrenchStamped) for raw in found['/arm/wrench']]
    assert [w.header.frame_id for w in wrenches] == [str(k) for k in range(500)]
    words = {deserialize_message(raw, String).data for raw in found['/robot_description']}
    assert words == {'arm', 'hand'}
    with AnyReader([bag]) as reader:
        times = [t for c, t, _ in reader.messages() if c.topic == '/number']
    assert before <= times[0] <= times[-1] <= after
    assert times == sorted(times)

    topics = open_recording(bag).topics
    assert topics['/arm/wrench'].type_hash == type_hash('geometry_msgs/msg/WrenchStamped')
    assert 'MSG: geometry_msgs/Vector3' in topics['/arm/wrench'].definition
    [profile] = qos_profiles(topics['/arm/wrench'].qos)
    assert (profile['reliability'], profile['durability']) == ('best_effort', 'volatile')
    profiles = qos_profiles(topics['/robot_description'].qos)
    assert [p['durability'] for p in profiles] == ['transient_local'] * 2


def test_topics_are_chosen_by_names_and_patterns(
    launch: Launch, peer: Node, tmp_path: Path
) -> None:
    names = ('/arm/wrench', '/cam1/image', '/cam2/image', '/other', '/_hidden')
    publishers = {name: peer.create_publisher(Int64, name, LATCHING) for name in names}
    for publisher in publishers.values():
        publisher.publish(Int64())
    recorder = launch(
        RecorderNode,
        path=str(tmp_path),
        topics=['wrench', '/cam\\d/.*', '/_hidden', '/absent'],
        exclude=['.*2.*'],
        arguments=('-r', '__ns:=/arm'),
    )
    for name in ('/arm/wrench', '/cam1/image', '/_hidden'):
        written(recorder, name, 1)
    bag = call(peer, Trigger, '/arm/recorder/stop').message
    assert open_recording(Path(bag)).topics.keys() == {'/arm/wrench', '/cam1/image', '/_hidden'}
    assert recorder._inlets.missing == ['/_hidden', '/absent', '/arm/wrench']


def test_topic_that_comes_and_goes_is_followed(
    launch: Launch, peer: Node, tmp_path: Path, diagnosis: Any
) -> None:
    recorder = launch(RecorderNode, path=str(tmp_path), topics=['/number'])
    status = diagnosis('topics', '/number is not published')
    assert status.level == DiagnosticStatus.WARN
    for start, qos in ((0, RELIABLE), (50, BEST_EFFORT)):
        publisher = peer.create_publisher(Int64, '/number', qos)
        heard_by(publisher)
        for k in range(start, start + 50):
            publisher.publish(Int64(data=k))
        written(recorder, '/number', start + 50)
        peer.destroy_publisher(publisher)
    assert numbers(stopped(peer)) == list(range(100))


def test_simulated_time_is_waited_for_and_written(
    launch: Launch, peer: Node, tmp_path: Path, diagnosis: Any
) -> None:
    number = peer.create_publisher(Int64, '/number', RELIABLE)
    clock = peer.create_publisher(Clock, '/clock', RELIABLE)
    recorder = launch(RecorderNode, path=str(tmp_path), use_sim_time=True, topics=['/number'])
    heard_by(number)
    heard_by(clock)
    for k in range(10):
        number.publish(Int64(data=k))
    assert 'nothing has come on /clock' in diagnosis('recording', '/clock').message
    clock.publish(Clock(clock=Time(sec=5)))
    written(recorder, '/number', 10)
    clock.publish(Clock(clock=Time(sec=7)))
    wait_until(lambda: recorder.get_clock().now().nanoseconds == 7 * 10**9)
    number.publish(Int64(data=10))
    written(recorder, '/number', 11)
    bag = stopped(peer)
    assert numbers(bag) == list(range(11))
    assert log_times(bag) == [5 * 10**9] * 10 + [7 * 10**9]


def test_messages_without_a_time_are_counted(
    launch: Launch, peer: Node, tmp_path: Path, diagnosis: Any
) -> None:
    number = peer.create_publisher(Int64, '/number', RELIABLE)
    launch(RecorderNode, path=str(tmp_path), use_sim_time=True, topics=['/number'])
    heard_by(number)
    for k in range(10):
        number.publish(Int64(data=k))
    number.wait_for_all_acked()
    assert numbers(stopped(peer)) == []
    values = {v.key: v.value for v in diagnosis('recording', 'stopped').values}
    assert values['without time'] == '10 messages dropped'


@pytest.fixture
def outsider() -> Iterator[Node]:
    """Return a node that may disagree with the others about types, as one of another process."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('outsider', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_topics_that_cannot_be_recorded_are_reported(
    launch: Launch,
    peer: Node,
    outsider: Node,
    tmp_path: Path,
    diagnosis: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = graph.message_class

    def partly(type_name: str) -> Any:
        return there(type_name.replace('std_msgs/msg/Header', 'absent_msgs/msg/Thing'))

    monkeypatch.setattr('m2r2_ros.nodes.common.intake.message_class', partly)
    peer.create_publisher(String, '/mixed', RELIABLE)
    outsider.create_publisher(Int64, '/mixed', RELIABLE)
    peer.create_publisher(Header, '/unknown', RELIABLE)
    number = peer.create_publisher(Int64, '/number', RELIABLE)
    wait_until(lambda: len(peer.get_publishers_info_by_topic('/mixed')) == 2)
    recorder = launch(RecorderNode, path=str(tmp_path), exclude=['/diagnostics'])
    heard_by(number)
    number.publish(Int64())
    written(recorder, '/number', 1)
    outsider.create_publisher(String, '/number', RELIABLE)
    status = diagnosis('topics', '/number is received as')
    assert status.level == DiagnosticStatus.WARN
    assert '/mixed has several types (std_msgs/msg/Int64, std_msgs/msg/String)' in status.message
    assert 'ros-$ROS_DISTRO-absent-msgs' in status.message
    assert {v.key: v.value for v in status.values} == {'/number': '1 messages, 0 lost'}
    assert open_recording(stopped(peer)).topics.keys() == {'/number'}


def test_lost_messages_are_reported(
    launch: Launch, peer: Node, tmp_path: Path, diagnosis: Any
) -> None:
    number = peer.create_publisher(Int64, '/number', QoSProfile(depth=10_000))
    recorder = launch(RecorderNode, path=str(tmp_path), topics=['/number'])
    heard_by(number)
    number.publish(Int64())
    written(recorder, '/number', 1)
    with recorder._lock:  # as where the disk stands still for long
        for k in range(6000):
            number.publish(Int64(data=k))
        number.wait_for_all_acked()
    message = diagnosis('topics', '/number lost').message
    found = len(numbers(stopped(peer)))
    assert message == f'/number lost {6001 - found} messages'


def test_what_came_before_the_stop_is_in_the_bag(
    launch: Launch, peer: Node, tmp_path: Path
) -> None:
    number = peer.create_publisher(Int64, '/number', RELIABLE)
    recorder = launch(RecorderNode, path=str(tmp_path), topics=['/number'])
    heard_by(number)
    recorder._closing.set()  # it is not taken before
    recorder._writer.join()
    for k in range(10):
        number.publish(Int64(data=k))
    number.wait_for_all_acked()
    assert numbers(stopped(peer)) == list(range(10))


def test_log_time_is_that_of_arrival(launch: Launch, peer: Node, tmp_path: Path) -> None:
    number = peer.create_publisher(Int64, '/number', RELIABLE)
    recorder = launch(RecorderNode, path=str(tmp_path), topics=['/number'])
    heard_by(number)
    with recorder._lock:  # the recorder comes to it later
        number.publish(Int64())
        number.wait_for_all_acked()
        arrived = time.time_ns()
        while time.time_ns() < arrived + 50_000_000:
            pass
    written(recorder, '/number', 1)
    assert log_times(stopped(peer))[0] < arrived + 50_000_000
