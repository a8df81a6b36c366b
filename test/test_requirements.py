# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the package runs on: for pip, for rosdep, and in exact versions that this machine has."""

import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from xml.etree import ElementTree

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / 'requirements'

#: The key under which rosdep knows each package of requirements/runtime.txt, if it knows it:
#: https://github.com/ros/rosdistro/blob/master/rosdep/python.yaml. Keys that end in -pip are those
#: that only pip can resolve.
ROSDEP_KEYS = {
    'lz4': None,
    'matplotlib': 'python3-matplotlib',
    'mcap': None,
    'numpy': 'python3-numpy',
    'onnxruntime': 'python3-onnxruntime-pip',
    'opencv-python-headless': 'python3-opencv',
    'pyyaml': 'python3-yaml',
    'rich': 'python3-rich',
    'rosbags': 'python3-rosbags-pip',
    'safetensors': None,
    'typer': 'python3-typer',
    'zstandard': None,
}


def read(name: str) -> list[Requirement]:
    lines = (FOLDER / f'{name}.txt').read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith('#')]


LOCKED = read('lock')


def test_each_version_is_exact() -> None:
    assert all(re.fullmatch(r'==[^*]+', str(pin.specifier)) for pin in LOCKED)


@pytest.mark.parametrize('python', ['3.10', '3.11', '3.12', '3.13', '3.14'])
def test_each_package_is_locked_once_for_each_python_within_its_bounds(python: str) -> None:
    machine = {
        'python_version': python,
        'python_full_version': f'{python}.0',
        'sys_platform': 'linux',
        'platform_machine': 'x86_64',
    }
    pins: dict[str, str] = {}
    for pin in LOCKED:
        if pin.marker is None or pin.marker.evaluate(machine):
            name = canonicalize_name(pin.name)
            assert name not in pins
            pins[name] = str(pin.specifier).removeprefix('==')
    for path in set(FOLDER.glob('*.txt')) - {FOLDER / 'lock.txt'}:
        for wanted in read(path.stem):
            if wanted.marker is None or wanted.marker.evaluate(machine):
                assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), wanted


def was_made_with_the_lock() -> bool:
    """Return whether `make build` made this environment, and without `LOCK=`."""
    stamp = Path(sys.prefix) / '.installed'
    return stamp.exists() and stamp.read_text().strip() != 'newest'


@pytest.mark.skipif(not was_made_with_the_lock(), reason='other versions were asked for')
def test_this_environment_has_the_locked_versions() -> None:
    different = []
    for pin in LOCKED:
        if pin.marker is not None and not pin.marker.evaluate():
            continue
        try:
            found = version(pin.name)
        except PackageNotFoundError:  # Of the other ROS distribution.
            continue
        if not pin.specifier.contains(found, prereleases=True):
            different.append(f'{pin}, not {found}')
    assert not different


def package_dependencies(tag: str) -> set[str]:
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    return {str(element.text) for element in package.iter(tag)}


def test_package_xml_names_what_rosdep_knows_of_the_requirements() -> None:
    assert {wanted.name for wanted in read('runtime')} == ROSDEP_KEYS.keys()
    named = {key for key in package_dependencies('exec_depend') if key.startswith('python3-')}
    assert named == {key for key in ROSDEP_KEYS.values() if key}


def test_rosdep_leaves_to_pip_what_pip_installs() -> None:
    """Rosdep would have pip install into the system, which Ubuntu 24.04 refuses."""
    (skipped,) = re.findall(r"--skip-keys '([^']+)'", (ROOT / 'README.md').read_text())
    assert skipped.split() == sorted(key for key in ROSDEP_KEYS.values() if key and '-pip' in key)
