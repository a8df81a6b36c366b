# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real recordings: 30 trials of snap assembly, of which 9 have no frame of one of the labels.

Imports the trials with `m2r2 import table`, trains with `m2r2 train` on some of them and labels the
others frame by frame, strictly online. What is tested differs from what was trained on: another
kind of trial, few trials to learn from, a single one, an arm that stands aside. Beside each score
are those of baselines on the same trials: the time since the recording began, and gradient-boosted
trees on statistics of the same windows, with poses as they are and relative to the first one.

    make bench-real DATA=folder        # the folder with hiro_snap_assembly in it
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks._snap import (
    Trial,
    find_trials,
    import_trials,
    m2r2,
    predict,
    relative_features,
    time_features,
    window_features,
)
from m2r2_ros.core.labels import UNKNOWN, FrameLabel
from m2r2_ros.evaluation.score import score
from m2r2_ros.evaluation.sequence import ScoredSequence
from m2r2_ros.network.bundle import load_bundle
from m2r2_ros.training.segmenter import segmenter_of

COLUMNS = {
    'accuracy': 'accuracy', 'labelled': 'coverage', 'edit': 'edit', 'F1@50': 'f1@50',
    'delay s': 'boundary_delay_median_s', 'missed': 'boundaries_missed',
}  # fmt: skip
#: Where the arm stands in the test, x and y, m.
PLACES = {
    '': (0.0, 0.0),
    ', 5 mm aside': (0.0, 0.005),
    ', 10 mm aside': (0.0, 0.010),
    ', 5 mm in x': (0.005, 0.0),
}
BASELINES = {
    'time since the start': time_features,
    'trees': window_features,
    'trees on relative poses': relative_features,
}


@dataclass(frozen=True, slots=True)
class Split:
    """Trials to train on, by what they are called, and trials to test on."""

    trained: str
    title: str
    train: list[Trial]
    test: list[Trial]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path, help='folder that holds hiro_snap_assembly')
    parser.add_argument('--seeds', type=int, default=3, help='trainings of each split')
    parser.add_argument('--only', nargs='*', default=[], help='numbers of splits, from 1')
    parser.add_argument('--keep', type=Path, help='folder for bags and bundles')
    options = parser.parse_args()
    source = find_trials(options.data)
    with tempfile.TemporaryDirectory() as temporary:
        work = options.keep or Path(temporary)
        for number, split in enumerate(splits(import_trials(source, work)), 1):
            if not options.only or str(number) in options.only:
                report(split, work / split.trained, options.seeds)


def splits(trials: Sequence[Trial]) -> list[Split]:
    """Return what is trained on and what is tested."""
    turning = [t for t in trials if t.rotates]
    direct = [t for t in trials if not t.rotates]
    mixed = [t for k, t in enumerate(trials) if k % 3]
    others = [t for k, t in enumerate(trials) if k % 3 == 0]
    return [
        Split(
            'mixed',
            'a mixture; trials without rotation',
            mixed,
            [t for t in others if not t.rotates],
        ),
        Split('mixed', 'a mixture; trials with rotation', mixed, [t for t in others if t.rotates]),
        Split('turning', 'only trials with rotation; those without', turning, direct),
        Split(
            'ten', 'ten mixed trials; others without rotation', turning[:7] + direct[:3], direct[3:]
        ),
        Split('three', 'three trials without rotation; the others', direct[:3], direct[3:]),
        Split('one_turning', 'one trial with rotation; the others', turning[4:5], turning[5:]),
        Split('one_direct', 'one trial without rotation; the others', direct[:1], direct[1:]),
    ]


def report(split: Split, work: Path, seeds: int) -> None:
    """Print a row for each method, seed and place of the arm."""
    title = f'{len(split.train)} to train on, {len(split.test)} to test: {split.title}'
    table = Table('method', *COLUMNS, title=title)
    for name, features in BASELINES.items():
        for place, by in PLACES.items():
            if name != 'time since the start' or not place:
                moved = [t.aside(*by) for t in split.test]
                add(table, name + place, predict(split.train, moved, features))
    for seed in range(seeds):
        bundle = work / f'bundle_{seed}'
        if not bundle.exists():
            work.mkdir(parents=True, exist_ok=True)
            bags = [t.bag for t in split.train]
            m2r2('train', *bags, '--preset', 'proprio', '--out', bundle, '--seed', seed)
        for place, by in PLACES.items():
            moved = [t.aside(*by) for t in split.test]
            add(table, f'm2r2, seed {seed}{place}', label(bundle, moved, live=True))
        add(table, f'm2r2 offline, seed {seed}', label(bundle, split.test, live=False))
    Console(width=120).print(table)


def label(bundle: Path, trials: Sequence[Trial], *, live: bool) -> list[ScoredSequence]:
    """Label trials as a live robot would, or with all of them in view."""
    segmenter = segmenter_of(load_bundle(bundle), live=live)
    found = []
    for trial in trials:
        labels: list[FrameLabel] = segmenter.segment(trial.windows)
        assert not live or all(x.revision_lag == 0 for x in labels)
        names = ['' if x.label_id == UNKNOWN else x.label for x in labels]
        found.append(ScoredSequence(trial.name, trial.windows.stamps, names, trial.truth))
    return found


def add(table: Table, method: str, sequences: Sequence[ScoredSequence]) -> None:
    """Add the row of a method."""
    values = score(sequences).to_dict()
    table.add_row(method, *(_cell(key, values[key]) for key in COLUMNS.values()))


def _cell(key: str, value: object) -> str:
    if value is None:
        return '-'
    if key == 'accuracy':
        return f'{value:.4f}'
    return f'{value:.2f}' if isinstance(value, float) else str(value)


if __name__ == '__main__':
    main()
