# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The visualizer between a segmenter and viewers, over DDS."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TransformStamped
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from visualization_msgs.msg import Marker, MarkerArray

from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.writing.sink import LATCHED
from m2r2_ros.core.labels import FrameLabel, LabelSet, Segment
from m2r2_ros.nodes.common.graph import message_class
from m2r2_ros.nodes.common.publishing import PublisherSink, publisher_qos
from m2r2_ros.nodes.visualizer.node import VisualizerNode
from m2r2_ros.nodes.visualizer.overlay import TEXT_BAND, TIMELINE_BAND
from m2r2_ros.readers.image import decode_compressed
from test.nodes.conftest import Launch, listen, wait_until

LABELS = LabelSet(('pick_peg', 'place_peg'), ('pick', 'place'))
COLOURS = 255 * np.array(LABELS.colours)
SECOND = 10**9
START = 1_760_000_000 * SECOND

#: RIHS01 hashes of the genuine packages: vision_msgs 4.1.1, foxglove-sdk of August 2026.
GENUINE = {
    'vision_msgs/msg/Classification': (
        '/visualizer/classification',
        'RIHS01_f74db28d0eaef3afb78f48bf2161cd709a1383a0309d3454383b25be11345143',
    ),
    'vision_msgs/msg/LabelInfo': (
        '/visualizer/label_info',
        'RIHS01_3d37df4015cdf660cc851c51897f2acd957e1ca6205ba0a99aebffb9406b0783',
    ),
    'foxglove_msgs/msg/Event': (
        '/visualizer/event',
        'RIHS01_298036f6835aedfec4eb3ad27236afdc698a88e6c14a3f71899a2421fe6e28e5',
    ),
}


class Robot:
    """Publishes what a segmenter, a camera and an arm do; ten frames a second of its own clock."""

    def __init__(self, peer: Node, sink: PublisherSink | None = None) -> None:
        self.labels = LabelWriter(sink or PublisherSink(peer))
        self.labels.write_label_set(LABELS, 'model', 0)
        self.frame = 0

    def label(self, label_id: int, confidence: float = 0.75) -> None:
        """Publish the next frame's label."""
        stamp = START + self.frame * SECOND // 10
        self.frame += 1
        scores = np.array([1 - confidence] * len(LABELS.names), np.float32)
        scores[label_id] = confidence
        name = LABELS.names[label_id]
        label = FrameLabel(
            stamp, label_id, name, confidence, scores, 0.0, label_id, START, 0, 63
        )  # fmt: skip
        self.labels.write_label(label, 'model', 0.01, stamp)

    def talk(self, label_id: int, until: Callable[[], Any]) -> Any:
        """Publish labels until something comes of it."""

        def step() -> Any:
            self.label(label_id)
            return until()

        return wait_until(step)

    def pose(self, x: float, y: float, z: float) -> PoseStamped:
        message = PoseStamped()
        message.header.frame_id = 'panda_base'
        message.pose.position.x, message.pose.position.y, message.pose.position.z = x, y, z
        return message


def add(array: Any, namespace: str) -> list[Any]:
    return [m for m in array.markers if m.ns == namespace and m.action == Marker.ADD]


def status(heard: list[Any], name: str) -> Any:
    """Return the newest status of that name."""
    for array in reversed(heard):
        for found in array.status:
            if found.name.endswith(f': {name}') or found.name == name:
                return found
    return None


def values(found: Any) -> dict[str, str]:
    return {v.key: v.value for v in found.values}


