# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real recordings: 30 trials of snap assembly, 5-fold over trials, strictly online.

Imports the trials with `m2r2 import table`, trains with `m2r2 train` on four fifths of them and
labels the rest with `m2r2 label`, fold by fold, then prints the scores of all trials beside two
baselines of the same folds: the time since the recording began, and gradient-boosted trees on
statistics of the same windows. The last two rows label the same trials with the arm's poses
shifted sideways, as if the fixture stood a little aside of where it stood in training.

    make bench-real DATA=folder        # the folder with hiro_snap_assembly in it
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier

from m2r2_ros.bags.labels.reader import read_label_track, read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.labels import Segment, label_at
from m2r2_ros.core.modalities import SENSOR_DIMS
from m2r2_ros.core.share import share_path
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.evaluation.score import Scores, score
from m2r2_ros.evaluation.sequence import ScoredSequence
from m2r2_ros.model.bundle import load_bundle
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.segmenters.learned import segmenter_of
from m2r2_ros.windows.config import WindowConfig

FOLDS = 5
Features = Callable[[FrameWindows], NDArray[np.float64]]
SPEC = share_path('config', 'import', 'hiro_snap_assembly.yaml')
#: Frames that the trees look back to, besides the one they label.
LOOK_BACK = (5, 10)
#: How far aside the shifted trials are, m.
ASIDE = 0.005


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial and what the baselines need of it."""

    name: str
    bag: Path
    windows: FrameWindows
    truth: list[Segment]

    @property
    def labels(self) -> list[str]:
        """The true label of each frame."""
        return label_at(self.truth, self.windows.stamps)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path, help='folder that holds hiro_snap_assembly')
    parser.add_argument('--epochs', type=int, help='as of m2r2 train')
    parser.add_argument('--keep', type=Path, help='folder for bags, bundles and labels')
    options = parser.parse_args()
    source = options.data / 'hiro_snap_assembly'
    if not source.is_dir():
        print(f'{source} is not there: get the data, then make bench-real DATA=folder')
        sys.exit(2)
    with tempfile.TemporaryDirectory() as temporary:
        work = options.keep or Path(temporary)
        trials = import_trials(source, work)
        reused = any(work.glob('bundle_*'))
        began = time.perf_counter()
        ours = [s for fold in range(FOLDS) for s in run_fold(trials, fold, work, options.epochs)]
        minutes = (time.perf_counter() - began) / 60
        report(
            {
                'm2r2, preset proprio, online': ours,
                'time since the start': predict_all(trials, time_features),
                'boosted trees on windows': predict_all(trials, window_features),
                'm2r2, arm 5 mm aside': [
                    s for fold in range(FOLDS) for s in run_aside(trials, fold, work)
                ],
                'trees, arm 5 mm aside': predict_all(trials, window_features, aside=True),
            },
            f'{len(trials)} trials, {FOLDS}-fold over trials'
            + ('' if reused else f'; training and labelling took {minutes:.1f} min'),
        )


def import_trials(source: Path, work: Path) -> list[Trial]:
    """Import every trial through the command line."""
    trials = []
    for folder in sorted(p for p in source.iterdir() if p.is_dir()):
        bag = work / 'bags' / folder.name
        if not bag.exists():
            m2r2('import', 'table', SPEC, '--input', folder, '--out', bag)
        windows = FrameWindows.join(
            list(WindowStream(open_recording(bag), WindowConfig(), tuple(SENSOR_DIMS)))
        )
        trials.append(Trial(folder.name, bag, windows, read_truth(bag).segments))
    return trials


def run_fold(
    trials: Sequence[Trial], fold: int, work: Path, epochs: int | None
) -> list[ScoredSequence]:
    """Train on the other folds, label this one, and return its labels."""
    train, test = split(trials, fold)
    bundle, labels = work / f'bundle_{fold}', work / f'labels_{fold}'
    if not bundle.exists():
        extra = [] if epochs is None else ['--epochs', epochs]
        m2r2('train', *(t.bag for t in train), '--preset', 'proprio', '--out', bundle, *extra)
    m2r2('label', *(t.bag for t in test), '--model', bundle, '--out', labels, '--overwrite')
    tracks = [read_label_track(labels / f'{t.name}_labels') for t in test]
    assert all((track.revision_lags == 0).all() for track in tracks)
    return [
        ScoredSequence(t.name, track.stamps, track.labels, t.truth)
        for t, track in zip(test, tracks, strict=True)
    ]


def run_aside(trials: Sequence[Trial], fold: int, work: Path) -> list[ScoredSequence]:
    """Label this fold, shifted, with the bundle of the other folds."""
    segmenter = segmenter_of(load_bundle(work / f'bundle_{fold}'))
    sequences = []
    for t in split(trials, fold)[1]:
        labels = [x.label for x in segmenter.segment(shifted(t.windows))]
        sequences.append(ScoredSequence(t.name, t.windows.stamps, labels, t.truth))
    return sequences


def shifted(windows: FrameWindows) -> FrameWindows:
    """Return the windows with y of the pose ASIDE further."""
    pose = windows.sensors['pose'].copy()
    pose[..., 1] += ASIDE
    return replace(windows, sensors={**windows.sensors, 'pose': pose})


def split(trials: Sequence[Trial], fold: int) -> tuple[list[Trial], list[Trial]]:
    """Return what to train on and what to label."""
    inside = [t for k, t in enumerate(trials) if k % FOLDS == fold]
    return [t for k, t in enumerate(trials) if k % FOLDS != fold], inside


def time_features(windows: FrameWindows) -> NDArray[np.float64]:
    """Return seconds since the recording began, (n, 1)."""
    seconds: NDArray[np.float64] = (windows.stamps - windows.stamps[0])[:, None] * 1e-9
    return seconds


def window_features(windows: FrameWindows) -> NDArray[np.float64]:
    """Return mean, deviation, first and last value of each channel, now and some frames before."""
    parts = []
    for values in windows.sensors.values():
        parts += [values.mean(1), values.std(1), values[:, 0], values[:, -1]]
    now = np.concatenate(parts, axis=1)
    rows = np.arange(len(now))
    before = [now[np.maximum(rows - k, 0)] for k in LOOK_BACK]
    features: NDArray[np.float64] = np.concatenate([now, *before], axis=1).astype(np.float64)
    return features


def predict_all(
    trials: Sequence[Trial], features: Features, *, aside: bool = False
) -> list[ScoredSequence]:
    """Train boosted trees and apply them, fold by fold, to trials as they are or shifted."""
    predicted = []
    for fold in range(FOLDS):
        train, test = split(trials, fold)
        # Without regularisation the boosting diverges once the classes are told apart.
        trees = HistGradientBoostingClassifier(l2_regularization=1.0, random_state=0)
        trees.fit(
            np.concatenate([features(t.windows) for t in train]),
            [label for t in train for label in t.labels],
        )
        predicted += [
            ScoredSequence(t.name, t.windows.stamps, list(trees.predict(features(w))), t.truth)
            for t, w in ((t, shifted(t.windows) if aside else t.windows) for t in test)
        ]
    return predicted


def report(results: dict[str, list[ScoredSequence]], title: str) -> None:
    """Print one row a method."""
    columns = {
        'accuracy': 'accuracy', 'edit': 'edit', 'F1@10': 'f1@10', 'F1@25': 'f1@25',
        'F1@50': 'f1@50', 'DR': 'dr', 'DR 1:1': 'dr_one_to_one',
        'delay s': 'boundary_delay_median_s', 'p90 s': 'boundary_delay_p90_s',
        'missed': 'boundaries_missed',
    }  # fmt: skip
    table = Table('method', *columns, title=title)
    for method, sequences in results.items():
        scores: Scores = score(sequences)
        values = scores.to_dict()
        table.add_row(method, *(_cell(key, values[key]) for key in columns.values()))
    Console(width=120).print(table)


def _cell(key: str, value: float | int | None) -> str:
    if value is None:
        return '-'
    if key == 'accuracy':
        return f'{value:.4f}'
    return str(value) if isinstance(value, int) else f'{value:.2f}'


def m2r2(*arguments: object) -> None:
    """Run the command line as a user would; its progress goes to standard error."""
    command = [sys.executable, '-m', 'm2r2_ros.cli.main', *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == '__main__':
    main()
