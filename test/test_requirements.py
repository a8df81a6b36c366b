# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The locked versions: complete, exact, and those that this environment has."""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

FOLDER = Path(__file__).resolve().parents[1] / 'requirements'


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
            assert pin.name not in pins
            pins[pin.name] = str(pin.specifier).removeprefix('==')
    for path in FOLDER.glob('*.txt'):
        for wanted in read(path.stem):
            assert wanted.specifier.contains(pins[wanted.name]), wanted


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