def test_label_stands_at_the_end_effector_until_the_segmenter_dies(
    launch: Launch, peer: Node
) -> None:
    launch(VisualizerNode, rate=50.0, timeout=0.3, timeline=10.0)
    robot = Robot(peer)
    heard = listen(peer, MarkerArray, '/visualizer/markers')
    # Where the robot is is not known yet.
    array = robot.talk(0, lambda: next((a for a in heard if add(a, 'label')), None))
    assert add(array, 'label')[0].header.frame_id == 'base'

    poses = peer.create_publisher(PoseStamped, '/current_pose', 10)

    def at_tip() -> Any:
        poses.publish(robot.pose(0.5, 0.25, 0.125))
        (label,) = add(heard[-1], 'label') or [None]
        found = label and label.header.frame_id == 'panda_base'
        return len(add(heard[-1], 'timeline')) == len(LABELS.names) and found and heard[-1]

    array = robot.talk(1, at_tip)
    (label,) = add(array, 'label')
    assert label.text == 'place_peg 75%'
    assert (label.pose.position.x, label.pose.position.y) == (0.5, 0.25)
    assert label.pose.position.z > 0.125
    assert (label.color.r, label.color.g, label.color.b) == pytest.approx(LABELS.colours[1])
    assert label.lifetime.sec * SECOND + label.lifetime.nanosec > 0.3 * SECOND
    bars = add(array, 'timeline')
    assert [b.color.r for b in bars] == pytest.approx([c[0] for c in LABELS.colours])
    assert {b.header.frame_id for b in bars} == {'panda_base'}

    wait_until(lambda: heard[-1].markers and not add(heard[-1], 'label'))
    gone = {(m.ns, m.id) for m in heard[-1].markers if m.action == Marker.DELETE}
    assert ('label', 0) in gone
    assert {('timeline', b.id) for b in bars} <= gone


def test_timeline_moves_when_its_parameters_do(launch: Launch, peer: Node) -> None:
    node = launch(VisualizerNode, rate=50.0)
    robot = Robot(peer)
    heard = listen(peer, MarkerArray, '/visualizer/markers')
    robot.talk(0, lambda: heard and add(heard[-1], 'timeline'))
    (result,) = node.set_parameters([Parameter('timeline_z', value=2.5)])
    assert result.successful
    robot.talk(
        0, lambda: {m.pose.position.z for m in add(heard[-1], 'timeline')} == {2.5}
    )  # fmt: skip


def test_transforms_and_named_topics_are_accepted(launch: Launch, peer: Node) -> None:
    launch(
        VisualizerNode,
        ('-r', '__ns:=/cell', '-r', 'action_label:=/action_label', '-r', 'label_set:=/label_set'),
        rate=50.0,
        pose='tool',
    )
    robot = Robot(peer)
    heard = listen(peer, MarkerArray, '/cell/visualizer/markers')
    transforms = peer.create_publisher(TransformStamped, '/cell/tool', 10)
    message = TransformStamped(child_frame_id='tcp')
    message.header.frame_id = 'world'
    message.transform.translation.x = 7.0

    def seen() -> Any:
        transforms.publish(message)
        return [m for a in heard[-3:] for m in add(a, 'label') if m.header.frame_id == 'world']

    assert robot.talk(0, seen)[0].pose.position.x == 7.0


class Lossy(PublisherSink):
    """Labels as a player offers them that were recorded from a best-effort publisher."""

    def add_topic(self, name: str, type_name: str, **more: Any) -> None:
        if name == '/action_label':
            more['qos'] = '- {reliability: best_effort, durability: volatile}'
        super().add_topic(name, type_name, **more)


def test_publishers_may_offer_less_than_hoped(launch: Launch, peer: Node) -> None:
    launch(VisualizerNode, rate=50.0)
    robot = Robot(peer, Lossy(peer))
    heard = listen(peer, MarkerArray, '/visualizer/markers')

    def coloured() -> Any:
        labels = add(heard[-1], 'label') if heard else []
        return labels and labels[0].color.r == pytest.approx(LABELS.colours[1][0])

    robot.talk(1, coloured)


def test_time_is_that_of_the_clock(launch: Launch, peer: Node) -> None:
    node = launch(VisualizerNode, rate=50.0, timeout=0.1, use_sim_time=True)
    robot = Robot(peer)
    heard = listen(peer, MarkerArray, '/visualizer/markers')
    clock = peer.create_publisher(Clock, '/clock', 10)

    def tell(seconds: int) -> None:
        message = Clock()
        message.clock.sec = seconds
        clock.publish(message)
        wait_until(lambda: clock.publish(message) or node.get_clock().now().nanoseconds)
        wait_until(lambda: node.get_clock().now().nanoseconds == seconds * SECOND)

    def shown() -> Any:
        return heard and add(heard[-1], 'label')

    def all_shown() -> Any:
        stamps = [m.header.stamp for m in shown() or []]
        newest = START + (robot.frame - 1) * SECOND // 10
        return [t for t in stamps if t.sec * SECOND + t.nanosec == newest]

    tell(100)
    robot.talk(0, shown)
    wait_until(all_shown)
    # While the clock stands still, so does the label.
    before = len(heard)
    wait_until(lambda: len(heard) > before + 10)
    assert shown()
    tell(101)
    wait_until(lambda: not shown())
    robot.talk(0, shown)
    wait_until(all_shown)
    tell(50)
    wait_until(lambda: not shown())


