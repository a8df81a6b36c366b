# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes requirements/lock.txt: one exact version of everything that the project installs.

Each ROS distribution is resolved on its own, for all Python versions at once, since their wheels
share names: `ros-jazzy-rclpy` and `ros-kilted-rclpy` each demand a `ros-rclpy` of their own. What a
`ros-<distribution>-NAME` demands exactly is left out, which makes both resolutions one file.
Needs uv on the path; `make lock` brings it.
"""

import re
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / 'requirements'
LOCK = REQUIREMENTS / 'lock.txt'
DISTRIBUTIONS = ('jazzy', 'kilted')
OLDEST_PYTHON = '3.10'
HEADER = """\
# Exact versions for Python 3.10 to 3.14 and every ROS distribution, as constraints:
# pip install -c requirements/lock.txt -r requirements/runtime.txt
# Written by `make lock`; do not edit.
"""


def resolve(distribution: str) -> dict[str, set[str]]:
    """Return the pinned lines of each package, for one ROS distribution and all Pythons."""
    common = {p for p in REQUIREMENTS.glob('*.txt') if not p.stem.startswith('ros-')} - {LOCK}
    files = sorted(common | {REQUIREMENTS / f'ros-{distribution}.txt'})
    command = ['uv', 'pip', 'compile', '--quiet', '--universal', '--no-header', '--no-annotate']
    done = subprocess.run(
        [*command, '--python-version', OLDEST_PYTHON, *files],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    pins: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        pins.setdefault(line.split('==')[0], set()).add(line)
    return pins


def without_implied(pins: dict[str, set[str]], distribution: str) -> dict[str, set[str]]:
    """Leave out each `ros-NAME` that the pinned `ros-<distribution>-NAME` demands exactly."""

    def implied(name: str) -> bool:
        wrapper = name.replace('ros-', f'ros-{distribution}-', 1)
        return name.startswith('ros-') and wrapper in pins

    return {name: lines for name, lines in pins.items() if not implied(name)}


def merge(resolutions: list[dict[str, set[str]]]) -> list[str]:
    """Return the lines of the lock file.

    Raises:
        SystemExit: Two distributions need different versions of a package.
    """
    merged: dict[str, set[str]] = {}
    for pins in resolutions:
        for name, lines in pins.items():
            if merged.setdefault(name, lines) != lines:
                wrapper = re.sub('^ros-', 'ros-<distribution>-', name)
                sys.exit(
                    f'{name}: {sorted(merged[name])} and {sorted(lines)}; '
                    f'name {wrapper} in requirements/ros-<distribution>.txt'
                )
    return [line for name in sorted(merged) for line in sorted(merged[name])]


def main() -> None:
    """Resolve everything anew, to the newest versions that requirements/ allows."""
    lines = merge([without_implied(resolve(name), name) for name in DISTRIBUTIONS])
    LOCK.write_text(HEADER + ''.join(f'{line}\n' for line in lines), encoding='utf-8')


if __name__ == '__main__':
    main()
