# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files start, started: labels come, and every way to end it is a clean one."""

import os
import pty
import select
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from m2r2_ros.msg import ActionLabel
from rclpy.node import Node

from benchmarks._recordings import random_bundle
from m2r2_ros.bags.recording import open_recording
from test.nodes.conftest import listen, wait_until
from test.nodes.launch_xml import PACKAGE, ROOT, Process, processes

SECONDS = 60.0
#: What makes the runs short; the recorder's name shows that the file is read.
PARAMETERS = """
/**/segmenter: {ros__parameters: {discovery_time: 0.2}}
/**/recorder: {ros__parameters: {name: mine}}
/**/sim: {ros__parameters: {motion_rate: 100.0}}
"""


class Terminal:
    """A process in a terminal of its own, whose output is kept."""

    def __init__(self, process: Process, folder: Path) -> None:
        self.name, self.output = process.executable, b''
        self._master, slave = pty.openpty()
        # The process becomes the leader of its session, which is told when the terminal closes.
        self.child = subprocess.Popen(
            ['setsid', '--ctty', *process.command],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, 'OMP_NUM_THREADS': '1'},
        )
        os.close(slave)
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while not self._closing.is_set():
            if select.select([self._master], [], [], 0.05)[0]:
                try:
                    self.output += os.read(self._master, 65536)
                except OSError:  # The process is gone.
                    return

    def close(self) -> None:
        """Close the window."""
        if not self._closing.is_set():
            self._closing.set()
            self._reader.join()
            os.close(self._master)


class Launched:
    """All processes of a launch file; those that are still there at the end are killed."""

    def __init__(self, name: str, folder: Path, **given: str) -> None:
        found = processes(ROOT / 'launch' / f'{name}.launch.xml', given)
        self.terminals = [Terminal(p, folder) for p in found if p.package == PACKAGE]

    def __enter__(self) -> 'Launched':
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for terminal in self.terminals:
            if terminal.child.poll() is None:
                terminal.child.kill()
                terminal.child.wait()
            terminal.close()
            if error is not None:
                print(f'--- {terminal.name}\n{terminal.output.decode(errors="replace")}')

    def end(self, number: signal.Signals) -> dict[str, int]:
        """Signal all processes and return their exit codes."""
        for terminal in self.terminals:
            if number == signal.SIGHUP:
                terminal.close()
            else:
                terminal.child.send_signal(number)
        return {t.name: t.child.wait(SECONDS) for t in self.terminals}

    def running(self) -> bool:
        """Return True while all processes run; fail where one has ended."""
        ended = {t.name: t.child.returncode for t in self.terminals if t.child.poll() is not None}
        assert not ended, f'ended by itself, with exit code: {ended}'
        return True


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp('models') / 'random'
    random_bundle(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return where the processes work; relative paths begin there."""
    (tmp_path / 'topics.yaml').write_text('image: null\n')
    (tmp_path / 'params.yaml').write_text(PARAMETERS)
    yield tmp_path


def recordings(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob('bags/*') if p.is_dir())


@pytest.mark.parametrize(
    'number, namespace', [(signal.SIGINT, ''), (signal.SIGHUP, 'left')], ids=['ctrl-c', 'closed']
)
def test_simulated_cell_is_labelled_and_recorded(
    number: signal.Signals, namespace: str, bundle: Path, folder: Path, peer: Node
) -> None:
    topic = f'{namespace}/action_label'
    heard = listen(peer, ActionLabel, topic)
    with Launched(
        'simulated',
        folder,
        model=str(bundle),
        cameras='false',
        namespace=namespace,
        params_file='params.yaml',
    ) as launched:
        wait_until(lambda: launched.running() and len(heard) > 3, SECONDS, topic)
        codes = launched.end(number)

    assert codes == dict.fromkeys(('sim', 'segmenter', 'recorder', 'visualizer'), 0)
    (recorded,) = recordings(folder)
    assert recorded.name.startswith('mine')
    assert {p.suffix for p in recorded.iterdir()} == {'.mcap', '.yaml'}
    recording = open_recording(recorded)
    assert not recording.truncated
    names = {name.removeprefix(f'/{namespace}' if namespace else '') for name in recording.topics}
    assert {'/action_label', '/label_set', '/ft_sensor/wrench'} <= names


def test_replay_is_labelled(bundle: Path, episode: Path, folder: Path, peer: Node) -> None:
    heard = listen(peer, ActionLabel, 'action_label')
    with Launched(
        'replay', folder, model=str(bundle), bag=str(episode), loop='true', wait='0',
        params_file='params.yaml', topics='topics.yaml',
    ) as launched:  # fmt: skip
        wait_until(lambda: launched.running() and len(heard) > 3, SECONDS, 'action_label')
        codes = launched.end(signal.SIGTERM)

    assert codes == dict.fromkeys(('player', 'segmenter', 'visualizer'), 0)
    # A replay has the time of the recording, wherever the clock of this machine stands.
    recorded = open_recording(episode)
    assert all(recorded.start <= stamp(label) <= recorded.end + 10**9 for label in heard)


def stamp(label: ActionLabel) -> int:
    return int(label.header.stamp.sec * 10**9 + label.header.stamp.nanosec)
