# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Replays over DDS: what arrives, in which order, when, and what the clock says meanwhile."""

import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import WrenchStamped
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message, serialize_message
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header, String
from std_srvs.srv import Trigger

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.sink import LATCHED
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.nodes.common.faults import Faults
from m2r2_ros.nodes.common.graph import topic_types
from m2r2_ros.nodes.common.intake import Inlet
from m2r2_ros.nodes.common.timeline import Timeline
from m2r2_ros.nodes.player.node import PlayerNode
from m2r2_ros.nodes.player.outlets import Outlets, restamped
from m2r2_ros.nodes.player.playback import Playback
from m2r2_ros.nodes.player.schedule import Interval, cut
from test.nodes.conftest import Launch, call, listen, wait_until

START = 1_700_000_000_000_000_000
MS = 1_000_000
LATCHING = QoSProfile(
    depth=10,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
    reliability=ReliabilityPolicy.RELIABLE,
)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """Write two seconds of headers, one every 10 ms, behind a latched greeting."""
    path = tmp_path / 'bag'
    with BagWriter(path) as writer:
        writer.add_topic('/greeting', 'std_msgs/msg/String', qos=LATCHED)
        writer.add_topic('/header', 'std_msgs/msg/Header')
        writer.write('/greeting', bytes(serialize_message(String(data='hello'))), START)
        for k in range(201):
            log_time = START + k * 10 * MS
            header = Header(stamp=stamp_of(log_time - MS), frame_id=str(k))
            writer.write('/header', bytes(serialize_message(header)), log_time)
    return path


def stamp_of(time_ns: int) -> Time:
    return Time(sec=time_ns // 10**9, nanosec=time_ns % 10**9)


def nanoseconds(stamp: Any) -> int:
    return int(stamp.sec * 10**9 + stamp.nanosec)


def clocks(peer: Node) -> list[int]:
    """Return the list that the times of /clock are appended to."""
    found: list[int] = []
    peer.create_subscription(Clock, '/clock', lambda m: found.append(nanoseconds(m.clock)), 10000)
    return found


def set_parameter(peer: Node, name: str, value: ParameterValue) -> Any:
    request = SetParameters.Request(parameters=[Parameter(name=name, value=value)])
    return call(peer, SetParameters, '/player/set_parameters', request).results[0]


def recorded(path: Path) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for blocks in open_recording(path).blocks():
        for block in blocks:
            raws = [block.message(i).tobytes() for i in range(len(block))]
            found.setdefault(block.topic, []).extend(raws)
    return found


def statuses(peer: Node) -> dict[str, Any]:
    """Return the newest diagnostics by name, which are updated as they come."""
    found: dict[str, Any] = {}

    def note(array: DiagnosticArray) -> None:
        found.update({status.name: status for status in array.status})

    peer.create_subscription(DiagnosticArray, '/diagnostics', note, 10)
    return found


def test_every_message_arrives_as_it_was_recorded(
    launch: Launch, peer: Node, episode: Path
) -> None:
    player = launch(PlayerNode, path=str(episode), rate=8.0, wait_for_subscribers=20.0)
    expected = recorded(episode)
    wait_until(lambda: expected.keys() <= topic_types(peer).keys())
    inlets = [Inlet(peer, name, topic_types(peer)[name]) for name in expected]
    found: dict[str, list[bytes]] = {name: [] for name in expected}

    def take() -> bool:
        done = player.stop.is_set()
        for inlet in inlets:
            found[inlet.topic] += [received.raw for received in inlet.take()]
        return bool(done)

    wait_until(take, 60.0)
    assert {k: len(v) for k, v in found.items()} == {k: len(v) for k, v in expected.items()}
    assert found == expected
    assert player.stop.exit_code == 0


def test_the_clock_goes_with_the_messages_and_back_where_it_loops(
    launch: Launch, peer: Node, bag: Path
) -> None:
    times = clocks(peer)
    headers = listen(peer, Header, '/header')
    begin = time.monotonic()
    player = launch(
        PlayerNode,
        path=str(bag),
        topics=['/header'],
        loop=True,
        duration=0.5,
        rate=2.0,
        wait_for_subscribers=20.0,
    )
    back = wait_until(lambda: [b for a, b in pairwise(times) if b < a][1:])
    assert all(b - START < 30 * MS for b in back)
    off = set_parameter(
        peer, 'loop', ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=False)
    )
    assert off.successful, off.reason
    wait_until(player.stop.is_set)
    assert player.stop.exit_code == 0
    assert max(times) <= START + 510 * MS
    passes = [k for k, header in enumerate(headers) if header.frame_id == '0']
    assert len(passes) >= 3
    assert time.monotonic() - begin > len(passes) * 0.25
    for first, following in pairwise(passes):
        assert [h.frame_id for h in headers[first:following]] == [str(k) for k in range(51)]


