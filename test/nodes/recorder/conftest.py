# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A peer that publishes to the recorder and hears what it reports; ROS is imported by fixtures."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from test.nodes.conftest import wait_until

if TYPE_CHECKING:
    from diagnostic_msgs.msg import DiagnosticStatus
    from rclpy.node import Node


@pytest.fixture
def diagnosis(peer: 'Node') -> Callable[[str], 'DiagnosticStatus']:
    """Return a function that waits for a status of the recorder that mentions a text."""
    from diagnostic_msgs.msg import DiagnosticArray

    heard: list[DiagnosticStatus] = []
    peer.create_subscription(DiagnosticArray, '/diagnostics', lambda a: heard.extend(a.status), 10)

    def find(name: str, text: str = '') -> 'DiagnosticStatus':
        def found() -> Any:
            return [s for s in heard if s.name == f'recorder: {name}' and text in s.message]

        return wait_until(found, what=f'{text!r} in status {name}')[-1]

    return find


@pytest.fixture
def counting(peer: 'Node') -> Iterator[Callable[..., Any]]:
    """Return a function that publishes a rising number, 200 times a second, to the end."""
    from std_msgs.msg import Int64

    done = threading.Event()
    threads = []

    def begin(topic: str = '/number') -> list[int]:
        publisher = peer.create_publisher(Int64, topic, 1000)
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
