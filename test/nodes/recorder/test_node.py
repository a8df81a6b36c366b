# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the recorder writes of what is published over DDS, and what it reports."""

import random
import resource
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

import rclpy
import yaml
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import WrenchStamped
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter
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

from m2r2_ros.bags.definitions import type_hash
from m2r2_ros.bags.recording import find_recordings, open_recording
from m2r2_ros.bags.writing.metadata import qos_profiles
from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.nodes.common import graph
from m2r2_ros.nodes.recorder.node import RecorderNode
from test.nodes.conftest import Launch, call, wait_until

LATCHING = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=1000)
HUGE = 1_000_000_000


def messages(bag: Path) -> dict[str, list[bytes]]:
    """Return the messages of a bag by topic."""
    found: dict[str, list[bytes]] = {}
    for blocks in open_recording(bag).blocks():
        for block in blocks:
            raws = [block.message(i).tobytes() for i in range(len(block))]
            found.setdefault(block.topic, []).extend(raws)
    return found


def numbers(bag: Path, topic: str = '/number') -> list[int]:
    return [deserialize_message(raw, Int64).data for raw in messages(bag).get(topic, [])]


def log_times(bag: Path) -> list[int]:
    blocks = [block for blocks in open_recording(bag).blocks() for block in blocks]
    return [int(time) for block in blocks for time in block.log_times]


def heard_by(publisher: Any, subscribers: int = 1) -> None:
    """Wait until a publisher has its subscribers."""
    wait_until(lambda: publisher.get_subscription_count() >= subscribers, what=publisher.topic_name)


def written(recorder: RecorderNode, topic: str, count: int) -> None:
    """Wait until so many messages of a topic are in the bag."""
    bag = recorder._session.latest
    assert bag is not None
    wait_until(lambda: bag.counts.get(topic, 0) >= count, what=f'{count} on {topic}')


def stopped(peer: Node) -> Path:
    response = call(peer, Trigger, '/recorder/stop')
    assert response.success, response.message
    return Path(response.message)


def started(peer: Node) -> Path:
    response = call(peer, Trigger, '/recorder/start')
    assert response.success, response.message
    return Path(response.message)


@pytest.fixture
def diagnosis(peer: Node) -> Callable[[str], DiagnosticStatus]:
    """Return a function that waits for a status of the recorder that mentions a text."""
    heard: list[DiagnosticStatus] = []
    peer.create_subscription(DiagnosticArray, '/diagnostics', lambda a: heard.extend(a.status), 10)

    def find(name: str, text: str = '') -> DiagnosticStatus:
        def found() -> Any:
            return [s for s in heard if s.name == f'recorder: {name}' and text in s.message]

        return wait_until(found, what=f'{text!r} in status {name}')[-1]

    return find


@pytest.fixture
def counting(peer: Node) -> Iterator[Callable[..., Any]]:
    """Return a function that publishes a rising number, 200 times a second, to the end."""
    done = threading.Event()
    threads = []

    def begin(topic: str = '/number') -> list[int]:
        publisher = peer.create_publisher(Int64, topic, RELIABLE)
        sent: list[int] = []

        def publish() -> None:
            while not done.wait(0.005):
                publisher.publish(Int64(data=len(sent)))
                sent.append(time.time_ns())

        threads.append(threading.Thread(target=publish))
        threads[-1].start()
        return sent

    yield begin
    done.set()
    for thread in threads:
        thread.join()


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


def test_each_start_begins_a_bag_of_its_own(
    launch: Launch, peer: Node, tmp_path: Path, diagnosis: Any
) -> None:
    latched = peer.create_publisher(String, '/robot_description', LATCHING)
    latched.publish(String(data='arm'))
    recorder = launch(RecorderNode, path=str(tmp_path), record=False)
    assert diagnosis('recording', 'stopped').level == DiagnosticStatus.OK
    refused = call(peer, Trigger, '/recorder/stop')
    assert (refused.success, refused.message) == (False, 'nothing is being recorded')
    assert list(tmp_path.iterdir()) == []
    bags = []
    for _ in range(2):
        bags.append(started(peer))
        again = call(peer, Trigger, '/recorder/start')
        assert not again.success
        assert 'already' in again.message
        written(recorder, '/robot_description', 1)
        assert stopped(peer) == bags[-1]
    assert len(set(bags)) == 2
    assert sorted(tmp_path.iterdir()) == sorted(bags)
    for bag in bags:
        assert len(messages(bag)['/robot_description']) == 1


def test_name_can_change_between_bags(launch: Launch, peer: Node, tmp_path: Path) -> None:
    launch(RecorderNode, path=str(tmp_path))

    def change(name: str, value: Any) -> Any:
        given = [Parameter(name, value=value).to_parameter_msg()]
        request = SetParameters.Request(parameters=given)
        return call(peer, SetParameters, '/recorder/set_parameters', request).results[0]

    assert change('name', 'second').successful
    assert 'without /' in change('name', 'a/b').reason
    assert 'read-only' in change('path', 'elsewhere').reason
    assert stopped(peer).name.startswith('recording_')
    assert started(peer).name.startswith('second_')


