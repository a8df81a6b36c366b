# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder as a process that is told to end, killed, started again, and out of disk."""

import random
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rosbags.highlevel import AnyReader
from std_msgs.msg import Int64, UInt8MultiArray
from std_srvs.srv import Trigger

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.mcap.repair import repair
from m2r2_ros.bags.recording import open_recording
from test.nodes.conftest import call, wait_until

#: Publishing period of the numbers, s.
PERIOD = 0.005
#: A small disk, bytes.
DISK = 3_000_000

Start = Callable[..., 'subprocess.Popen[str]']


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a recorder; what still runs in the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(*parameters: str, wrap: str = '', **options: Any) -> 'subprocess.Popen[str]':
        words = [word for parameter in parameters for word in ('-p', parameter)]
        command = [sys.executable, '-m', 'm2r2_ros.nodes.recorder.node', '--ros-args', *words]
        if wrap:
            command = ['unshare', '-Urm', 'sh', '-c', f'{wrap} && exec {shlex.join(command)}']
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Counting:
    """Publishes a rising number, and when which was published."""

    def __init__(self, peer: Node) -> None:
        self.publisher = peer.create_publisher(Int64, '/number', QoSProfile(depth=5000))
        self.sent: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.wait(PERIOD):
            self.publisher.publish(Int64(data=len(self.sent)))
            self.sent.append(time.monotonic())

    def stop(self) -> None:
        self._done.set()
        self._thread.join()


@pytest.fixture
def counting(peer: Node) -> Iterator[Counting]:
    found = Counting(peer)
    yield found
    found.stop()


def numbers(bag: Path) -> list[int]:
    return [
        deserialize_message(block.message(i).tobytes(), Int64).data
        for blocks in open_recording(bag).blocks({'/number'})
        for block in blocks
        for i in range(len(block))
    ]


def rising(found: list[int]) -> bool:
    return found == list(range(found[0], found[-1] + 1))


def recorded(counting: Counting, count: int, listeners: int = 1) -> int:
    """Wait until so many numbers were published to listeners; return the last."""
    wait_until(lambda: counting.publisher.get_subscription_count() >= listeners)
    first = len(counting.sent)
    wait_until(lambda: len(counting.sent) >= first + count)
    return len(counting.sent)