def test_it_pauses_steps_and_changes_its_rate_immediately(
    launch: Launch, peer: Node, bag: Path
) -> None:
    headers, times = listen(peer, Header, '/header'), clocks(peer)
    player = launch(PlayerNode, path=str(bag), paused=True, rate=0.01)
    wait_until(lambda: len(times) > 5)
    assert set(times) == {START}
    assert len(headers) <= 1

    def step(count: int) -> None:
        answer = call(peer, Trigger, '/player/step')
        assert (answer.success, answer.message) == (True, f'paused at 0.{count}00 s')
        wait_until(lambda: headers and headers[-1].frame_id == str(10 * count))
        wait_until(lambda: times[-1] == START + count * 100 * MS)

    step(1)
    step(2)
    assert call(peer, Trigger, '/player/resume').message.startswith('playing at 0.2')
    refused = call(peer, Trigger, '/player/step')
    assert not refused.success
    assert 'pause' in refused.message
    assert call(peer, Trigger, '/player/pause').success
    wait_until(lambda: len(times) > 3 and len(set(times[-4:])) == 1)
    assert times[-1] - START < 1000 * MS
    too_fast = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=1000.0)
    assert not set_parameter(peer, 'rate', too_fast).successful
    assert set_parameter(
        peer, 'rate', ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=50.0)
    ).successful
    assert not set_parameter(
        peer, 'path', ParameterValue(type=ParameterType.PARAMETER_STRING, string_value='x')
    ).successful
    call(peer, Trigger, '/player/resume')
    wait_until(player.stop.is_set, what='the end, at another rate')
    wait_until(lambda: headers[-1].frame_id == '200')


def test_restamped_messages_look_live_and_keep_their_distances(
    launch: Launch, peer: Node, bag: Path
) -> None:
    headers = listen(peer, Header, '/header')
    begin = time.time_ns()
    player = launch(
        PlayerNode,
        path=str(bag),
        restamp=True,
        rate=10.0,
        wait_for_subscribers=20.0,
        topics=['/header'],
    )
    wait_until(player.stop.is_set)
    wait_until(lambda: len(headers) == 201)
    stamps = [nanoseconds(header.stamp) for header in headers]
    assert begin - MS <= stamps[0] <= time.time_ns()
    assert {b - a for a, b in pairwise(stamps)} == {10 * MS}
    assert not peer.count_publishers('/clock')


def test_an_interval_has_its_messages_and_what_was_latched_before(
    launch: Launch, peer: Node, bag: Path
) -> None:
    headers = listen(peer, Header, 'robot/header')
    greetings = listen(peer, String, 'robot/greeting', LATCHING)
    player = launch(
        PlayerNode,
        arguments=('-r', '__ns:=/robot'),
        path=str(bag),
        start_offset=1.0,
        duration=0.2,
        wait_for_subscribers=20.0,
    )
    wait_until(player.stop.is_set)
    wait_until(lambda: len(headers) == 21 and greetings)
    assert [h.frame_id for h in headers] == [str(k) for k in range(100, 121)]
    assert [g.data for g in greetings] == ['hello']


