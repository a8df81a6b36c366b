# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever callbacks raise, and whatever comes that cannot be taken, a node goes on."""

import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.nodes.common.executor import Apart
from m2r2_ros.nodes.common.faults import Faults
from m2r2_ros.nodes.common.run import Spinner
from test.nodes.conftest import call, wait_until


class Broken(Node):
    """Has a callback of each kind, all of which fail."""

    def __init__(self) -> None:
        super().__init__('broken')
        self.faults = Faults(self.get_logger())
        self.create_timer(0.01, self.tick)
        self.create_subscription(String, '/text', self.fail, 10)
        self.create_service(Trigger, '~/unexpected', self.fail)
        self.create_service(Trigger, '~/expected', self.refuse)
        self.create_service(Trigger, '~/unsendable', self.unsendable)
        self.apart = Apart()
        self.create_service(Trigger, '~/apart', self.fail, callback_group=self.apart)
        guard = self.create_guard_condition(self.fail)
        guard.trigger()

    def tick(self) -> None:
        raise RuntimeError('timer')

    def fail(self, *given: Any) -> Any:
        raise RuntimeError(f'caf\udce9 {threading.current_thread().name}')

    def refuse(self, *given: Any) -> Any:
        raise ConfigError('rate: expected a number')

    def unsendable(self, request: Any, response: Any) -> Any:
        response.message = 'caf\udce9'
        return response


@pytest.fixture
def broken(ros: None) -> Any:
    node = Broken()
    spinner = Spinner(node, node.faults)
    yield node
    spinner.stop()
    node.destroy_node()


def test_every_callback_may_fail(broken: Broken, peer: Node) -> None:
    texts = peer.create_publisher(String, '/text', 10)
    wait_until(texts.get_subscription_count)
    texts.publish(String(data='x'))
    for place in ('timer tick', 'topic /text', 'GuardCondition'):
        wait_until(partial(broken.faults.count, place))
    for _ in range(3):
        for name, why in (
            ('unexpected', 'RuntimeError: caf'),
            ('expected', 'rate: expected a number'),
            ('unsendable', 'UnicodeEncodeError'),
            ('apart', 'RuntimeError: caf'),
        ):
            answer = call(peer, Trigger, f'/broken/{name}')
            assert not answer.success
            assert why in answer.message
    assert broken.faults.count('service /broken/unexpected') == 3
    assert broken.faults.count('service /broken/apart') == 3
    assert not broken.faults.count('service /broken/expected')
    assert not broken.faults.count('executor')


@pytest.mark.parametrize('name', ['apart', 'expected'])
def test_what_cannot_be_taken_blocks_nothing(broken: Broken, peer: Node, name: str) -> None:
    """Rclpy itself would never run a callback of the group again."""
    place = f'service /broken/{name}'
    [service] = [s for s in broken.services if s.service_name == f'/broken/{name}']
    before = broken.faults.count(place)
    service.srv_type = SimpleNamespace()  # of which no request can be taken
    client = peer.create_client(Trigger, f'/broken/{name}')
    assert client.wait_for_service(20.0)
    asked = client.call_async(Trigger.Request())
    wait_until(lambda: broken.faults.count(place) >= before + 3)
    service.srv_type = Trigger
    wait_until(asked.done)
    ticks = broken.faults.count('timer tick')
    wait_until(lambda: broken.faults.count('timer tick') > ticks)
    assert call(peer, Trigger, f'/broken/{name}').message