def test_signals_complete_the_bag(start: Start, counting: Counting, tmp_path: Path) -> None:
    processes = {
        number: start(f'path:={tmp_path / number.name}', 'flush_interval:=100.0')
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    last = recorded(counting, 200, len(processes))
    for number, process in processes.items():
        process.send_signal(number)
    for number, process in processes.items():
        assert process.wait(20.0) == 0, number
        [bag] = (tmp_path / number.name).iterdir()
        assert (bag / 'metadata.yaml').exists()
        assert not open_recording(bag).truncated
        found = numbers(bag)
        assert rising(found)
        # What was published before the signal is there, but for what was on its way.
        assert found[-1] >= last - 100


def test_killed_recorder_leaves_all_up_to_the_last_flush(
    start: Start, counting: Counting, tmp_path: Path
) -> None:
    processes = [
        start(f'path:={tmp_path / span}', 'flush_interval:=0.1', f'max_duration:={span}')
        for span in ('0.3', '0.0')
    ]
    recorded(counting, 400, len(processes))
    killed = time.monotonic()
    for process in processes:
        process.kill()
        process.wait()
    # A flush every 0.1 s, and a second for a machine that has other things to do.
    due = sum(at < killed - 1.1 for at in counting.sent)
    for folder, fewest in (('0.3', 3), ('0.0', 1)):
        [partial] = (tmp_path / folder).glob('*.partial')
        files = len(list(partial.glob('*.mcap')))
        assert files >= fewest
        found = numbers(partial)
        assert rising(found)
        assert found[-1] + 1 >= due
        repaired = tmp_path / f'repaired_{folder[-1]}'
        report = repair(partial, repaired)
        assert numbers(repaired) == found
        # Every file but the last is complete.
        assert {loss.file.name for loss in report.losses} == {f'{partial.stem}_{files - 1}.mcap'}


def test_restart_finishes_what_a_killed_recorder_left(
    start: Start, counting: Counting, tmp_path: Path
) -> None:
    killed = start(f'path:={tmp_path}', 'flush_interval:=0.1', 'max_duration:=0.5')
    recorded(counting, 300)
    killed.kill()
    killed.wait()
    [partial] = tmp_path.glob('*.partial')
    kept = numbers(partial)
    process = start(f'path:={tmp_path}')
    # The one that has the name is whole for everyone; the other one is being written.
    bag = partial.with_suffix('')
    wait_until(bag.exists)
    with AnyReader([bag]) as reader:
        read = [raw for c, _, raw in reader.messages() if c.topic == '/number']
        found = [deserialize_message(raw, Int64).data for raw in read]
    assert found == kept
    process.send_signal(signal.SIGINT)
    assert process.wait(20.0) == 0
    assert process.stderr is not None
    assert f'{bag}, which a killed recorder left' in process.stderr.read()
    assert not list(tmp_path.glob('*.partial'))


def test_restart_loses_nothing_but_the_gap(
    start: Start, counting: Counting, tmp_path: Path
) -> None:
    for _ in range(2):
        process = start(f'path:={tmp_path}')
        recorded(counting, 100)  # of which the last may still be on their way
        process.send_signal(signal.SIGINT)
        assert process.wait(20.0) == 0
        wait_until(lambda: counting.publisher.get_subscription_count() == 0)
    first, second = (numbers(bag) for bag in find_recordings([tmp_path]))
    assert rising(first)
    assert rising(second)
    assert len(first) >= 50
    assert len(second) >= 50
    assert second[0] > first[-1]


def test_errors_end_the_process_with_exit_code_2(start: Start, tmp_path: Path) -> None:
    process = start(f'path:={tmp_path}', 'min_free_mb:=1000000000')
    assert process.wait(20.0) == 2
    assert process.stderr is not None
    message = process.stderr.read()
    assert 'error:' in message
    assert 'make room' in message
    assert 'Traceback' not in message
    assert list(tmp_path.iterdir()) == []


def small_disk(folder: Path) -> tuple[str, Callable[[], None] | None]:
    """Return how to give a process a small disk: one of its own, or else files that end early."""
    mount = f'mount -t tmpfs -o size={DISK} tmpfs {shlex.quote(str(folder))}'
    if (
        shutil.which('unshare')
        and not subprocess.run(
            ['unshare', '-Urm', 'sh', '-c', mount], capture_output=True, check=False
        ).returncode
    ):
        return mount, None
    return '', lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (DISK, DISK))


def test_full_disk_ends_the_recording_and_not_the_node(
    start: Start, peer: Node, counting: Counting, tmp_path: Path
) -> None:
    wrap, limit = small_disk(tmp_path)
    process = start(
        f'path:={tmp_path}', 'min_free_mb:=0', 'flush_interval:=0.05', wrap=wrap, preexec_fn=limit
    )
    # What is mounted in a namespace can be seen through a process in it.
    folder = Path(f'/proc/{process.pid}/root{tmp_path}')
    noise = peer.create_publisher(UInt8MultiArray, '/noise', QoSProfile(depth=100))
    wait_until(lambda: noise.get_subscription_count() > 0)
    heard: list[Any] = []
    peer.create_subscription(DiagnosticArray, '/diagnostics', lambda a: heard.extend(a.status), 10)

    def fault() -> str:
        noise.publish(UInt8MultiArray(data=array('B', random.randbytes(50_000))))
        found = [s.message for s in heard if s.name == 'recorder: recording']
        return next((message for message in found if 'stopped: ' in message), '')

    message = wait_until(fault, 40.0)
    assert 'cannot be written' in message
    assert 'm2r2 repair' in message
    assert process.poll() is None
    [partial] = folder.glob('*.partial')
    recording = open_recording(partial)
    assert recording.truncated
    assert recording.topics['/noise'].count >= 20
    found = numbers(partial)
    assert rising(found)
    report = repair(partial, tmp_path.with_name('repaired') / 'bag')
    assert report.messages['/number'] >= len(found)

    # Room is made, and it records again.
    shutil.rmtree(partial)
    response = call(peer, Trigger, '/recorder/start')
    assert response.success, response.message
    recorded(counting, 20)
    response = call(peer, Trigger, '/recorder/stop')
    assert response.success, response.message
    assert len(numbers(folder / Path(response.message).name)) >= 20
    process.send_signal(signal.SIGINT)
    assert process.wait(20.0) == 0
