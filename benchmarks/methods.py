# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Methods that need no labels, scored on the simulated cell and on real trials.

Each is calibrated on recordings without a look at labels, once more tuned by their truth, and
scored on others: seeds of the cell, and two of three real trials. With --cameras also methods that
look at images, on shorter recordings of the cell. What is in the work folder already is used again.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks._snap import import_bags

#: Methods that need no camera, and those that do.
SENSED: Final = ('events', 'bocpd', 'awe', 'abd', 'otas', 'primitives', 'laps_motion')
SEEN: Final = ('events', 'optical_flow', 'laps')


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path, help='folder with hiro_snap_assembly; may be missing')
    parser.add_argument('--work', type=Path, default=Path('out/methods'), help='work folder')
    parser.add_argument('--cameras', action='store_true', help='also methods that look at images')
    options = parser.parse_args()
    train, test = options.work / 'cell_train', options.work / 'cell_test'
    simulate(train, 12, 100, '--seconds', 90, '--no-cameras')
    simulate(test, 8, 900, '--seconds', 90, '--no-cameras')
    compare('the simulated cell', [test], [train], SENSED)
    trials = options.data / 'hiro_snap_assembly'
    if trials.is_dir():
        bags = import_bags(trials, options.work)
        compare('real trials', [b for k, b in enumerate(bags) if k % 3 != 2], bags[2::3], SENSED)
    else:
        print(f'{trials} is not there: real trials are left out')
    if options.cameras:
        train, test = options.work / 'seen_train', options.work / 'seen_test'
        simulate(train, 4, 300, '--seconds', 60)
        simulate(test, 4, 950, '--seconds', 60)
        compare('the simulated cell, with cameras', [test], [train], SEEN, tune=False)


def simulate(out: Path, episodes: int, seed: int, *more: object) -> None:
    """Simulate episodes; those that are there already are kept."""
    m2r2('simulate', '--out', out, '--episodes', episodes, '--seed', seed, '--jobs', 0, *more)


def compare(
    title: str,
    test: list[Path],
    train: list[Path],
    methods: tuple[str, ...],
    *,
    tune: bool = True,
) -> None:
    """Print the table of a data set."""
    print(f'{title}: calibrated on {len(train)} paths, scored on {len(test)}', flush=True)
    chosen = [part for name in methods for part in ('--method', name)]
    given = [part for path in train for part in ('--train', path)]
    m2r2('compare', *test, *given, *chosen, *(['--tune'] if tune else []))


def m2r2(*arguments: object) -> None:
    """Run the command line as a user would."""
    command = [sys.executable, '-m', 'm2r2_ros.cli.main', *map(str, arguments)]
    subprocess.run(command, check=True)


if __name__ == '__main__':
    main()
