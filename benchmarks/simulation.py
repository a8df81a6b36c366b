# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How fast the simulated cell is: seconds of episodes for each second that they take to make.

Whole commands are timed, with the start of the program and two episodes on all cores.
"""

import re
import subprocess
import sys
import tempfile
from typing import Final

EPISODES, SECONDS = 2, 60
#: What is asked for, and how many times real time is wanted at least.
CASES: Final = (
    ('without cameras', ('--no-cameras',), 1.0),
    ('two cameras, 224 pixels, 15 Hz', ('--image-rate', '15', '--image-size', '224'), 1.0),
)


def speed(*options: str) -> float:
    """Return how many times real time `m2r2 simulate` is, by its own account."""
    with tempfile.TemporaryDirectory() as folder:
        command = ['simulate', '--episodes', EPISODES, '--seconds', SECONDS, '--out', folder]
        done = subprocess.run(
            [sys.executable, '-m', 'm2r2_ros.cli.main', *map(str, command), *options],
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r'([0-9.]+) times real time', done.stdout)
    if done.returncode or not found or 'without cameras' in done.stderr:
        sys.exit(f'm2r2 simulate did not do what was asked for: {done.stderr[-300:]}')
    return float(found[1])


def main() -> None:
    """Print how many times real time each case is."""
    missed = False
    for name, options, wanted in CASES:
        found = speed(*options)
        missed |= found < wanted
        print(f'{name}: {found:.1f} times real time (at least {wanted:g} wanted)', flush=True)
    sys.exit(missed)


if __name__ == '__main__':
    main()
