# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags are begun, named, ended and remembered on request."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import (
    DurabilityPolicy,
    QoSProfile,
)
from std_msgs.msg import String
from std_srvs.srv import Trigger

from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.nodes.recorder.node import RecorderNode
from test.nodes.conftest import Launch, call, wait_until
from test.nodes.recorder.bags import log_times, messages, numbers, started, stopped, written

LATCHING = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
HUGE = 1_000_000_000


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
