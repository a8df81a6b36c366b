# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Seconds and memory of commands from their start to their end, beside those of importing torch.

Each runs several times in processes of its own, of which the fastest counts. Ends with exit code 1
where the help or the list of models takes half a second of processor time or more, or labelling a
recording is slower than 60 times real time, the start of the program included.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks._measure import Usage, measure
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.share import share_path

WANTED_START_S = 0.5
WANTED_SPEED = 60.0


def fastest(command: list[str], times: int) -> Usage:
    """Run a command several times; return what the fastest run took."""
    return min((measure(command) for _ in range(times)), key=lambda usage: usage.wall_s)


def simulate(folder: Path, seconds: float) -> Path:
    """Record the simulated cell without cameras, with all other sensors as they are by default."""
    options = ['--no-cameras', '--seconds', f'{seconds:g}', '--out', str(folder)]
    measure(['m2r2', 'simulate', *options])
    return next(path.parent for path in folder.glob('*/metadata.yaml'))


def row(name: str, usage: Usage, speed: float = 0.0) -> None:
    """Print what a command took; with how many times faster than real time it was."""
    line = f'{name:16} {usage.wall_s:7.2f} {usage.cpu_s:7.2f} {usage.peak_mb:8.0f}'
    print(f'{line}  {speed:6.1f} x real time' if speed else line)


def main() -> None:
    """Print wall seconds, processor seconds and peak memory of each command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=60.0, help='length of the recording')
    parser.add_argument('--times', type=int, default=3, help='runs of each command')
    parser.add_argument('--model', type=Path, default=share_path('models', 'cell'))
    args = parser.parse_args()
    print('command           wall s   CPU s  peak MB')
    with tempfile.TemporaryDirectory() as folder:
        recording = simulate(Path(folder, 'recordings'), args.seconds)
        found = open_recording(recording)
        seconds = (found.end - found.start) * 1e-9
        out = ['--out', str(Path(folder, 'labels')), '--overwrite']
        label = ['label', str(recording), '--model', str(args.model), *out]
        row('import torch', fastest([sys.executable, '-c', 'import torch'], args.times))
        started = {}
        for name in ('--help', 'models'):
            started[name] = fastest(['m2r2', name], args.times)
            row(f'm2r2 {name}', started[name])
        inspected = fastest(['m2r2', 'inspect', str(recording)], args.times)
        row('m2r2 inspect', inspected, seconds / inspected.wall_s)
        labelled = fastest(['m2r2', *label], args.times)
        speed = seconds / labelled.wall_s
        row('m2r2 label', labelled, speed)
    slowest = max(usage.cpu_s for usage in started.values())
    print(f'processor time of a start {slowest:.2f} s (under {WANTED_START_S} s wanted)')
    print(f'label {seconds:.0f} s {speed:.0f} x real time (at least {WANTED_SPEED:.0f} wanted)')
    sys.exit(slowest >= WANTED_START_S or speed < WANTED_SPEED)


if __name__ == '__main__':
    main()
