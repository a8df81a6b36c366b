# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Speed and memory of `m2r2 label` on recordings of 1 kHz wrench, pose, twist and gripper.

Ends with exit code 1 where labelling is slower than 100 times real time, or where the longest
recording takes more memory than the shortest by over a tenth.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._measure import Usage, measure
from benchmarks._recordings import random_bundle, write_recording

WANTED_SPEED = 100.0
WANTED_GROWTH = 1.1


def label(recording: Path, bundle: Path, out: Path) -> tuple[Usage, dict[str, Any]]:
    """Label a recording in a process of its own; return what that took, and the summary."""
    command = ['m2r2', 'label', str(recording), '--model', str(bundle), '--out', str(out)]
    usage = measure(command)
    return usage, json.loads((out / f'{recording.name}_summary.json').read_text())


def main() -> None:
    """Print speed and memory for each length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, nargs='+', default=[1.0, 30.0])
    minutes = sorted(parser.parse_args().minutes)
    peaks, speeds = [], []
    print('minutes  frames  x real time  with start-up  peak RSS MB  counters')
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder, 'bundle')
        random_bundle(bundle)
        for length in minutes:
            recording = Path(folder, f'minutes_{length:g}')
            write_recording(recording, length)
            usage, summary = label(recording, bundle, Path(folder, 'out'))
            whole = summary['duration_s'] / usage.wall_s
            counters = ', '.join(f'{k} {n}' for k, n in summary['counters'].items())
            print(
                f'{length:7g} {summary["frames"]:7d} {summary["speed"]:12.0f} {whole:14.0f} '
                f'{usage.peak_mb:12.0f}  {counters}'
            )
            peaks.append(usage.peak_mb)
            speeds.append(summary['speed'])
    growth = peaks[-1] / peaks[0]
    print(f'least speed {min(speeds):.0f} (at least {WANTED_SPEED:.0f} wanted)')
    print(f'memory grows by {growth:.2f} (at most {WANTED_GROWTH:.2f} wanted)')
    sys.exit(min(speeds) < WANTED_SPEED or growth > WANTED_GROWTH)


if __name__ == '__main__':
    main()