@pytest.mark.parametrize('name', ['', ' ', '..', 'a/b', 'a\nb', 'n' * 250, 'ü' * 120])
def test_name_that_no_bag_can_have_is_refused_and_the_recording_goes_on(
    launch: Launch, peer: Node, tmp_path: Path, name: str
) -> None:
    recorder = launch(RecorderNode, path=str(tmp_path))
    given = [Parameter('name', value=name).to_parameter_msg()]
    request = SetParameters.Request(parameters=given)
    result = call(peer, SetParameters, '/recorder/set_parameters', request).results[0]
    assert not result.successful
    assert 'expected' in result.reason
    assert len(result.reason) < 400
    assert recorder._session.bag is not None
    assert stopped(peer).name.startswith('recording_')


def test_longest_name_becomes_a_bag(launch: Launch, peer: Node, tmp_path: Path) -> None:
    launch(RecorderNode, path=str(tmp_path), name='n' * 195)
    assert stopped(peer).is_dir()


def test_services_answer_whatever_happens(
    launch: Launch, peer: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / 'bags'
    recorder = launch(RecorderNode, path=str(folder), snapshot_seconds=10.0)
    bag = stopped(peer)
    folder.rename(tmp_path / 'moved')
    folder.touch()
    for service in ('start', 'snapshot'):
        answer = call(peer, Trigger, f'/recorder/{service}')
        assert not answer.success
        assert answer.message
    assert (tmp_path / 'moved' / bag.name / 'metadata.yaml').is_file()

    def fail(*_: object) -> None:
        msg = 'nobody thought of this'
        raise LookupError(msg)

    monkeypatch.setattr(recorder._session, 'begin', fail)
    answer = call(peer, Trigger, '/recorder/start')
    assert not answer.success
    assert answer.message.startswith('LookupError: nobody thought of this')


def test_snapshot_holds_the_newest_while_nothing_is_recorded(
    launch: Launch, peer: Node, tmp_path: Path, counting: Any, diagnosis: Any
) -> None:
    latched = peer.create_publisher(String, '/robot_description', LATCHING)
    latched.publish(String(data='arm'))
    sent = counting()
    recorder = launch(RecorderNode, path=str(tmp_path), record=False, snapshot_seconds=0.5)
    ring = recorder._session.ring
    assert ring is not None
    wait_until(lambda: len(sent) > 300 and ring.seconds > 0.4)
    response = call(peer, Trigger, '/recorder/snapshot')
    assert response.success, response.message
    bag = Path(response.message)
    assert '_snapshot_' in bag.name
    found, times = numbers(bag), log_times(bag)
    assert found == list(range(found[0], found[-1] + 1))
    assert found[0] > 100
    assert max(times) - min(times) <= 500_000_000
    # Latched long before, and needed all the same.
    assert len(messages(bag)['/robot_description']) == 1
    assert 'holds the last 0.' in diagnosis('snapshot').message


def test_snapshot_leaves_the_recording_whole(
    launch: Launch, peer: Node, tmp_path: Path, counting: Any
) -> None:
    latched = peer.create_publisher(String, '/robot_description', LATCHING)
    latched.publish(String(data='arm'))
    counting()
    recorder = launch(RecorderNode, path=str(tmp_path), snapshot_seconds=10.0)
    written(recorder, '/number', 20)
    first = Path(call(peer, Trigger, '/recorder/snapshot').message)
    written(recorder, '/number', 100)
    whole = stopped(peer)
    second = started(peer)
    written(recorder, '/number', 20)
    assert stopped(peer) == second
    assert numbers(first) == numbers(whole)[: len(numbers(first))]
    found, following = numbers(whole), numbers(second)
    assert found == list(range(found[0], found[-1] + 1))
    assert following == list(range(following[0], following[-1] + 1))
    assert following[0] > found[-1]
    # It was received before the second bag was begun.
    assert len(messages(second)['/robot_description']) == 1


def test_snapshot_has_to_be_asked_for_at_the_start(
    launch: Launch, peer: Node, tmp_path: Path
) -> None:
    launch(RecorderNode, path=str(tmp_path))
    response = call(peer, Trigger, '/recorder/snapshot')
    assert not response.success
    assert 'snapshot_seconds' in response.message


def test_snapshot_of_nothing_is_refused(launch: Launch, peer: Node, tmp_path: Path) -> None:
    launch(RecorderNode, path=str(tmp_path), record=False, snapshot_seconds=1.0, topics=['/absent'])
    response = call(peer, Trigger, '/recorder/snapshot')
    assert not response.success
    assert 'nothing has come yet' in response.message
    assert list(tmp_path.iterdir()) == []


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


def test_bag_is_split_by_time(launch: Launch, peer: Node, tmp_path: Path, counting: Any) -> None:
    counting()
    recorder = launch(RecorderNode, path=str(tmp_path), topics=['/number'], max_duration=0.2)
    written(recorder, '/number', 150)
    bag = stopped(peer)
    content = yaml.safe_load((bag / 'metadata.yaml').read_text())
    files = content['rosbag2_bagfile_information']['files']
    assert len(files) >= 3
    assert all(file['duration']['nanoseconds'] < 200e6 for file in files)
    found = numbers(bag)
    assert found == list(range(found[0], found[-1] + 1))


def test_bag_is_split_by_size(launch: Launch, peer: Node, tmp_path: Path) -> None:
    noise = peer.create_publisher(String, '/noise', RELIABLE)
    recorder = launch(RecorderNode, path=str(tmp_path), topics=['/noise'], max_size_mb=1)
    heard_by(noise)
    for k in range(10):
        # Half of the bits of a hexadecimal digit are noise.
        noise.publish(String(data=random.Random(k).randbytes(300_000).hex()))
        written(recorder, '/noise', k + 1)
    bag = stopped(peer)
    sizes = [file.stat().st_size for file in sorted(bag.glob('*.mcap'))]
    assert len(sizes) == 3
    assert all(1e6 <= size < 2e6 for size in sizes[:-1])
    assert open_recording(bag).message_count == 10


def test_every_flush_waits_for_the_disk_if_asked(
    launch: Launch, peer: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr('m2r2_ros.bags.writing.part.os.fsync', synced.append)
    launch(RecorderNode, path=str(tmp_path), fsync=True, flush_interval=0.01)
    wait_until(lambda: len(synced) > 3)


def test_recording_ends_before_the_disk_is_full(
    launch: Launch, peer: Node, tmp_path: Path, counting: Any, diagnosis: Any
) -> None:
    counting()
    latched = peer.create_publisher(String, '/robot_description', LATCHING)
    latched.publish(String(data='arm'))
    recorder = launch(RecorderNode, path=str(tmp_path))
    written(recorder, '/number', 10)
    recorder.set_parameters([Parameter('min_free_mb', value=HUGE)])
    status = diagnosis('recording', 'stopped: ')
    assert status.level == DiagnosticStatus.ERROR
    assert 'min_free_mb keeps: make room' in status.message
    [bag] = find_recordings([tmp_path])
    assert not open_recording(bag).truncated
    assert (bag / 'metadata.yaml').exists()
    assert len(numbers(bag)) >= 10
    for service in ('start', 'stop'):
        response = call(peer, Trigger, f'/recorder/{service}')
        assert not response.success
        assert 'min_free_mb' in response.message
    recorder.set_parameters([Parameter('min_free_mb', value=0)])
    assert started(peer) != bag
    assert diagnosis('recording', 'recording ').level == DiagnosticStatus.OK
    written(recorder, '/robot_description', 1)


@pytest.fixture
def short_files() -> Iterator[None]:
    """Let files of this process end at half a megabyte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_failing_disk_is_reported_even_if_nothing_more_comes(
    launch: Launch, peer: Node, tmp_path: Path, diagnosis: Any, short_files: None
) -> None:
    noise = peer.create_publisher(String, '/noise', RELIABLE)
    launch(RecorderNode, path=str(tmp_path), topics=['/noise'], flush_interval=0.05)
    heard_by(noise)
    # Less than a chunk, so that the flush is the first to meet the end.
    noise.publish(
        String(data=''.join(map(chr, random.Random(0).choices(range(1, 128), k=900_000))))
    )
    status = diagnosis('recording', 'stopped: ')
    assert status.level == DiagnosticStatus.ERROR
    assert 'File too large' in status.message


def test_wrong_parameters_are_refused(launch: Launch, tmp_path: Path) -> None:
    for given, words in (
        ({'topics': ['(']}, 'regular expression'),
        ({'name': ''}, 'expected the name of a folder'),
        ({'name': 'n' * 250}, 'at most 195 bytes'),
    ):
        with pytest.raises(ConfigError, match=words):
            launch(RecorderNode, path=str(tmp_path), **given)
    (tmp_path / 'file').touch()
    with pytest.raises(BagError, match='write elsewhere'):
        launch(RecorderNode, path=str(tmp_path / 'file'))
    with pytest.raises(BagError, match='give the folder itself'):
        launch(RecorderNode, path='~nobody_of_this_name/bags')
    with pytest.raises(BagError, match='make room'):
        launch(RecorderNode, path=str(tmp_path), min_free_mb=HUGE)
    assert rclpy.ok()