def test_a_late_subscriber_receives_what_was_latched(launch: Launch, peer: Node, bag: Path) -> None:
    player = launch(PlayerNode, path=str(bag), rate=0.1)
    wait_until(lambda: player._playback.published > 1)
    greetings = listen(peer, String, '/greeting', LATCHING)
    wait_until(lambda: greetings)
    assert greetings[0].data == 'hello'


def test_topics_that_cannot_be_published_are_named(
    launch: Launch, peer: Node, tmp_path: Path
) -> None:
    told = statuses(peer)
    with BagWriter(tmp_path / 'bag') as writer:
        writer.add_topic('/clock', 'rosgraph_msgs/msg/Clock')
        writer.add_topic('/good', 'std_msgs/msg/Header')
        writer.add_topic('/old', 'std_msgs/msg/Header', type_hash='RIHS01_' + '0' * 64)
        writer.add_topic('/strange', 'absent_msgs/msg/Thing', definition='int32 x\n')
        writer.add_topic('/unwanted', 'std_msgs/msg/Header')
        for k, topic in enumerate(writer.topics):
            writer.write(topic, bytes(serialize_message(Header())), START + k)
    launch(PlayerNode, path=str(tmp_path / 'bag'), exclude=['/un.*'], paused=True)
    status = wait_until(lambda: told.get('player: topics'))
    assert status.level == b'\x01'
    values = {value.key: value.value for value in status.values}
    assert values.keys() == {'/old', '/strange'}
    assert 'another version of std_msgs/msg/Header' in values['/old']
    assert 'absent-msgs' in values['/strange']
    there = topic_types(peer).keys()
    assert '/good' in there
    assert not {'/old', '/strange', '/unwanted'} & there
    assert peer.count_publishers('/clock') == 1


