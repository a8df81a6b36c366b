# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The package in an ordinary colcon workspace: built, sourced and used."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

INDEX = 'share/ament_index/resource_index/packages/m2r2_ros'
USE = """
import m2r2_ros.core.share
from m2r2_ros import core
from m2r2_ros.msg import ActionLabel
label = ActionLabel(label='insert')
print(core.__file__, core.share.share_path('msg', 'ActionLabel.msg'), label.label, sep='\\n')
"""


def holds_this_package(folder: str) -> bool:
    """Tell whether a search path leads to this checkout or to an earlier build of it."""
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


def run(command: str, cwd: Path) -> list[str]:
    """Run a line of bash and return the lines that it printed."""
    done = subprocess.run(
        ['bash', '-c', command],
        cwd=cwd,
        env=fresh_environment(),
        capture_output=True,
        text=True,
        check=False,  # so that a failure shows what was printed
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(shutil.which('colcon') is None, reason='this machine has no colcon')
@pytest.mark.parametrize('option', ['', '--symlink-install'])
def test_workspace_offers_modules_messages_and_command(
    option: str, tmp_path: Path, copy_package: Callable[[Path], Path]
) -> None:
    source = copy_package(tmp_path / 'src' / 'm2r2_ros')

    run(f'colcon build {option}', tmp_path)

    install = tmp_path / 'install' / 'm2r2_ros'
    module, message, label = run(f'. install/setup.bash; python3 -c "{USE}"', tmp_path)
    assert Path(module).is_relative_to(install)
    assert Path(message).is_file()
    assert label == 'insert'
    assert (install / 'lib' / 'm2r2_ros' / 'm2r2').exists()
    for folder in ('msg', 'srv', 'config', 'launch', 'models'):
        shipped = {p.relative_to(source) for p in (source / folder).rglob('*') if p.is_file()}
        assert all((install / 'share' / 'm2r2_ros' / path).is_file() for path in shipped)
    found, *usage = run('. install/setup.bash; command -v m2r2; m2r2 --help', tmp_path)
    assert Path(found) == install / 'bin' / 'm2r2'
    assert any('Usage' in line for line in usage)
