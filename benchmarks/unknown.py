# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a model says so when it does not know: real trials, changed and of other robots.

Trains on every other trial of the snap assembly and labels the rest as they are, with changes that
leave the labels right (the fixture aside, a weaker press, an abort), with changes that no label
should survive (other units, swapped axes, a broken sensor), and recordings of other robots. For
each it prints how many frames are unknown, how right the withheld labels would have been, and how
well the score tells the frames from unchanged ones (AUROC, in percent).

    python benchmarks/unknown.py DATA [--others BAG ...] [--bundle DIR] [--keep DIR]
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks._snap import find_trials, import_bags, m2r2
from benchmarks._unknown import Change, Found, Values, label, separation
from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.labels import label_at
from m2r2_ros.network.bundle import Bundle, load_bundle


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path, help='folder that holds hiro_snap_assembly')
    parser.add_argument('--others', type=Path, nargs='*', default=[], help='other recordings')
    parser.add_argument('--bundle', type=Path, help='use it on all trials that it did not learn')
    parser.add_argument('--keep', type=Path, help='folder for bags and the bundle')
    options = parser.parse_args()
    source = find_trials(options.data)
    with tempfile.TemporaryDirectory() as temporary:
        work = options.keep or Path(temporary)
        trials = import_bags(source, work)
        path = options.bundle or train(trials[::2], work / 'bundle')
        bundle = load_bundle(path)
        trained = {t for t in trials if t.name in bundle.training['recordings']}
        report(bundle, path, [t for t in trials if t not in trained], options.others)


def train(bags: list[Path], bundle: Path) -> Path:
    """Train as the command does by default."""
    if not bundle.exists():
        m2r2('train', *bags, '--preset', 'proprio', '--out', bundle)
    return bundle


def changes(scales: dict[str, NDArray[np.float64]]) -> Iterator[tuple[str, Change | None]]:
    """Yield what is done to the trials; None twice where the next are no longer familiar."""

    def add(sensor: str, axis: int | slice, amount: float) -> Change:
        def change(v: dict[str, Values]) -> None:
            v[sensor][..., axis] += amount

        return change

    def times(sensor: str, axes: slice, factor: float) -> Change:
        def change(v: dict[str, Values]) -> None:
            v[sensor][..., axes] *= factor

        return change

    def order(sensor: str, axes: list[int]) -> Change:
        def change(v: dict[str, Values]) -> None:
            v[sensor][..., : len(axes)] = v[sensor][..., axes]

        return change

    def abort(v: dict[str, Values]) -> None:
        half = len(v['pose']) // 2
        for name, values in v.items():
            values[half:] = 0 if name == 'twist' else values[half]

    def noise(v: dict[str, Values]) -> None:
        rng = np.random.default_rng(0)
        v['wrench'] += (scales['wrench'] * rng.standard_normal(v['wrench'].shape)).astype('f4')

    def bias(v: dict[str, Values]) -> None:
        v['wrench'] += (4 * scales['wrench']).astype(np.float32)

    everything = slice(None)
    yield 'as they are', lambda v: None
    yield 'arm 3 mm aside (x)', add('pose', 0, 0.003)
    yield 'arm 5 mm aside (y)', add('pose', 1, 0.005)
    yield 'arm 10 mm aside (y)', add('pose', 1, 0.01)
    yield 'press 0.7 times', times('wrench', everything, 0.7)
    yield 'press 0.5 times', times('wrench', everything, 0.5)
    yield 'stopped half way', abort
    yield '', None
    yield 'arm 5 cm aside (y)', add('pose', 1, 0.05)
    yield 'arm 20 cm aside (x)', add('pose', 0, 0.2)
    yield 'pose in mm', times('pose', slice(0, 3), 1000)
    yield 'wrench in mN', times('wrench', everything, 1000)
    yield 'wrench in kgf', times('wrench', everything, 1 / 9.81)
    yield 'wrench all zero', times('wrench', everything, 0)
    yield 'wrench 4 standard deviations off', bias
    yield 'wrench with noise of 1 standard deviation', noise
    yield 'force axes z x y', order('wrench', [2, 0, 1])
    yield 'position axes y x z', order('pose', [1, 0, 2])


def report(bundle: Bundle, path: Path, trials: list[Path], others: list[Path]) -> None:
    """Print one row a change and one for each other recording."""
    table = Table('recordings', 'right, %', 'confidence', 'unknown, %', 'AUROC', 'warnings')
    truths = {t: read_truth(t).segments for t in trials}
    usual = np.zeros(0)
    for name, change in changes(dict(bundle.normalisation.std)):
        if change is None:
            table.add_section()
            continue
        found = [label(bundle, path, trial, change) for trial in trials]
        right = [
            a == b
            for trial, f in zip(trials, found, strict=True)
            for a, b in zip(f.labels, label_at(truths[trial], f.stamps), strict=True)
        ]
        scores = np.concatenate([f.scores for f in found])
        usual = usual if len(usual) else scores
        table.add_row(name, f'{100 * np.mean(right):.1f}', *cells(found, scores, usual))
    table.add_section()
    for bag in others:
        try:
            found = [label(bundle, path, bag)]
        except BagError as error:
            table.add_row(bag.name, '-', '-', '-', '-', str(error).partition(';')[0])
            continue
        table.add_row(bag.name, '-', *cells(found, found[0].scores, usual))
    Console(width=140).print(table)


def cells(
    found: list[Found], scores: NDArray[np.float64], usual: NDArray[np.float64]
) -> tuple[str, ...]:
    """Return the cells behind the accuracy."""
    warnings = sorted({w.partition(' is ')[0] for f in found for w in f.warnings})
    return (
        f'{np.mean(np.concatenate([f.confidences for f in found])):.2f}',
        f'{100 * np.mean(np.concatenate([f.unknown for f in found])):.1f}',
        f'{100 * separation(scores, usual):.1f}',
        '; '.join(warnings),
    )


if __name__ == '__main__':
    main()
