# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The trials of snap assembly: as windows, shifted aside, and as features of boosted trees."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.labels import Segment, label_at
from m2r2_ros.core.modalities import SENSORS
from m2r2_ros.core.share import share_path
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.evaluation.sequence import ScoredSequence
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.windows.config import WindowConfig

Features = Callable[[FrameWindows], NDArray[np.float64]]
SPEC = share_path('config', 'import', 'hiro_snap_assembly.yaml')
#: Frames that the trees look back to, besides the one they label.
LOOK_BACK = (5, 10)


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

    @property
    def rotates(self) -> bool:
        """Whether a frame of it is labelled rotation."""
        return 'rotation' in self.labels

    def aside(self, x: float, y: float) -> 'Trial':
        """Return the trial as if all of it stood aside, m."""
        pose = self.windows.sensors['pose'].copy()
        pose[..., :2] += (x, y)
        moved = {**self.windows.sensors, 'pose': pose}
        return replace(self, windows=replace(self.windows, sensors=moved))


def find_trials(data: Path) -> Path:
    """Return the folder with the trials; end the program where it is not there."""
    source = data / 'hiro_snap_assembly'
    if not source.is_dir():
        print(f'{source} is not there: get the data, then give the folder that it lies in')
        sys.exit(2)
    return source


def import_bags(source: Path, work: Path) -> list[Path]:
    """Import every trial through the command line; return the bags."""
    bags = []
    for folder in sorted(p for p in source.iterdir() if p.is_dir()):
        bags.append(work / 'bags' / folder.name)
        if not bags[-1].exists():
            m2r2('import', 'table', SPEC, '--input', folder, '--out', bags[-1])
    return bags


def import_trials(source: Path, work: Path) -> list[Trial]:
    """Import every trial, and read what the baselines need of it."""
    trials = []
    for bag in import_bags(source, work):
        stream = WindowStream(open_recording(bag), WindowConfig(), SENSORS)
        windows = FrameWindows.join(list(stream))
        trials.append(Trial(bag.name, bag, windows, read_truth(bag).segments))
    return trials


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


def relative_features(windows: FrameWindows) -> NDArray[np.float64]:
    """Return the same with poses relative to the first one of the recording."""
    pose = windows.sensors['pose'] - windows.sensors['pose'][0, 0]
    return window_features(replace(windows, sensors={**windows.sensors, 'pose': pose}))


def predict(
    train: Sequence[Trial], test: Sequence[Trial], features: Features
) -> list[ScoredSequence]:
    """Train boosted trees and apply them."""
    # Without regularisation the boosting diverges once the classes are told apart.
    trees = HistGradientBoostingClassifier(l2_regularization=1.0, random_state=0)
    trees.fit(
        np.concatenate([features(t.windows) for t in train]),
        [label for t in train for label in t.labels],
    )
    return [
        ScoredSequence(t.name, t.windows.stamps, list(trees.predict(features(t.windows))), t.truth)
        for t in test
    ]


def m2r2(*arguments: object) -> None:
    """Run the command line as a user would; its progress goes to standard error."""
    command = [sys.executable, '-m', 'm2r2_ros.cli.main', *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
