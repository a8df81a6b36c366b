# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The package installed with pip, from a wheel and from a source archive."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip('setuptools', reason='building packages needs setuptools')

ASK = """
from importlib.metadata import version
from m2r2_ros.core import share
print(share.__file__, version('m2r2_ros'), share.share_path('package.xml').parent, sep='\\n')
"""


def build(command: str, source: Path) -> Path:
    """Build one archive with setuptools, offline, and return its path."""
    subprocess.run([sys.executable, 'setup.py', '--quiet', command], cwd=source, check=True)
    (archive,) = (source / 'dist').iterdir()
    return archive


@pytest.mark.parametrize('command', ['bdist_wheel', 'sdist'])
def test_installation_brings_its_shared_files(
    command: str, tmp_path: Path, copy_package: Callable[[Path], Path]
) -> None:
    source = copy_package(tmp_path / 'source')
    archive = build(command, source)
    venv.create(tmp_path / 'env', symlinks=True)
    python = tmp_path / 'env' / 'bin' / 'python'
    if command == 'sdist':
        shutil.unpack_archive(archive, tmp_path)
        archive = build('bdist_wheel', tmp_path / archive.name.removesuffix('.tar.gz'))
    pip = [sys.executable, '-m', 'pip', '--python', str(python), 'install', '--no-deps']
    # Without PYTHONPATH, and with -I: what this test run can import must not help.
    alone = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
    subprocess.run([*pip, '--no-index', '--quiet', str(archive)], env=alone, check=True)

    answer = subprocess.run([python, '-I', '-c', ASK], check=True, capture_output=True, text=True)
    module, version, folder = answer.stdout.split()
    shared = Path(folder)
    assert Path(module).is_relative_to(tmp_path / 'env')
    assert version == '0.1.0'
    assert shared == tmp_path / 'env' / 'share' / 'm2r2_ros'
    wanted = [
        p for top in ('msg', 'srv', 'config', 'launch', 'models') for p in (source / top).rglob('*')
    ]
    gone = [p for p in wanted if p.is_file() and not (shared / p.relative_to(source)).is_file()]
    assert not gone
    assert (tmp_path / 'env' / 'bin' / 'm2r2').exists()