@pytest.mark.parametrize(
    ('given', 'error', 'text'),
    [
        ({}, ConfigError, 'path: no recording given'),
        ({'path': 'nowhere'}, BagError, 'nowhere does not exist'),
        ({'start_offset': 9.0}, ConfigError, 'nothing to play from 9 s on.*2.000 s'),
        ({'topics': ['/none']}, ConfigError, 'none of its topics.*/header'),
        ({'topics': ['/(']}, ConfigError, "topics: '/\\(' is not a regular expression"),
        ({'rate': 500.0}, ConfigError, 'rate'),
    ],
)
def test_what_cannot_be_played_is_refused(
    launch: Launch, bag: Path, given: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        launch(PlayerNode, **{**({'path': str(bag)} if given else {}), **given})


def test_a_truncated_recording_is_played_to_its_end(
    launch: Launch, peer: Node, episode: Path, tmp_path: Path
) -> None:
    told = statuses(peer)
    cut_off = tmp_path / 'cut.mcap'
    whole = next(episode.glob('*.mcap')).read_bytes()
    cut_off.write_bytes(whole[: len(whole) * 2 // 3])
    recording = open_recording(cut_off)
    assert recording.truncated
    player = launch(PlayerNode, path=str(cut_off), rate=100.0, paused=True)
    status = wait_until(lambda: told.get('player: playback'))
    assert {v.key: v.value for v in status.values}['truncated'] == 'True'
    call(peer, Trigger, '/player/resume')
    wait_until(player.stop.is_set, 60.0)
    assert player.stop.exit_code == 0
    assert player._playback.published == recording.message_count


def test_a_corrupt_recording_ends_it_with_an_error(
    launch: Launch, episode: Path, tmp_path: Path
) -> None:
    broken = tmp_path / 'broken.mcap'
    content = bytearray(next(episode.glob('*.mcap')).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100_000] = bytes(100_000)
    broken.write_bytes(content)
    player = launch(PlayerNode, path=str(broken), rate=100.0)
    wait_until(player.stop.is_set, 60.0)
    assert player.stop.exit_code == 2


def test_a_delayed_replay_postpones_its_schedule(peer: Node, bag: Path) -> None:
    clocks: list[int] = []

    class Slow(Outlets):
        def publish(self, topic: str, raw: bytes) -> bool:
            if not clocks:
                time.sleep(0.7)
            clocks.append(playback.now)
            return super().publish(topic, raw)

    recording = open_recording(bag)
    timeline = Timeline(1.0, paused=False)
    part = cut(recording, 0.0, 0.3)
    outlets = Slow(peer, recording.topics.values(), Faults(peer.get_logger()))
    playback = Playback(peer, part, outlets, timeline, clock=False, restamp=False)
    begin = time.monotonic()
    playback.run(0.0, again=lambda: False)
    assert playback.published == 32
    assert playback.put_off > 0.5
    # Its clock goes with what it publishes, not with the wall.
    assert max(b - a for a, b in pairwise(clocks)) <= 20 * MS
    assert time.monotonic() - begin > 0.7 + 0.28


def test_the_next_pass_is_read_in_time_and_waits_for_no_one(
    peer: Node, bag: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes, events = 3, list[tuple[str, int]]()

    class Unconfirmed(Outlets):
        """Of subscribers that confirm nothing before the end."""

        def unconfirmed(self) -> list[str]:
            events.append(('asked', playback.published))
            return []

    batches = Interval.batches

    def reading(self: Interval, *given: Any) -> Any:
        events.append(('read', playback.published))
        return batches(self, *given)

    monkeypatch.setattr(Interval, 'batches', reading)
    recording = open_recording(bag)
    outlets = Unconfirmed(peer, recording.topics.values(), Faults(peer.get_logger()))
    part = cut(recording, 0.0, 0.5)
    timeline = Timeline(1.0, paused=False)
    playback = Playback(peer, part, outlets, timeline, clock=False, restamp=False)
    playback.run(0.0, again=lambda: playback.passes < passes)
    assert playback.passes == passes
    assert playback.published == 52 * passes
    assert playback.put_off == 0
    reads = [count for what, count in events if what == 'read']
    assert all(count < 52 * k for k, count in enumerate(reads[:passes], 1) if k > 1)
    assert [count for what, count in events if what == 'asked'] == [52 * passes]


def test_a_single_message_that_loops_is_no_flood(launch: Launch, peer: Node, bag: Path) -> None:
    headers = listen(peer, Header, '/header')
    player = launch(PlayerNode, path=str(bag), topics=['/header'], duration=1e-9, loop=True)
    wait_until(lambda: len(headers) > 3)
    assert player._playback.published <= player._playback.passes
    at, passes = time.monotonic(), player._playback.passes
    wait_until(lambda: player._playback.passes > passes + 20)
    assert time.monotonic() - at > 20 * 0.01


def test_it_closes_immediately_in_every_state(launch: Launch, bag: Path) -> None:
    waiting = launch(PlayerNode, path=str(bag), wait_for_subscribers=3600.0)
    player = launch(PlayerNode, arguments=('-r', '__node:=slow'), path=str(bag), rate=0.01)
    begin = time.monotonic()
    waiting.close()
    player.close()
    assert time.monotonic() - begin < 10.0
    assert not [t for t in threading.enumerate() if t.name == 'play']


def test_stamps_are_moved_in_both_byte_orders() -> None:
    header = Header(stamp=stamp_of(START - 1), frame_id='base')
    little = bytes(serialize_message(header))
    moved = deserialize_message(restamped(little, 2 * 10**9), Header)
    assert (nanoseconds(moved.stamp), moved.frame_id) == (START - 1 + 2 * 10**9, 'base')
    big = b'\x00\x00' + little[2:4] + little[7:3:-1] + little[11:7:-1]
    there = restamped(big, 10**9)
    assert int.from_bytes(there[4:8], 'big') == header.stamp.sec + 1
    unset = bytes(serialize_message(WrenchStamped()))
    assert restamped(unset, 10**9) == unset
    assert restamped(b'\x00\x01\x00\x00', 1) == b'\x00\x01\x00\x00'
