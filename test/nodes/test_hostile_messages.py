# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes that are sent garbage: they count it, and go on."""

import math
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from m2r2_ros.msg import ActionLabel, ActionSegment, LabelSet
from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import ColorRGBA, String
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.nodes.common.graph import message_class
from m2r2_ros.nodes.player.node import PlayerNode
from m2r2_ros.nodes.segmenter.node import SegmenterNode
from m2r2_ros.nodes.visualizer.node import VisualizerNode
from test.hostile.mcap_files import channel, file, schema
from test.hostile.mcap_files import message as mcap_message
from test.hostile.ros_messages import TOPICS, hostile
from test.nodes.bundles import SENSORS
from test.nodes.conftest import Launch, call, listen, wait_until
from test.nodes.diagnoses import Diagnoses
from test.nodes.robot import Robot

NAN = math.nan
GARBAGE = (
    b'\0',
    b'\0\1\0\0',
    b'\0\1\0\0\xff\xff',
    b'\0\1\0\0\xff\xff\xff\x7f\xff\xff\xff\xff',
    b'\xff' * 200,
)


def test_a_clock_of_garbage_is_counted_and_stops_nothing(
    launch: Launch, peer: Node, diagnoses: Diagnoses
) -> None:
    node = launch(VisualizerNode, use_sim_time=True)
    clock = peer.create_publisher(Clock, '/clock', 10)
    wait_until(clock.get_subscription_count)
    wrong = Clock()
    wrong.clock.sec = -5

    def confused() -> Any:
        for raw in GARBAGE[:3]:
            clock.publish(raw)
        clock.publish(wrong)
        return diagnoses.values('callbacks').get('topic /clock')

    wait_until(confused)
    right = Clock()
    right.clock.sec = 1234
    wait_until(lambda: clock.publish(right) or node.get_clock().now().nanoseconds == 1234 * 10**9)
    diagnoses.forget()
    assert diagnoses.expect('callbacks', 'failed', 0)
    asked = GetParameters.Request(names=['rate'])
    assert call(peer, GetParameters, '/visualizer/get_parameters', asked).values


def nan_labels() -> list[Any]:
    good = {'label': 'pick', 'probabilities': [0.5, 0.5]}
    return [
        ActionLabel(confidence=NAN, **good),
        ActionLabel(confidence=math.inf, **good),
        ActionLabel(confidence=0.5, boundary_score=NAN, **good),
        ActionLabel(confidence=0.5, label='pick', probabilities=[0.5, NAN]),
        ActionSegment(confidence=NAN, label='pick'),
        LabelSet(names=['pick'], parents=[''], colours=[ColorRGBA(r=NAN)]),
    ]


LABEL_TOPICS = {'ActionLabel': 'action_label', 'ActionSegment': 'action_segment',
                'LabelSet': 'label_set'}  # fmt: skip


def test_labels_that_are_no_numbers_do_not_reach_viewers(
    launch: Launch, peer: Node, diagnoses: Diagnoses
) -> None:
    launch(VisualizerNode, rate=50.0, timeout=60.0)
    markers = listen(peer, MarkerArray, '/visualizer/markers')
    kinds = [
        ('vision_msgs/msg/Classification', 'classification'),
        ('foxglove_msgs/msg/Event', 'event'),
    ]
    seen = [listen(peer, message_class(k), f'/visualizer/{name}') for k, name in kinds]
    publishers = {
        kind: peer.create_publisher(message_class(f'm2r2_ros/msg/{kind}'), topic, 1)
        for kind, topic in LABEL_TOPICS.items()
    }
    for kind, publisher in publishers.items():
        wait_until(publisher.get_subscription_count)
        sent = [*GARBAGE, *(m for m in nan_labels() if type(m).__name__ == kind)]
        for count, message in enumerate(sent, 1):
            publisher.publish(message)
            received = partial(
                diagnoses.says, 'labels', f'{LABEL_TOPICS[kind]}_received', str(count)
            )
            wait_until(received)
        where = f'topic /{LABEL_TOPICS[kind]}'
        wait_until(partial(diagnoses.says, 'callbacks', where, f'{len(sent)} failed'))
    assert diagnoses.find('callbacks', 'NaN or infinite', 2)
    assert not any(seen)
    assert not any(m.markers for m in markers)
    good = ActionLabel(confidence=0.5, label='pick', probabilities=[0.5, 0.5])
    wait_until(lambda: publishers['ActionLabel'].publish(good) or seen[0])


def images() -> list[Image]:
    """Images that are whole, and of no use."""
    sizes = [(0, 0), (1, 1), (1, 70_000), (70_000, 1), (0, 5), (3, 2)]
    return [
        Image(height=h, width=w, step=w, encoding=encoding, data=bytes(h * w))
        for h, w in sizes
        for encoding in ('mono8', 'rgb8', '', 'nonsense')
    ]


