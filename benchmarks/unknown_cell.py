# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a model says so when it meets what it was never shown: the simulated cell.

Trains on episodes in which nobody touches the plug, in which nothing is inserted, and in which
nothing fails, and labels other episodes in which all of that happens, frame by frame. Prints how
many of the unseen frames are unknown, how many of the others, and how well the score, and the
confidence alone, tell the former from the latter (AUROC, in percent). What was simulated and
trained is kept: the same command goes on where it was interrupted.

    python benchmarks/unknown_cell.py --work DIR
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks._snap import m2r2
from benchmarks._unknown import Found, label, separation
from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.core.labels import Segment, label_at
from m2r2_ros.network.bundle import load_bundle

#: First seeds of the episodes to train on, to validate on and to label.
TRAIN, VALIDATE, TEST = 0, 700, 900


@dataclass(frozen=True, slots=True)
class Unseen:
    """What a model is not shown.

    Attributes:
        title: What it is.
        without: What the episodes to train on go without; none for those in which nothing fails.
        is_unseen: Whether a segment is of that sort.
        compared: Which of the other segments to tell it from.
    """

    title: str
    without: tuple[str, ...]
    is_unseen: Callable[[Segment], bool]
    compared: Callable[[Segment], bool] = lambda segment: True


UNSEEN = (
    Unseen('an object: the plug', ('plug',), lambda s: s.label.endswith('plug')),
    Unseen('a task: insertion', ('insert',), lambda s: s.label.startswith('insert')),
    Unseen(
        'an insertion that fails',
        (),
        lambda s: s.label.startswith('insert') and s.success is False,
        lambda s: s.label.startswith('insert'),
    ),
)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work', type=Path, default=Path('out/unknown_cell'), help='kept')
    parser.add_argument('--train', type=int, default=16, help='episodes to train on')
    parser.add_argument('--held-out', type=int, default=8, help='episodes to label')
    options = parser.parse_args()
    work = options.work
    test = simulate(work / 'test', TEST, options.held_out)
    columns = ('unseen', 'frames', 'of them unknown, %', 'of others', 'AUROC', 'of confidence')
    table = Table(*columns)
    for number, unseen in enumerate(UNSEEN):
        model = train(work / str(number), unseen, options.train)
        table.add_row(unseen.title, *measure(model, unseen, test))
    Console(width=120).print(table)


def simulate(folder: Path, seed: int, count: int, without: tuple[str, ...] = ()) -> list[Path]:
    """Return episodes without cameras, simulated where they are missing."""
    wishes = [text for name in without for text in ('--without', name)]
    m2r2('simulate', '--no-cameras', '--out', folder, '--seed', seed, '--episodes', count, *wishes)
    return [folder / f'cell_{k:04d}' for k in range(seed, seed + count)]


def train(folder: Path, unseen: Unseen, count: int) -> Path:
    """Return a model that was not shown something."""
    model = folder / 'model'
    if model.exists():
        return model
    quarter = count // 4
    if unseen.without:
        bags = simulate(folder / 'train', TRAIN, count, unseen.without)
        validate = simulate(folder / 'validate', VALIDATE, quarter, unseen.without)
    else:  # about one episode in four has no failure
        found = [b for b in simulate(folder / 'train', TRAIN, 3 * count) if not fails(b)]
        bags, validate = found[quarter : count + quarter], found[:quarter]
    held_out = [text for bag in validate for text in ('--validate', bag)]
    m2r2('train', *bags, *held_out, '--preset', 'proprio', '--out', model)
    return model


def fails(bag: Path) -> bool:
    """Return whether some action of an episode fails."""
    return any(segment.success is False for segment in read_truth(bag).segments)


def measure(model: Path, unseen: Unseen, test: list[Path]) -> tuple[str, ...]:
    """Return the cells of a row."""
    bundle = load_bundle(model)
    found = [label(bundle, model, bag) for bag in test]
    truths = [read_truth(bag).segments for bag in test]
    chosen = [frames_in(f, t, unseen.is_unseen) for f, t in zip(found, truths, strict=True)]
    others = [frames_in(f, t, unseen.compared) for f, t in zip(found, truths, strict=True)]
    new = np.concatenate(chosen)
    usual = np.concatenate(others) & ~new
    scores = np.concatenate([f.scores for f in found])
    confidences = np.concatenate([f.confidences for f in found])
    unknown = np.concatenate([f.unknown for f in found])
    return (
        str(new.sum()),
        f'{100 * unknown[new].mean():.1f}',
        f'{100 * unknown[usual].mean():.1f}',
        f'{100 * separation(scores[new], scores[usual]):.1f}',
        f'{100 * separation(-confidences[new], -confidences[usual]):.1f}',
    )


def frames_in(
    found: Found, truth: list[Segment], wanted: Callable[[Segment], bool]
) -> NDArray[np.bool_]:
    """Return which frames lie in segments of some sort, bool (n,)."""
    segments = [segment for segment in truth if wanted(segment)]
    return np.array([bool(name) for name in label_at(segments, found.stamps)])


if __name__ == '__main__':
    main()
