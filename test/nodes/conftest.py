# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes of the test process, on a ROS domain of its own; ROS is imported by fixtures alone."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rclpy.node import Node

    from test.nodes.diagnoses import Diagnoses

Launch = Callable[..., Any]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that talk over DDS: they keep time with the clock on the wall."""
    for item in items:
        if 'ros' in getattr(item, 'fixturenames', ()):
            item.add_marker('ros')


#: Seconds between two diagnoses, for tests that wait for them.
DIAGNOSIS = 0.2


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Initialise ROS for one test, and let nodes publish diagnostics often."""
    rclpy = pytest.importorskip('rclpy', reason='this machine has no ROS 2')
    monkeypatch.setattr('m2r2_ros.nodes.common.diagnostics.PERIOD', DIAGNOSIS)
    monkeypatch.setattr('m2r2_ros.nodes.segmenter.worker._STATUS_PERIOD', DIAGNOSIS)
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let segmenters label late rather than skip windows: the machine may be busy otherwise."""
    monkeypatch.setattr(
        'm2r2_ros.nodes.segmenter.labelling.Labelling._affordable', lambda self, waiting: waiting
    )


@pytest.fixture(scope='session')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small model of all sensors but the camera; to be read, not to be changed."""
    from test.nodes.bundles import write_bundle

    return write_bundle(tmp_path_factory.mktemp('bundle') / 'small')


@pytest.fixture
def diagnoses(peer: 'Node') -> 'Diagnoses':
    """Return what nodes say on /diagnostics from now on."""
    from test.nodes.diagnoses import Diagnoses

    return Diagnoses(peer)


@pytest.fixture
def launch(ros: None) -> Iterator[Launch]:
    """Return a function that runs a node of ours as its process would, to the end of the test.

    `launch(RecorderNode, path='x')` gives parameters; `arguments` are further ROS arguments.
    """
    from m2r2_ros.nodes.common.run import Spinner
    from m2r2_ros.nodes.common.stop import Stop

    running: list[tuple[Any, Spinner]] = []

    def start(make: Callable[..., Any], arguments: tuple[str, ...] = (), **given: Any) -> Any:
        # JSON is YAML, which is what parameters are read as.
        words = [word for k, v in given.items() for word in ('-p', f'{k}:={json.dumps(v)}')]
        node = make(Stop(), arguments=['--ros-args', *words, *arguments])
        node.start()
        running.append((node, Spinner(node, node.faults)))
        return node

    yield start
    for node, spinner in reversed(running):
        spinner.stop()
        node.close()
        node.destroy_node()


@pytest.fixture
def peer(ros: None) -> 'Iterator[Node]':
    """Return a node that stands for all other nodes: publishers, listeners, service clients."""
    import rclpy

    from m2r2_ros.nodes.common.faults import Faults
    from m2r2_ros.nodes.common.run import Spinner

    node = rclpy.create_node('peer')
    spinner = Spinner(node, Faults(node.get_logger()))
    yield node
    spinner.stop()
    node.destroy_node()


def wait_until(condition: Callable[[], Any], seconds: float = 20.0, what: str = '') -> Any:
    """Return the first true value of a condition; fail where there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.01)
    pytest.fail(f'waited {seconds:g} s in vain for {what or condition}')


def call(node: 'Node', kind: Any, name: str, request: Any = None) -> Any:
    """Call a service and return its response."""
    client = node.create_client(kind, name)
    assert client.wait_for_service(20.0), name
    future = client.call_async(request or kind.Request())
    wait_until(future.done, what=name)
    node.destroy_client(client)
    return future.result()


def listen(node: 'Node', kind: Any, topic: str, qos: Any = 1000) -> list[Any]:
    """Subscribe and return the list that messages are appended to."""
    heard: list[Any] = []
    node.create_subscription(kind, topic, heard.append, qos)
    return heard