def test_no_pose_or_image_stops_the_visualizer(
    launch: Launch, peer: Node, diagnoses: Diagnoses
) -> None:
    chance = Random(3)
    launch(VisualizerNode, rate=50.0, timeout=60.0, pose='/pose', image='/image')
    drawn = listen(peer, CompressedImage, '/visualizer/image/compressed')
    listen(peer, MarkerArray, '/visualizer/markers')
    publishers = {m: peer.create_publisher(message_class(TOPICS[m][1]), f'/{m}', 10)
                  for m in ('pose', 'image')}  # fmt: skip
    wait_until(publishers['image'].get_subscription_count)
    for image in images():
        publishers['image'].publish(image)
        time.sleep(0.02)
    for _ in range(100):
        for modality, publisher in publishers.items():
            if raw := hostile(modality, time.time_ns(), chance):
                publisher.publish(raw)
        time.sleep(0.005)
    right = Image(height=48, width=64, step=64, encoding='mono8', data=bytes(48 * 64))
    have = len(drawn)
    wait_until(lambda: publishers['image'].publish(right) or len(drawn) > have + 3)
    wait_until(lambda: diagnoses.values('image').get('malformed'))
    asked = GetParameters.Request(names=['rate'])
    assert call(peer, GetParameters, '/visualizer/get_parameters', asked).values


def test_no_sensor_message_stops_the_segmenter(
    launch: Launch, peer: Node, bundle: Path, diagnoses: Diagnoses
) -> None:
    chance = Random(12)
    labels = listen(peer, ActionLabel, 'action_label')
    publishers = {
        m: peer.create_publisher(message_class(kind), topic, 100)
        for m, (topic, kind, _) in SENSORS.items()
    }
    with Robot(peer):
        launch(SegmenterNode, model=str(bundle))
        wait_until(lambda: labels)
        for _ in range(150):
            for modality, publisher in publishers.items():
                if raw := hostile(modality, time.time_ns(), chance):
                    publisher.publish(raw)
            time.sleep(0.005)
        wait_until(lambda: int(diagnoses.values('wrench').get('malformed', 0)))
        have = len(labels)
        wait_until(lambda: len(labels) > have + 20, 40.0)
    assert not diagnoses.values('callbacks')
    for label in labels:
        assert all(map(math.isfinite, (label.confidence, *label.probabilities)))


def test_stamps_that_are_ahead_are_warned_of(
    launch: Launch, peer: Node, bundle: Path, diagnoses: Diagnoses
) -> None:
    with Robot(peer) as robot:
        robot.offset = 3600 * 10**9
        launch(SegmenterNode, model=str(bundle))
        assert '35' in diagnoses.expect('wrench', 's ahead of the clock').message
        assert 'frame period' in diagnoses.expect('labels', 'ahead of the clock').message


def hostile_bag(path: Path) -> Path:
    """Write a bag of topics that cannot be published, of labels that are no numbers, and others."""
    topics = {
        '/a b': 'std_msgs/msg/String',
        '//': 'std_msgs/msg/String',
        '/1a': 'std_msgs/msg/String',
        '/' + 'a' * 300: 'std_msgs/msg/String',
        '/attribute': 'std_msgs/msg/__file__',
        '/module': 'os/path/msg/String',
        '/good': 'std_msgs/msg/String',
        '/action_label': 'm2r2_ros/msg/ActionLabel',
    }
    with BagWriter(path) as bag:
        for topic, kind in topics.items():
            bag.add_topic(topic, kind, definition='string data\n')
            if topic != '/action_label':
                bag.write(topic, bytes(serialize_message(String(data='x'))), 10**18)
        wrong = [m for m in nan_labels() if isinstance(m, ActionLabel)]
        raws = [*GARBAGE, *(bytes(serialize_message(m)) for m in wrong)]
        for k, raw in enumerate(raws):
            bag.write('/action_label', raw, 10**18 + k)
        good = ActionLabel(confidence=0.5, label='pick', probabilities=[1.0])
        bag.write('/action_label', bytes(serialize_message(good)), 10**18 + 10**9)
    return path


def test_a_hostile_recording_is_played_as_far_as_it_can_be(
    launch: Launch, peer: Node, tmp_path: Path, diagnoses: Diagnoses
) -> None:
    labels = listen(peer, ActionLabel, '/action_label')
    good = listen(peer, String, '/good')
    path = hostile_bag(tmp_path / 'bag')
    player = launch(PlayerNode, path=str(path), paused=True, wait_for_subscribers=0.0)
    wait_until(lambda: peer.count_publishers('/action_label') and peer.count_publishers('/good'))
    call(peer, Trigger, '/player/resume')
    wait_until(player.stop.is_set)
    assert player.stop.exit_code == 0
    wait_until(lambda: good and labels)
    assert [label.label for label in labels] == ['pick']
    values = wait_until(lambda: diagnoses.values('topics'))
    assert '9 labels refused' in values['/action_label']
    for topic in ('/a b', '//', '/1a', '/' + 'a' * 300, '/attribute', '/module'):
        assert topic in values, values


def test_a_topic_with_a_qos_of_garbage_is_left_out(
    launch: Launch, peer: Node, tmp_path: Path, diagnoses: Diagnoses
) -> None:
    wrong = (b'{: not a list', b'text', b'[1, 2]', b'- {depth: [[[]]]}', b'- *a')
    names = [f'/qos{k}' for k in range(len(wrong))]
    channels = [channel(k, names[k].encode(), qos) for k, qos in enumerate(wrong)]
    good = channel(99, b'/good')
    said = [mcap_message(k, b'\0\1\0\0' + bytes(8), 10**18) for k in (*range(len(wrong)), 99)]
    (tmp_path / 'qos.mcap').write_bytes(file(schema(1), *channels, good, *said))
    launch(PlayerNode, path=str(tmp_path / 'qos.mcap'), paused=True)
    values = wait_until(lambda: diagnoses.values('topics'))
    assert set(names) <= values.keys()
    assert peer.count_publishers('/good')


def test_types_of_all_hostile_messages_are_installed() -> None:
    assert all(message_class(kind) for _, kind in TOPICS.values())
