# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files start, started by our commands, each in a terminal of its own.

That both start the same is tested in test/cli/test_launching.py.
"""

import os
import pty
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from m2r2_ros.msg import ActionLabel
from rclpy.node import Node

from benchmarks._recordings import random_bundle
from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.bags.recording import open_recording
from test.nodes.conftest import listen, wait_until
from test.nodes.launch_xml import ROOT

SECONDS = 60.0
#: What makes the runs short; the recorder's name shows that the file is read.
PARAMETERS = """
/**/segmenter: {ros__parameters: {discovery_time: 0.2}}
/**/recorder: {ros__parameters: {name: mine}}
/**/sim: {ros__parameters: {motion_rate: 100.0}}
/**/player: {ros__parameters: {topics: [/ft_sensor/wrench, /current_pose, /current_twist]}}
"""


class Terminal:
    """`m2r2` in a terminal of its own, whose output is kept; it is killed at the end."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.output = b''
        self._master, slave = pty.openpty()
        # The process becomes the leader of its session, which is told when the terminal closes.
        self.child = subprocess.Popen(
            ['setsid', '--ctty', sys.executable, str(ROOT / 'scripts' / 'm2r2'), *words],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            # What is left in a buffer decides about the exit code where the terminal is gone.
            env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONUNBUFFERED': ''},
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

    def __enter__(self) -> 'Terminal':
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self.child.poll() is None:
            self.child.terminate()  # it ends what it has started
            self.child.wait()
        self.close()
        if error is not None:
            print(self.output.decode(errors='replace'))

    def close(self) -> None:
        """Close the window."""
        if not self._closing.is_set():
            self._closing.set()
            self._reader.join()
            os.close(self._master)

    def end(self, way: str) -> int:
        """End it and return its exit code."""
        if way == 'closed':
            self.close()
        else:
            os.write(self._master, b'\x03')
        return self.child.wait(SECONDS)

    def running(self) -> bool:
        """Return True while it runs; fail where it has ended."""
        assert self.child.poll() is None, f'ended by itself: {self.child.returncode}'
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


@pytest.mark.parametrize('way, namespace', [('ctrl-c', ''), ('closed', 'left')])
def test_simulated_cell_is_labelled_and_recorded(
    way: str, namespace: str, bundle: Path, folder: Path, peer: Node
) -> None:
    topic = f'{namespace}/action_label'
    heard = listen(peer, ActionLabel, topic)

    def hearing() -> set[str]:
        return {s.node_name for s in peer.get_subscriptions_info_by_topic(topic)}

    words = ['--no-cameras', '--namespace', namespace, '--params-file', 'params.yaml']
    with Terminal(folder, 'sim', '--model', str(bundle), *words) as terminal:
        wait_until(lambda: terminal.running() and 'recorder' in hearing(), SECONDS, topic)
        # Labels from before the recorder was there are not in its bag.
        enough = len(heard) + 4
        wait_until(lambda: terminal.running() and len(heard) >= enough, SECONDS, topic)
        code = terminal.end(way)

    assert code == 0
    (recorded,) = sorted(p for p in folder.glob('bags/*') if p.is_dir())
    assert recorded.name.startswith('mine')
    assert {p.suffix for p in recorded.iterdir()} == {'.mcap', '.yaml'}
    recording = open_recording(recorded)
    assert not recording.truncated
    prefix = f'/{namespace}' if namespace else ''
    names = {name.removeprefix(prefix) for name in recording.topics}
    assert {'/action_label', '/label_set', '/ft_sensor/wrench'} <= names
    # The segmenter ends before the recorder: its last label is in the recording.
    track = read_label_track(recorded, f'{prefix}/action_label')
    assert stamp(heard[-1]) in track.stamps


def test_replay_is_labelled_and_ends_with_the_recording(
    bundle: Path, episode: Path, folder: Path, peer: Node
) -> None:
    heard = listen(peer, ActionLabel, 'action_label')
    words = ['--rate', '2', '--params-file', 'params.yaml', '--topics', 'topics.yaml']
    words += ['--model', str(bundle), '--wait', '30']
    with Terminal(folder, 'replay', str(episode), *words) as terminal:
        assert terminal.child.wait(SECONDS) == 0
    shown = terminal.output.decode()
    print(shown)  # where it fails
    assert 'player ended; ending the others' in ' '.join(shown.split())
    assert len(heard) > 3
    # A replay has the time of the recording, wherever the clock of this machine stands.
    recorded = open_recording(episode)
    assert all(recorded.start <= stamp(label) <= recorded.end + 10**9 for label in heard)


def test_a_node_that_fails_ends_the_others_and_their_recording(bundle: Path, folder: Path) -> None:
    (folder / 'wrong.yaml').write_text('/**/visualizer: {ros__parameters: {rate: slow}}\n')
    with Terminal(folder, 'live', '--model', str(bundle), '--params-file', 'wrong.yaml') as live:
        assert live.child.wait(SECONDS) == 2
    shown = ' '.join(live.output.decode().split())
    assert 'visualizer | error: /visualizer: parameter rate' in shown
    assert 'visualizer ended with exit code 2; ending the others' in shown
    assert 'Traceback' not in shown
    assert not list(folder.glob('bags/*.partial'))


def stamp(label: ActionLabel) -> int:
    return int(label.header.stamp.sec * 10**9 + label.header.stamp.nanosec)
