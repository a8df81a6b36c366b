# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 live`, `replay` and `sim` start what the launch files start, argument by argument."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from m2r2_ros.cli import launching
from m2r2_ros.cli.commands import COMMANDS
from m2r2_ros.cli.lazy import Imported
from m2r2_ros.nodes.launch.process import Process
from test.cli.run import done, m2r2
from test.nodes.launch_xml import ROOT, declared, processes, read

#: The launch file of each command.
FILES = {'live': 'live', 'replay': 'replay', 'sim': 'simulated'}
CELL = str(ROOT / 'models' / 'cell')
#: A value of each argument that is not its default.
OTHER = {
    'bag': '', 'model': '', 'topics': 'topics.yaml', 'params_file': 'params.yaml',
    'device': 'cpu', 'namespace': 'left', 'use_sim_time': 'true', 'log_level': 'debug',
    'respawn': 'true', 'record': 'false', 'bag_path': 'elsewhere', 'viewers': 'false',
    'foxglove': 'true', 'rviz': 'true', 'rate': '0.5', 'wait': '3.0', 'loop': 'true', 'seed': '7',
    'cameras': 'false',
}  # fmt: skip
SWITCHES = {'true', 'false'}


def path_of(command: str) -> Path:
    return ROOT / 'launch' / f'{FILES[command]}.launch.xml'


CASES = [(c, name) for c in FILES for name in ('', *declared(read(path_of(c))))]


def words(given: dict[str, str]) -> list[str]:
    """Return arguments of a launch file as options of a command."""
    found = []
    for name, value in given.items():
        option = name.replace('_', '-')
        if name == 'bag':
            found.append(value)
        elif value in SWITCHES:
            found.append(f'--{option}' if value == 'true' else f'--no-{option}')
        else:
            found += [f'--{option}', value]
    return found


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """What commands would start."""
    found: list[Process] = []
    monkeypatch.setattr(launching, 'launch', found.extend)
    return found


@pytest.mark.parametrize('command, argument', CASES)
def test_commands_start_what_launch_files_start(
    command: str,
    argument: str,
    started: list[Process],
    robots: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path('topics.yaml').write_text('wrench: /elsewhere\n')
    Path('params.yaml').write_text((ROOT / 'config' / 'nodes.yaml').read_text())
    arguments = declared(read(path_of(command)))
    needed = {'bag': str(robots / 'first'), 'model': CELL}
    given = {name: needed[name] for name, default in arguments.items() if default is None}
    if argument:
        given[argument] = OTHER[argument] or needed[argument]
    done(command, *words(given))
    assert started == list(processes(path_of(command), given))


@pytest.mark.parametrize('command', FILES)
def test_options_are_the_arguments_of_the_launch_file(command: str) -> None:
    options = {p.name: p for p in Imported(COMMANDS)[command].params if p.name != 'help'}
    arguments = declared(read(path_of(command)))
    assert options.keys() == arguments.keys()
    assert {n for n, p in options.items() if p.required} == {
        name for name, default in arguments.items() if default is None
    }
    assert all(getattr(p, 'help', 'x') for p in options.values())


def wrong(tmp_path: Path, recording: Path) -> Sequence[tuple[tuple[Any, ...], str]]:
    none, bad = tmp_path / 'none', tmp_path / 'topics.yaml'
    bad.write_text('wrench: [\n')
    return (
        (('live', '--model', none), str(none)),
        (('sim', '--model', none), str(none)),
        (('replay', none, '--model', CELL), str(none)),
        (('replay', recording, '--model', recording), 'bundle.yaml'),
        (('live', '--model', CELL, '--topics', bad), str(bad)),
        (('live', '--model', CELL, '--params-file', none), f'{none}: no such file'),
    )


def test_what_is_wrong_is_told_before_anything_starts(
    robots: Path, tmp_path: Path, started: list[Process]
) -> None:
    for arguments, told in wrong(tmp_path, robots / 'first'):
        assert told in m2r2(*arguments).error
    assert not started


@pytest.mark.parametrize('missing', ['rclpy', 'm2r2_ros.msg'])
def test_without_ros_it_is_said_what_to_install(missing: str, tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
sys.argv = ['m2r2', 'live', '--model', {CELL!r}]
from m2r2_ros.cli.main import main
main()
"""
    run = subprocess.run(
        [sys.executable, '-c', code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert 'Traceback' not in run.stderr
    assert missing in run.stderr
    assert 'make build' in run.stderr
    assert not list(tmp_path.iterdir())


def test_viewers_that_are_not_installed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('rclpy', reason='this machine has no ROS 2')
    monkeypatch.setenv('AMENT_PREFIX_PATH', '')
    assert 'rviz2 is not installed' in m2r2('live', '--model', CELL, '--rviz').error
