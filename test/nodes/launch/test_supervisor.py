# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes together: what they write, in which order they end, and with which exit code."""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.nodes.launch import supervisor
from m2r2_ros.nodes.launch.process import Process
from m2r2_ros.nodes.launch.supervisor import Supervisor

#: Says that it is there, and ends when it is told to.
WAITS = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print('ready', flush=True)
signal.sigwait({signal.SIGTERM})
print('told', flush=True)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
time.sleep(60)
"""


@dataclass(frozen=True)
class Script(Process):
    """A process that is a few lines of Python."""

    code: str = WAITS
    package: str = field(default='m2r2_ros')

    @property
    def command(self) -> list[str]:
        return [sys.executable, '-c', self.code]


class Sleep(Process):
    """A process that is done after so many seconds, and starts at once."""

    @property
    def command(self) -> list[str]:
        return ['sleep', *self.options]


class Shown(list[str]):
    """The lines that were shown; does something once one of them has come so often."""

    def __init__(
        self, line: str = '', times: int = 1, act: Callable[[], Any] = lambda: None
    ) -> None:
        super().__init__()
        self._line, self._times, self._act = line, times, act

    def __call__(self, line: str) -> None:
        name, _, text = line.partition(' | ')
        self.append(f'{name.strip()}: {text}')
        if self._line and self._line in text:
            self._times -= 1
            if self._times == 0:
                self._act()


def interrupt(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


def run(shown: Shown, *processes: Process) -> int:
    return Supervisor(processes, shown).run()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_all_end_in_order_and_the_recorder_last(number: int) -> None:
    names = ('recorder', 'visualizer', 'segmenter', 'player')
    shown = Shown('ready', len(names), lambda: interrupt(number))
    assert run(shown, *map(Script, names)) == 0
    told = [line.split(':')[0] for line in shown if line.endswith('told')]
    assert told == ['player', 'segmenter', 'visualizer', 'recorder']


def test_handlers_of_signals_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    run(Shown('ready', 1, interrupt), Script('one'))
    assert signal.getsignal(signal.SIGINT) is before


def test_what_they_write_comes_with_their_names() -> None:
    code = "import sys; print('out\\x1b[2J'); print('err', file=sys.stderr); print('end', end='')"
    shown = Shown()
    run(shown, Script('one', code=code, essential=True))
    assert {'one: out\\x1b[2J', 'one: err', 'one: end'} < {*shown}


@pytest.mark.skipif(sys.version_info < (3, 11), reason='this Python cannot do without')
def test_nothing_is_imported_from_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'queue.py').write_text('raise SystemExit(5)')
    monkeypatch.chdir(tmp_path)
    assert run(Shown(), Script('one', code='import queue', essential=True)) == 0


@pytest.mark.parametrize(
    'code, expected', [('exit(3)', 3), ('import os; os.kill(os.getpid(), 9)', 137)]
)
def test_one_that_fails_ends_the_others(code: str, expected: int) -> None:
    shown = Shown()
    assert run(shown, Script('one'), Script('two', code=code)) == expected
    assert f'm2r2: two ended with exit code {expected}; ending the others' in shown


def test_one_that_is_essential_ends_the_others_when_it_is_done() -> None:
    shown = Shown()
    assert run(shown, Script('one'), Script('player', code='', essential=True)) == 0
    assert 'm2r2: player ended; ending the others' in shown


def test_one_that_is_told_while_it_is_started_has_not_failed() -> None:
    for milliseconds in range(0, 40, 2):  # until a Python has started
        player = Sleep('player', essential=True, options=(f'{milliseconds / 1000}',))
        assert run(Shown(), Script('one'), player) == 0


@pytest.mark.parametrize(
    'other', [Script('two', code=''), Script('rviz2', package='rviz2', code='exit(1)')],
    ids=['done', 'viewer'],
)  # fmt: skip
def test_others_go_on_without(other: Script) -> None:
    shown = Shown(f'{other.executable} ended', 1, interrupt)
    assert run(shown, Script('one'), other) == 0
    assert f'm2r2: {other.executable} ended' in '\n'.join(shown)
    assert 'ending the others' not in '\n'.join(shown)


def test_one_that_fails_at_the_end_is_told() -> None:
    code = f'{WAITS}\nraise SystemExit(4)'
    shown = Shown('ready', 2, interrupt)
    assert run(shown, Script('one'), Script('two', code=code)) == 4
    assert 'm2r2: two ended with exit code 4' in shown


def test_one_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, '_KILL', 0.2)
    shown = Shown('ready', 1, interrupt)
    assert run(shown, Script('one', code=DEAF, patience=0.2)) == 137
    assert 'm2r2: one does not end and is killed' in shown


def test_a_second_signal_kills_what_is_left() -> None:
    shown = Shown('ready', 2, interrupt)
    act = shown._act

    def twice(line: str) -> None:
        shown(line)
        if 'once more' in line:
            act()

    assert Supervisor([Script('one', code=DEAF), Script('two', code=DEAF)], twice).run() == 137


def test_one_that_is_to_respawn_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, '_RESPAWN', 0.05)
    shown = Shown('again', 3, interrupt)
    assert run(shown, Script('one'), Script('two', code='exit(2)', respawn=True)) == 0
    assert sum('two ended with exit code 2' in line for line in shown) >= 3


def test_nothing_starts_where_a_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/nowhere')
    with pytest.raises(ConfigError, match='rviz2 is not installed'):
        Supervisor([Script('one'), Process('rviz2', package='rviz2')], Shown())


def test_executables_of_other_packages_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / 'lib' / 'rviz2' / 'rviz2'
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nowhere:{tmp_path}')
    command = Process('rviz2', package='rviz2', options=('-d', 'x')).command
    assert command == [str(program), '-d', 'x', '--ros-args']