def camera_image() -> Image:
    pixels = np.zeros((240, 640, 3), np.uint8)
    pixels[:, :320] = (0, 200, 0)
    message = Image(height=240, width=640, encoding='rgb8', step=1920, data=pixels.tobytes())
    message.header.frame_id = 'wrist_camera'
    message.header.stamp.sec = 1234
    return message


def test_images_are_drawn_only_while_there_is_a_viewer(launch: Launch, peer: Node) -> None:
    node = launch(VisualizerNode, rate=50.0, timeline=10.0)
    robot = Robot(peer)
    diagnostics = listen(peer, DiagnosticArray, '/diagnostics')
    camera = peer.create_publisher(Image, '/wrist/image_raw', 1)

    def chosen() -> Any:
        camera.publish(camera_image())
        found = status(diagnostics, 'image')
        return found and values(found)['topic'] == '/wrist/image_raw' and found

    found = robot.talk(0, chosen)
    assert (values(found)['viewers'], values(found)['drawn']) == ('0', '0')
    # Not even received: no bandwidth is spent without a viewer.
    assert camera.get_subscription_count() == 0
    assert node.drawn == 0

    images: list[Any] = []
    viewer = peer.create_subscription(
        CompressedImage, '/visualizer/image/compressed', images.append, 1
    )

    def drawn() -> Any:
        camera.publish(camera_image())
        # The first ones may have been drawn before the label came.
        newest = images and pixels_of(images[-1])[-TIMELINE_BAND // 2, 637]
        return len(newest) and np.allclose(newest, COLOURS[1], atol=40)

    robot.talk(1, drawn)
    check_image(images[-1])
    peer.destroy_subscription(viewer)
    wait_until(lambda: camera.get_subscription_count() == 0)
    before = node.drawn
    assert before >= 1
    robot.talk(1, lambda: camera.publish(camera_image()) or robot.frame > 40)
    assert node.drawn == before


def pixels_of(message: Any) -> Any:
    return decode_compressed(bytes(message.data))


def check_image(message: Any) -> None:
    assert message.format == 'jpeg'
    assert (message.header.frame_id, message.header.stamp.sec) == ('wrist_camera', 1234)
    pixels = pixels_of(message)
    assert pixels.shape == (240 + TEXT_BAND + TIMELINE_BAND, 640, 3)
    np.testing.assert_allclose(pixels[120, 100], (0, 200, 0), atol=12)
    np.testing.assert_allclose(pixels[120, 500], (0, 0, 0), atol=12)
    # The label's mark at the left, and the newest end of the timeline.
    np.testing.assert_allclose(pixels[240 + TEXT_BAND // 2, 2], COLOURS[1], atol=40)
    np.testing.assert_allclose(pixels[-TIMELINE_BAND // 2, 637], COLOURS[1], atol=40)


def test_images_that_cannot_be_read_are_counted(launch: Launch, peer: Node) -> None:
    launch(VisualizerNode, rate=50.0, image='/broken')
    diagnostics = listen(peer, DiagnosticArray, '/diagnostics')
    listen(peer, CompressedImage, '/visualizer/image/compressed')
    wait_until(
        lambda: (s := status(diagnostics, 'image')) and '/broken has no publisher' in s.message
    )  # fmt: skip
    camera = peer.create_publisher(CompressedImage, '/broken', 1)

    def count(image: CompressedImage, reason: str) -> Any:
        camera.publish(image)
        return int(values(status(diagnostics, 'image')).get(reason, 0))

    broken = CompressedImage(format='jpeg', data=b'not an image')
    wait_until(lambda: count(broken, 'undecodable'))
    video = CompressedImage(format='h264', data=b'not an image')
    wait_until(lambda: count(video, 'unsupported_encoding'))


def test_its_own_image_is_not_taken_for_a_camera(launch: Launch, peer: Node) -> None:
    launch(VisualizerNode, ('-r', '__node:=show'))
    diagnostics = listen(peer, DiagnosticArray, '/diagnostics')
    listen(peer, CompressedImage, '/show/image/compressed')

    def watched() -> Any:
        found = status(diagnostics, 'show: image')
        return found and values(found)['viewers'] == '1' and found

    wait_until(watched)
    # It has looked at the graph since.
    before = len(diagnostics)
    wait_until(lambda: len(diagnostics) > before + 1)
    assert watched().message == 'no topic for it'


def test_other_software_gets_messages_that_it_knows(launch: Launch, peer: Node) -> None:
    launch(VisualizerNode, rate=50.0)
    robot = Robot(peer)
    kinds = [(message_class(kind), topic) for kind, (topic, _) in GENUINE.items()]
    classification, event = (listen(peer, *kinds[k]) for k in (0, 2))
    robot.talk(1, lambda: classification)
    # Late subscribers get the names too.
    info = listen(peer, *kinds[1], publisher_qos(LATCHED))
    wait_until(lambda: info)
    results = classification[-1].results
    assert [r.class_id for r in results] == ['1', '0']
    assert [r.score for r in results] == pytest.approx([0.75, 0.25])
    assert classification[-1].header.stamp.sec >= START // SECOND
    # A label that is held though it is not the likeliest any more is still the first.
    robot.label(1, confidence=0.25)
    wait_until(lambda: classification[-1].results[0].score == 0.25)
    assert [r.class_id for r in classification[-1].results] == ['1', '0']
    names = {c.class_id: c.class_name for c in info[-1].class_map}
    assert names == dict(enumerate(LABELS.names))

    segment = Segment(START, START + 2 * SECOND, 'pick_peg', 0.5)
    robot.labels.write_segment(segment, 0, 3, 'model')
    wait_until(lambda: event)
    assert event[0].start_time.sec == START // SECOND
    # The end of an Event is part of it, that of a segment is not.
    assert (event[0].end_time.sec, event[0].end_time.nanosec) == (
        START // SECOND + 1,
        SECOND - 1,
    )
    metadata = {pair.key: pair.value for pair in event[0].metadata}
    assert metadata == {
        'label': 'pick_peg',
        'label_id': '0',
        'confidence': '0.500',
        'outcome': 'unknown',
        'segment_index': '3',
        'model_id': 'model',
    }
    for kind, (topic, type_hash) in GENUINE.items():
        (publisher,) = peer.get_publishers_info_by_topic(topic)
        assert publisher.topic_type == kind
        assert str(publisher.topic_type_hash) == type_hash


def test_without_their_packages_all_else_works(
    launch: Launch, peer: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ('vision_msgs', 'foxglove_msgs'):
        monkeypatch.setitem(sys.modules, f'{package}.msg', None)
    launch(VisualizerNode, rate=50.0)
    robot = Robot(peer)
    heard = listen(peer, MarkerArray, '/visualizer/markers')
    diagnostics = listen(peer, DiagnosticArray, '/diagnostics')
    robot.talk(0, lambda: heard and status(diagnostics, 'republished'))
    found = values(status(diagnostics, 'republished'))
    assert 'ros-$ROS_DISTRO-vision-msgs' in found['vision_msgs']
    assert 'ros-$ROS_DISTRO-foxglove-msgs' in found['foxglove_events']
    assert not peer.get_publishers_info_by_topic('/visualizer/event')


def test_republishing_can_be_switched_off(launch: Launch, peer: Node) -> None:
    launch(VisualizerNode, vision_msgs=False, foxglove_events=False)
    diagnostics = listen(peer, DiagnosticArray, '/diagnostics')
    found = wait_until(lambda: status(diagnostics, 'republished'))
    assert values(found) == {'vision_msgs': 'off', 'foxglove_events': 'off'}
    assert not peer.get_publishers_info_by_topic('/visualizer/classification')


def test_diagnostics_tell_what_is_missing(launch: Launch, peer: Node) -> None:
    launch(VisualizerNode, rate=50.0, timeout=0.5)
    diagnostics = listen(peer, DiagnosticArray, '/diagnostics')
    found = wait_until(lambda: status(diagnostics, 'labels'))
    assert found.level == DiagnosticStatus.STALE
    assert '/action_label' in found.message
    robot = Robot(peer)
    robot.talk(0, lambda: status(diagnostics, 'labels').level == DiagnosticStatus.OK)
    found = values(status(diagnostics, 'labels'))
    assert int(found['action_label_received']) > 0
    assert (found['action_label_lost'], found['model_id']) == ('0', 'model')
    wait_until(lambda: status(diagnostics, 'labels').level == DiagnosticStatus.STALE)
