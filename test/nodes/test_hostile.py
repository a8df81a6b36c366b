# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes that are asked for nonsense and sent garbage: they answer, count it and go on."""

import math
import os
import threading
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from m2r2_ros.msg import ActionLabel, ActionSegment, LabelSet
from m2r2_ros.srv import LoadModel
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters, SetParametersAtomically
from rclpy.node import Node
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import ColorRGBA, Header, String
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.nodes.common.graph import message_class
from m2r2_ros.nodes.player.node import PlayerNode
from m2r2_ros.nodes.segmenter import node as segmenter
from m2r2_ros.nodes.segmenter.node import SegmenterNode
from m2r2_ros.nodes.visualizer.node import VisualizerNode
from test.hostile.mcap_files import channel, file, schema
from test.hostile.mcap_files import message as mcap_message
from test.hostile.ros_messages import TOPICS, hostile
from test.nodes.bundles import SENSORS, write_bundle
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
#: What cannot be topics; '' finds one.
NO_TOPICS = (' ', 'a b', '//', '/a//b', '/a/', '1a', '/a/1', 'ä', 'a' * 300, '{', 'a\nb', '/')


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp('bundle') / 'small')


@pytest.fixture
def diagnoses(peer: Node) -> Diagnoses:
    return Diagnoses(peer)


def load(peer: Node, path: object) -> Any:
    request = LoadModel.Request(path=str(path))
    return call(peer, LoadModel, '/segmenter/load_model', request)


def change(peer: Node, **transition: Any) -> bool:
    request = ChangeState.Request(transition=Transition(**transition))
    return bool(call(peer, ChangeState, '/segmenter/change_state', request).success)


def no_models(folder: Path, bundle: Path) -> dict[str, str]:
    """Return paths of what is not a model, by what it is."""
    names = {
        'long': 'a' * 5000,
        'deep': '/a' * 3000,
        'nobody': '~nobody_is_called_that/model',
        'surrogate': 'a\udcffb',
        'empty': '',
        'null device': '/dev/null',
        'own bytes': '/proc/self/mem',
        'folder': str(folder),
        'control': 'a\x1b[31m',
    }
    for name in ('fifo', 'loop', 'locked', 'text', 'binary', 'no yaml', 'weights'):
        (folder / name).mkdir()
    os.mkfifo(folder / 'pipe')
    names['pipe itself'] = str(folder / 'pipe')
    (folder / 'loop' / 'bundle.yaml').symlink_to('bundle.yaml')
    (folder / 'locked' / 'bundle.yaml').write_bytes((bundle / 'bundle.yaml').read_bytes())
    (folder / 'locked' / 'weights.safetensors').mkdir()
    (folder / 'text' / 'bundle.yaml').write_text('just text')
    (folder / 'binary' / 'bundle.yaml').write_bytes(bytes(range(256)) * 10)
    (folder / 'no yaml' / 'weights.safetensors').write_bytes(b'{}')
    (folder / 'weights' / 'bundle.yaml').write_bytes((bundle / 'bundle.yaml').read_bytes())
    (folder / 'weights' / 'weights.safetensors').write_bytes(b'\xff' * 100)
    return names | {k: str(folder / k) for k in ('loop', 'locked', 'text', 'binary', 'weights')}


def test_whatever_load_model_is_asked_for_it_says_why_not_and_labelling_goes_on(
    launch: Launch, peer: Node, tmp_path: Path, bundle: Path
) -> None:
    labels = listen(peer, ActionLabel, 'action_label')
    other = write_bundle(tmp_path / 'other', seed=1)
    (tmp_path / 'none').mkdir()
    with Robot(peer):
        launch(SegmenterNode, model=str(bundle))
        wait_until(lambda: labels)
        old = labels[-1].model_id
        for what, path in no_models(tmp_path / 'none', bundle).items():
            answer = load(peer, path.encode(errors='replace').decode())
            assert not answer.success, what
            assert answer.message, what
            assert 'unexpected' not in answer.message, (what, answer.message)
            assert len(answer.message) < 1000, what
            assert answer.model_id == old, what
        have = len(labels)
        wait_until(lambda: len(labels) > have + 3)
        assert labels[-1].model_id == old
        assert load(peer, other).success
        wait_until(lambda: labels[-1].model_id != old)


def test_all_else_goes_on_while_a_model_takes_for_ever(
    launch: Launch, peer: Node, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmenter, 'LOADING', 3.0)
    labels = listen(peer, ActionLabel, 'action_label')
    hangs = threading.Event()
    with Robot(peer):
        node = launch(SegmenterNode, model=str(bundle))
        wait_until(lambda: labels)
        monkeypatch.setattr(segmenter, 'load_model', lambda path, **given: hangs.wait(60.0))
        client = peer.create_client(LoadModel, '/segmenter/load_model')
        assert client.wait_for_service(20.0)
        asked = client.call_async(LoadModel.Request(path='slow'))
        for _ in range(3):
            state = call(peer, GetState, '/segmenter/get_state')
            assert state.current_state.label == 'active'
        have = len(labels)
        wait_until(lambda: len(labels) > have + 3)
        assert not asked.done()
        wait_until(asked.done)
        assert not asked.result().success
        assert 'loading the model' in asked.result().message
        # And the end of the node ends the wait.
        asked = client.call_async(LoadModel.Request(path='slow'))
        time.sleep(0.2)
        node.stop.set()
        wait_until(asked.done, 2.5)
        assert 'ending' in asked.result().message
    hangs.set()


