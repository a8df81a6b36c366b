# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmenter node on a robot that publishes over DDS, whole and broken."""

import shutil
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

import rclpy
import torch
from geometry_msgs.msg import Vector3Stamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from m2r2_ros.msg import ActionLabel, ActionSegment, LabelSet
from m2r2_ros.srv import LoadModel
from rcl_interfaces.srv import DescribeParameters, SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter
from rclpy.qos import DurabilityPolicy, QoSProfile

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.modalities import SENSORS, Modality, declared, modality_names
from m2r2_ros.nodes.segmenter.node import PARAMETERS, SegmenterNode
from m2r2_ros.segmenters.network import NetworkSegmenter
from test.network.networks import LABELS, SENSING
from test.nodes.bundles import write_bundle
from test.nodes.conftest import Launch, call, listen, wait_until
from test.nodes.diagnoses import Diagnoses
from test.nodes.robot import BEST_EFFORT, Robot

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
HOUR = 3_600_000_000_000


@pytest.fixture(scope='module', autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def labels(peer: Node) -> list[Any]:
    return listen(peer, ActionLabel, 'action_label')


def masks(labels: list[Any], names: Collection[str] = SENSORS) -> set[str]:
    """Return the modalities that the newest label was made from."""
    return set(modality_names(labels[-1].modality_mask, names)) if labels else set()


def more(labels: list[Any], count: int = 5) -> None:
    """Wait for more labels."""
    have = len(labels)
    wait_until(lambda: len(labels) >= have + count, what='labels')


def stamp(label: Any) -> int:
    return int(label.header.stamp.sec) * 1_000_000_000 + int(label.header.stamp.nanosec)


def test_every_frame_is_labelled_and_every_segment_published(
    launch: Launch, patient: None, peer: Node, bundle: Path, labels: list[Any], diagnoses: Diagnoses
) -> None:
    segments = listen(peer, ActionSegment, 'action_segment')
    with Robot(peer):
        node = launch(SegmenterNode, model=str(bundle))
        wait_until(lambda: len(labels) >= 12)
        label_sets = listen(peer, LabelSet, 'label_set', LATCHED)  # late, and latched
        wait_until(lambda: label_sets)
        status = diagnoses.expect('labels', 'labels/s', 0)
        node.trigger_deactivate()
    assert tuple(label_sets[0].names) == LABELS.names
    assert tuple(label_sets[0].parents) == LABELS.parents
    stamps = [stamp(label) for label in labels]
    assert {b - a for a, b in pairwise(stamps)} == {100_000_000}
    assert masks(labels) == {'wrench', 'pose', 'twist', 'gripper'}
    assert {label.model_id for label in labels} == {label_sets[0].model_id}
    assert 0 < labels[-1].latency < 5
    # Every segment was published, the last one when the node was deactivated.
    wait_until(lambda: len(segments) == labels[-1].segment_index + 1)
    assert segments[-1].segment_index == labels[-1].segment_index
    values = {v.key: v.value for v in status.values}
    assert values['model'] == label_sets[0].model_id
    assert {'latency p99', 'label p50', 'window p99', 'queue', 'windows skipped'} <= set(values)
    wrench = {v.key: v.value for v in diagnoses.expect('wrench', 'Hz', 0).values}
    assert wrench['topic'] == '/ft_sensor/wrench'
    assert float(wrench['rate'].split()[0]) == pytest.approx(200, rel=0.1)
    assert wrench['lost'] == '0'


def test_an_arm_in_a_namespace_is_not_mixed_up_with_another(
    launch: Launch, peer: Node, bundle: Path, diagnoses: Diagnoses
) -> None:
    left = rclpy.create_node('drivers', namespace='left')
    labels = listen(peer, ActionLabel, '/left/what')
    with Robot(left) as robot, Robot(peer):
        robot.kill('wrench')
        launch(
            SegmenterNode,
            ('-r', '__ns:=/left', '-r', 'action_label:=what', '-r', 'current_twist:=/spin'),
            model=str(bundle),
            discovery_time=0.5,
        )
        wait_until(lambda: masks(labels) == {'pose', 'twist', 'gripper', 'wrench'})
        topics = {
            m: {v.key: v.value for v in diagnoses.expect(m, 'Hz', 0).values}['topic']
            for m in ('pose', 'wrench')
        }
    # Its own where it has one; what only the other has is shared, as a cell's microphone would be.
    assert topics == {'pose': '/left/current_pose', 'wrench': '/ft_sensor/wrench'}
    left.destroy_node()


def test_a_missing_sensor_is_masked_reported_and_picked_up(
    launch: Launch, peer: Node, bundle: Path, labels: list[Any], diagnoses: Diagnoses
) -> None:
    with Robot(peer) as robot:
        robot.kill('wrench')
        launch(SegmenterNode, model=str(bundle), discovery_time=0.5)
        wait_until(lambda: masks(labels) == {'pose', 'twist', 'gripper'})
        diagnoses.expect('wrench', '/ft_sensor/wrench is not published: masked')
        robot.restart('wrench')
        wait_until(lambda: 'wrench' in masks(labels))
        diagnoses.expect('wrench', 'Hz', 0)
        robot.kill('pose')
        wait_until(lambda: 'pose' not in masks(labels))
        diagnoses.expect('pose', '/current_pose has no publisher')
        robot.restart('pose')
        wait_until(lambda: 'pose' in masks(labels))
        robot.drivers['gripper'].alive = False  # there, but hung
        wait_until(lambda: 'gripper' not in masks(labels))
        diagnoses.expect('gripper', 'silent for')


def test_drivers_may_be_best_effort_from_the_start_or_become_so(
    launch: Launch, peer: Node, bundle: Path, labels: list[Any]
) -> None:
    with Robot(peer) as robot:
        robot.restart('wrench', qos=BEST_EFFORT)
        launch(SegmenterNode, model=str(bundle))
        wait_until(lambda: 'wrench' in masks(labels))
        robot.kill('twist')
        wait_until(lambda: 'twist' not in masks(labels))
        robot.restart('twist', qos=BEST_EFFORT)
        wait_until(lambda: 'twist' in masks(labels))


def test_two_publishers_on_a_topic_are_reported(
    launch: Launch, peer: Node, bundle: Path, labels: list[Any], diagnoses: Diagnoses
) -> None:
    with Robot(peer), Robot(peer, ('wrench',)):
        launch(SegmenterNode, model=str(bundle))
        more(labels)
        status = wait_until(
            lambda: (
                diagnoses.find('wrench', '2 publishers on /ft_sensor/wrench')
                or diagnoses.find('wrench', 'out_of_order')
                or diagnoses.find('wrench', 'repeated')
            )
        )
        assert {v.key: v.value for v in status.values}['publishers'] == '2'
        more(labels)


def test_a_burst_after_a_stall_is_accounted_for(
    launch: Launch, peer: Node, bundle: Path, labels: list[Any], diagnoses: Diagnoses
) -> None:
    with Robot(peer) as robot:
        node = launch(SegmenterNode, model=str(bundle))
        more(labels)
        robot.stalled = True
        diagnoses.expect('wrench', 'silent for')
        robot.stalled = False
        more(labels, 30)
        node.trigger_deactivate()
    counters = node.counters
    assert counters['windows'] == len(labels) + counters['windows.skipped']
    assert not any(n for name, n in counters.items() if name.endswith('.lost'))
    stamps = [stamp(label) for label in labels]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize('jump', [-HOUR, HOUR])
def test_a_clock_that_jumps_starts_labelling_again(
    launch: Launch, peer: Node, bundle: Path, labels: list[Any], diagnoses: Diagnoses, jump: int
) -> None:
    with Robot(peer) as robot:
        launch(SegmenterNode, model=str(bundle))
        more(labels)
        before = stamp(labels[-1])
        robot.offset = jump
        wait_until(lambda: abs(stamp(labels[-1]) - before - jump) < HOUR / 10)
        more(labels)
        diagnoses.expect('labels', 'the clock of the data jumped 1 times')


def test_late_labels_are_reported(
    launch: Launch, peer: Node, bundle: Path, labels: list[Any], diagnoses: Diagnoses
) -> None:
    with Robot(peer) as robot:
        robot.offset = -2_000_000_000  # drivers whose messages are two seconds on their way
        launch(SegmenterNode, model=str(bundle))
        more(labels)
        assert labels[-1].latency > 2
        assert 'frame period of 0.1 s' in diagnoses.expect('labels', 's late').message


def test_labelling_goes_on_after_an_exception_which_is_reported(
    launch: Launch,
    peer: Node,
    bundle: Path,
    labels: list[Any],
    diagnoses: Diagnoses,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*given: Any) -> Any:
        raise RuntimeError('out of memory')

    with Robot(peer):
        launch(SegmenterNode, model=str(bundle))
        more(labels)
        with monkeypatch.context() as broken:
            broken.setattr(NetworkSegmenter, 'extend', fail)
            diagnoses.expect('labels', 'labelling failed', 2)
        more(labels)


def test_nan_is_counted_and_masked(
    launch: Launch, peer: Node, bundle: Path, labels: list[Any], diagnoses: Diagnoses
) -> None:
    with Robot(peer) as robot:
        launch(SegmenterNode, model=str(bundle))
        wait_until(lambda: 'wrench' in masks(labels))
        robot.drivers['wrench'].broken = True
        wait_until(lambda: 'wrench' not in masks(labels))
        assert wait_until(lambda: diagnoses.find('wrench', 'non_finite')).level == b'\x01'
        robot.drivers['wrench'].broken = False
        wait_until(lambda: 'wrench' in masks(labels))


def test_a_camera_may_change_its_image(
    launch: Launch, peer: Node, tmp_path: Path, labels: list[Any]
) -> None:
    seeing = declared(('image', *SENSING.modalities))
    config = replace(SENSING, modalities=seeing, image_encoder='efficientnet_lite0')
    model = write_bundle(tmp_path / 'seeing', config)
    with Robot(peer, ('image', 'wrench')) as robot:
        node = launch(SegmenterNode, model=str(model), discovery_time=0.5)
        wait_until(lambda: 'image' in masks(labels, seeing))
        robot.image = (96, 128, '.png')
        more(labels, 8)
        assert 'image' in masks(labels, seeing)
        assert not node.counters['image.undecodable']
        robot.image = (96, 128, '.hdr')  # not an image that a camera sends
        wait_until(lambda: 'image' not in masks(labels, seeing))
        assert node.counters['image.undecodable'] + node.counters['image.unsupported_encoding']


def test_a_model_is_swapped_while_streams_go_on(
    launch: Launch,
    patient: None,
    peer: Node,
    tmp_path: Path,
    labels: list[Any],
    diagnoses: Diagnoses,
) -> None:
    first = write_bundle(tmp_path / 'first')
    second = write_bundle(tmp_path / 'second', seed=1)
    label_sets = listen(peer, LabelSet, 'label_set', LATCHED)
    with Robot(peer):
        node = launch(SegmenterNode, model=str(first))
        more(labels)
        shutil.rmtree(first)  # nothing that runs looks at it any more
        more(labels)
        old = labels[-1].model_id

        gone = call(peer, LoadModel, '/segmenter/load_model', LoadModel.Request(path=str(first)))
        assert not gone.success
        assert str(first) in gone.message
        assert gone.model_id == old
        more(labels)
        assert labels[-1].model_id == old

        new = call(peer, LoadModel, '/segmenter/load_model', LoadModel.Request(path=str(second)))
        assert new.success, new.message
        assert new.model_id != old
        wait_until(lambda: labels[-1].model_id == new.model_id)
        more(labels)
        node.trigger_deactivate()
    assert [s.model_id for s in label_sets] == [old, new.model_id]
    stamps = [stamp(label) for label in labels]
    assert {b - a for a, b in pairwise(stamps)} == {100_000_000}


def test_start_fails_with_the_reason(launch: Launch, tmp_path: Path, bundle: Path) -> None:
    with pytest.raises(ConfigError, match='model is not set'):
        launch(SegmenterNode)
    with pytest.raises(BundleError, match='absent'):
        launch(SegmenterNode, model=str(tmp_path / 'absent'))
    with pytest.raises(ConfigError, match='out of range'):
        launch(SegmenterNode, model=str(bundle), threads=-1)
    with pytest.raises(ConfigError, match='device'):
        launch(SegmenterNode, model=str(bundle), device='tpu')


def test_lifecycle_can_be_driven_from_outside(
    launch: Launch, peer: Node, bundle: Path, tmp_path: Path, labels: list[Any]
) -> None:
    def change(transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(call(peer, ChangeState, '/segmenter/change_state', request).success)

    def set_parameter(name: str, value: Any) -> Any:
        wanted = [RosParameter(name, value=value).to_parameter_msg()]
        request = SetParameters.Request(parameters=wanted)
        return call(peer, SetParameters, '/segmenter/set_parameters', request).results[0]

    with Robot(peer):
        node = launch(SegmenterNode, model=str(tmp_path / 'absent'), autostart=False)
        assert not change(Transition.TRANSITION_ACTIVATE)  # there is no such transition yet
        assert not change(Transition.TRANSITION_CONFIGURE)
        assert node.state == 'unconfigured'
        assert set_parameter('model', str(bundle)).successful
        assert change(Transition.TRANSITION_CONFIGURE)
        assert change(Transition.TRANSITION_ACTIVATE)
        more(labels)
        refused = set_parameter('model', 'another')
        assert not refused.successful
        assert 'model is in use' in refused.reason
        assert change(Transition.TRANSITION_DEACTIVATE)
        assert node.state == 'inactive'
        assert change(Transition.TRANSITION_ACTIVATE)
        more(labels)
        assert change(Transition.TRANSITION_ACTIVE_SHUTDOWN)
        assert node.state == 'finalized'


def test_parameters_describe_themselves_and_change_at_run_time(
    launch: Launch, peer: Node, bundle: Path, labels: list[Any]
) -> None:
    with Robot(peer):
        node = launch(SegmenterNode, model=str(bundle))
        names = [p.name for p in PARAMETERS]
        request = DescribeParameters.Request(names=names)
        described = call(peer, DescribeParameters, '/segmenter/describe_parameters', request)
        for parameter, found in zip(PARAMETERS, described.descriptors, strict=True):
            assert found.description == parameter.description
            numeric = type(parameter.default) in (int, float)
            assert bool(found.integer_range or found.floating_point_range) == numeric

        more(labels)
        for asked, expected in ((12.0, 12.0), (-1.0, 0.0)):  # negative: what the bundle asks for
            wanted = [RosParameter('min_duration', value=asked).to_parameter_msg()]
            request = SetParameters.Request(parameters=wanted)
            answer = call(peer, SetParameters, '/segmenter/set_parameters', request)
            assert answer.results[0].successful
            assert node.decoding.min_duration == expected
            more(labels)
        wanted = [RosParameter('min_confidence', value=2.0).to_parameter_msg()]
        request = SetParameters.Request(parameters=wanted)
        answer = call(peer, SetParameters, '/segmenter/set_parameters', request)
        assert not answer.results[0].successful


def test_a_topic_of_any_type_is_found_where_the_model_was_trained_on_it(
    launch: Launch, peer: Node, tmp_path: Path, labels: list[Any]
) -> None:
    config = replace(SENSING, modalities={'skin': Modality('skin', dims=3)})
    entry = {'topic': '/skin', 'type': 'geometry_msgs/msg/Vector3Stamped', 'fields': ['vector']}
    bundle = write_bundle(tmp_path / 'model', config, topics={'skin': entry})
    skin = peer.create_publisher(Vector3Stamped, '/skin', 10)
    launch(SegmenterNode, model=str(bundle), discovery_time=0.5)

    def is_felt() -> bool:
        message = Vector3Stamped()
        message.header.stamp = peer.get_clock().now().to_msg()
        skin.publish(message)
        return masks(labels, ['skin']) == {'skin'}

    wait_until(is_felt)


def test_what_one_topic_gives_twice_is_subscribed_to_once(
    launch: Launch, peer: Node, bundle: Path, tmp_path: Path, labels: list[Any]
) -> None:
    topics = tmp_path / 'topics.yaml'
    topics.write_text(
        'wrench: /ft_sensor/wrench\n'
        'twist: {topic: /ft_sensor/wrench, fields: [wrench.torque, wrench.force]}\n'
    )
    with Robot(peer, ('wrench',)):
        launch(SegmenterNode, model=str(bundle), topics=str(topics), discovery_time=0.5)
        wait_until(lambda: masks(labels) == {'wrench', 'twist'})
        assert peer.count_subscribers('/ft_sensor/wrench') == 1


def test_a_topic_of_the_wrong_type_is_named(
    launch: Launch,
    peer: Node,
    bundle: Path,
    tmp_path: Path,
    labels: list[Any],
    diagnoses: Diagnoses,
) -> None:
    topics = tmp_path / 'topics.yaml'
    topics.write_text(
        'wrench: /current_pose\n'
        'gripper: {topic: /gripper/joint_states, type: std_msgs/msg/Float64}\n'
    )
    with Robot(peer):
        launch(SegmenterNode, model=str(bundle), topics=str(topics), discovery_time=0.5)
        wait_until(lambda: masks(labels) == {'pose', 'twist'})  # nothing else is held up
        assert 'std_msgs/msg/Float64' in diagnoses.expect('topics', '/gripper', 2).message
        status = diagnoses.expect('topics', '/current_pose', 2)
        assert 'geometry_msgs/msg/PoseStamped' in status.message
        assert 'geometry_msgs/msg/WrenchStamped' in status.message
