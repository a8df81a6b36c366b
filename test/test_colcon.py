# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The package in an ordinary colcon workspace: built, sourced and used."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which('colcon') is None, reason='this machine has no colcon')

Copy = Callable[[Path], Path]

INDEX = 'share/ament_index/resource_index/packages/m2r2_ros'
USE = """
import m2r2_ros.core.share
from m2r2_ros import core
from m2r2_ros.msg import ActionLabel
label = ActionLabel(label='insert')
print(core.__file__, core.share.share_path('msg', 'ActionLabel.msg'), label.label, sep='\\n')
"""

#: What the workspace's package has for tests: one of a file, which passes, and one of a room.
TESTS = {
    'test_messages.py': """
from m2r2_ros.msg import ActionLabel

def test_messages_are_installed():
    assert ActionLabel().label == ''
""",
    'room/test_wrong.py': 'def test_wrong(): assert 1 == 2',
}


def holds_this_package(folder: str) -> bool:
    """Return whether a search path leads to this checkout or to an earlier build of it."""
    path = Path(folder)
    return (path / INDEX).exists() or (path.parent / INDEX).exists() or (path / 'm2r2_ros').exists()


def fresh_environment() -> dict[str, str]:
    """Return the variables of a shell that has sourced ROS and no workspace."""
    environment = dict(os.environ)
    for name in ('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH', 'LD_LIBRARY_PATH', 'PATH', 'PYTHONPATH'):
        kept = [f for f in environment.get(name, '').split(':') if f and not holds_this_package(f)]
        environment[name] = ':'.join(kept)
    environment.pop('COLCON_PREFIX_PATH', None)
    return environment


def run(command: str, cwd: Path, code: int = 0) -> list[str]:
    """Run a line of bash, which has to end with `code`, and return the lines that it printed."""
    done = subprocess.run(
        ['bash', '-c', command],
        cwd=cwd,
        env=fresh_environment(),
        capture_output=True,
        text=True,
        check=False,  # so that a failure shows what was printed
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope='module')
def workspace(tmp_path_factory: pytest.TempPathFactory, copy_package: Copy) -> Path:
    """A built workspace with this package, whose tests are two small ones."""
    folder = tmp_path_factory.mktemp('workspace')
    source = copy_package(folder / 'src' / 'm2r2_ros')
    for name, text in TESTS.items():
        path = source / 'test' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run('colcon build', folder)
    return folder


@pytest.mark.parametrize('option', ['', '--symlink-install'])
def test_workspace_offers_modules_messages_and_command(option: str, workspace: Path) -> None:
    installed = f'install{option}'
    if option:  # In the same build folder, so that the messages are compiled once ...
        shutil.rmtree(workspace / 'build' / 'm2r2_ros' / 'ament_cmake_python')  # ... but for these.
        run(f'colcon build {option} --install-base {installed}', workspace)

    source, install = workspace / 'src' / 'm2r2_ros', workspace / installed / 'm2r2_ros'
    setup = f'. {installed}/setup.bash'
    module, message, label = run(f'{setup}; python3 -c "{USE}"', workspace)
    assert Path(module).is_relative_to(install)
    assert Path(message).is_file()
    assert label == 'insert'
    assert (install / 'lib' / 'm2r2_ros' / 'm2r2').exists()
    for folder in ('msg', 'srv', 'config', 'launch', 'models'):
        shipped = {p.relative_to(source) for p in (source / folder).rglob('*') if p.is_file()}
        assert all((install / 'share' / 'm2r2_ros' / path).is_file() for path in shipped)
    found, *usage = run(f'{setup}; command -v m2r2; m2r2 --help', workspace)
    assert Path(found) == install / 'bin' / 'm2r2'
    assert any('Usage' in line for line in usage)


def test_colcon_test_runs_the_tests_and_fails_with_them(workspace: Path) -> None:
    test = 'colcon test --return-code-on-test-failure --event-handlers console_direct+'

    passed = run(f'{test} --ctest-args -R test_messages', workspace)
    assert any('1 passed' in line for line in passed)

    failed = run(f'{test} --ctest-args -R room', workspace, code=1)
    assert any('assert 1 == 2' in line for line in failed)
