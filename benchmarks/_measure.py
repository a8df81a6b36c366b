# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run a command and print its seconds and its peak of resident memory as JSON.

A small process of its own does that, because Linux counts the memory that the parent had at the
time of the fork as the child's.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command took: wall and processor seconds, and its peak of resident memory in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(command: list[str]) -> Usage:
    """Run a command to its end; its standard output is thrown away.

    Raises:
        SystemExit: The command failed.
    """
    helper = [sys.executable, str(Path(__file__).resolve()), *command]
    done = subprocess.run(helper, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f'{" ".join(command)} ended with exit code {done.returncode}')
    return Usage(**json.loads(done.stdout))


def main() -> None:
    """Run the command given as arguments."""
    began = perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = perf_counter() - began
    cpu = usage.ru_utime + usage.ru_stime
    print(json.dumps({'wall_s': wall, 'cpu_s': cpu, 'peak_mb': usage.ru_maxrss / 1e3}))
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == '__main__':
    main()