def test_what_fails_while_it_takes_over_leaves_the_old_model_at_work(
    launch: Launch, peer: Node, tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = listen(peer, ActionLabel, 'action_label')
    other = write_bundle(tmp_path / 'other', seed=1)
    with Robot(peer):
        node = launch(SegmenterNode, model=str(bundle))
        wait_until(lambda: labels)
        old = labels[-1].model_id

        def fail(*given: Any) -> None:
            raise RuntimeError('the middleware is out of memory')

        with monkeypatch.context() as broken:
            broken.setattr(node._worker._writer, 'write_label_set', fail)
            answer = load(peer, other)
        assert not answer.success
        assert 'out of memory' in answer.message
        have = len(labels)
        wait_until(lambda: len(labels) > have + 3)
        assert labels[-1].model_id == old
        assert load(peer, other).success


def test_no_transition_is_left_unanswered(
    launch: Launch, peer: Node, bundle: Path, diagnoses: Diagnoses
) -> None:
    launch(SegmenterNode, model=str(bundle), autostart=False)
    for wrong in ({'id': 99}, {'id': 255}, {'label': 'nonsense'}, {'label': 'a' * 5000}):
        assert not change(peer, **wrong)
    assert not change(peer, id=Transition.TRANSITION_DEACTIVATE)
    assert change(peer, id=Transition.TRANSITION_CONFIGURE)
    assert change(peer, label='activate')


@pytest.mark.parametrize('kind', [PlayerNode, VisualizerNode, SegmenterNode])
def test_no_parameter_is_left_unanswered(
    launch: Launch, peer: Node, bundle: Path, diagnoses: Diagnoses, tmp_path: Path, kind: Any
) -> None:
    given: dict[Any, dict[str, Any]] = {
        PlayerNode: {'path': str(headers(tmp_path / 'bag')), 'paused': True},
        SegmenterNode: {'model': str(bundle)},
    }
    node = launch(kind, **given.get(kind, {}))
    name = node.get_name()
    values = [ParameterValue(type=t, double_value=NAN) for t in (*range(10), 77, 255)]
    names = [p for p in node._parameters if p != 'use_sim_time']
    texts = [ParameterValue(type=4, string_value='a' * 100_000)]
    for value in [*values, *texts]:
        wanted = [Parameter(name=p, value=value) for p in [*names, '', 'ä', 'a' * 300]]
        results = call(
            peer, SetParameters, f'/{name}/set_parameters', SetParameters.Request(parameters=wanted)
        ).results
        assert len(results) == len(wanted)
        assert all(r.reason for r in results if not r.successful)
        call(
            peer,
            SetParametersAtomically,
            f'/{name}/set_parameters_atomically',
            SetParametersAtomically.Request(parameters=wanted),
        )
    held = [p.value for p in node._parameters.values() if isinstance(p.value, float)]
    assert all(map(math.isfinite, held))
    asked = GetParameters.Request(names=['', 'ä', *names])
    call(peer, GetParameters, f'/{name}/get_parameters', asked)


def headers(path: Path) -> Path:
    """Write a second of headers."""
    with BagWriter(path) as bag:
        bag.add_topic('/header', 'std_msgs/msg/Header')
        for k in range(11):
            raw = bytes(serialize_message(Header(frame_id=str(k))))
            bag.write('/header', raw, 10**18 + k * 10**8)
    return path


def test_topics_that_are_no_names_are_refused_with_the_reason(
    launch: Launch, peer: Node, bundle: Path, tmp_path: Path
) -> None:
    launch(VisualizerNode)
    for text in NO_TOPICS:
        wanted = [Parameter(name='pose', value=ParameterValue(type=4, string_value=text))]
        request = SetParameters.Request(parameters=wanted)
        (result,) = call(peer, SetParameters, '/visualizer/set_parameters', request).results
        assert not result.successful, text
        assert 'is not the name of a topic' in result.reason
    with pytest.raises(M2R2Error, match=r"image: 'a b' is not the name of a topic: .*such as /cam"):
        launch(VisualizerNode, ('-r', '__node:=other'), image='a b')
    topics = tmp_path / 'topics.yaml'
    for text in NO_TOPICS:
        topics.write_text(f'wrench: {{topic: "{text!a}"}}'.replace("'", ''))
        with pytest.raises(M2R2Error, match=r'wrench: .* is not the name of a topic'):
            launch(SegmenterNode, ('-r', '__node:=other'), model=str(bundle), topics=str(topics))


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
