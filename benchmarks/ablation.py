# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Modality ablation (paper table II) on recordings of a simulated assembly cell.

Simulates episodes, trains the network of preset `lite` on one choice of modalities after another,
and scores the labels that it gives, strictly online, to episodes that it has not seen. What was
done is kept in the work folder: the same command goes on where it was interrupted.
"""

import argparse
import hashlib
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# Before torch is imported, as in m2r2_ros/cli/main.py.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

import torch
from rich.console import Console
from rich.table import Table

from benchmarks._ablation import (
    Episode,
    WindowCache,
    label_online,
    only,
    read_episodes,
    read_json,
    train_timed,
    write_json,
)
from m2r2_ros import __version__
from m2r2_ros.cli.common import expect_training
from m2r2_ros.cli.console import console, progress_bar, stdout
from m2r2_ros.core.errors import ConfigError, M2R2Error
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.modalities import MODALITIES, SENSORS
from m2r2_ros.evaluation.detection import T_E
from m2r2_ros.evaluation.score import Scores, score
from m2r2_ros.evaluation.sequence import ScoredSequence
from m2r2_ros.model.config import preset, restrict_modalities
from m2r2_ros.network.network import Network
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.data import fit_normalisation
from m2r2_ros.training.recordings import common_labels
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.normalisation import Normalisation

#: Rows of the paper in its order, then those that show what sound adds.
ROWS: Final[dict[str, tuple[str, ...]]] = {
    'vision': ('image',),
    'sound': ('sound',),
    'proprioception': SENSORS,
    'proprioception without gripper': ('wrench', 'pose', 'twist'),
    'proprioception without pose and twist': ('wrench', 'gripper'),
    'proprioception without wrench': ('pose', 'twist', 'gripper'),
    'all': MODALITIES,
    'all without sound': ('image', *SENSORS),
    'proprioception and sound': ('sound', *SENSORS),
}
#: First seed of the episodes that are labelled; those trained on begin at 0.
HELD_OUT: Final = 900
LIMITS: Final = {
    'train': (1, HELD_OUT), 'held_out': (1, 1000), 'epochs': (1, 10_000), 'seed': (0, 2**31),
}  # fmt: skip
#: What is below this line in the table's file is written by hand, and kept.
MARKER: Final = '<!-- conclusions -->'
Row = dict[str, Any]
COLUMNS: Final = (
    'modalities', 'accuracy', 'edit', 'F1@10', 'F1@25', 'F1@50', 'DR', 'DR 1:1', 'delay s',
    'missed', 'verb accuracy', 'object confused', 'training s',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Study:
    """What all rows have in common.

    Attributes:
        labels: Labels of all episodes.
        windows, config: Options of windows and training.
        train, held_out: Episodes.
        cached: Their windows with all modalities, by name.
        normalisation: Scales of the episodes trained on.
    """

    labels: LabelSet
    windows: WindowConfig
    config: TrainConfig
    train: list[Episode]
    held_out: list[Episode]
    cached: dict[str, CachedRecording]
    normalisation: Normalisation


def main() -> None:
    """Run the benchmark; errors that the user can fix end with exit code 2."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--train', type=int, default=24, help='episodes to train on')
    parser.add_argument('--held-out', type=int, default=6, help='episodes to label')
    parser.add_argument('--rows', default=','.join(ROWS), help='some of the rows, with commas')
    parser.add_argument('--epochs', type=int, default=20, help='as of m2r2 train')
    parser.add_argument('--seed', type=int, default=0, help='of weights, order, crops and noise')
    parser.add_argument('--work', type=Path, default=Path('out/ablation'), help='folder to keep')
    parser.add_argument('--table', type=Path, default=Path('docs/ablation.md'), help='result')
    options = parser.parse_args()
    try:
        run(options)
    except (M2R2Error, OSError) as error:
        console.print('error:', style='bold red', end=' ')
        console.print(str(error), soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        console.print('interrupted; the same command goes on from here')
        sys.exit(130)


def run(options: argparse.Namespace) -> None:
    """Train and score every row, and write the table.

    Raises:
        M2R2Error: An option is out of range, or a recording cannot be used.
    """
    for name, (low, high) in LIMITS.items():
        if not low <= (value := getattr(options, name)) <= high:
            msg = f'--{name.replace("_", "-")}: expected {low} to {high}, found {value}'
            raise ConfigError(msg)
    names = options.rows.split(',')
    if unknown := sorted(set(names) - set(ROWS)):
        msg = f'--rows: {", ".join(unknown)} is unknown: expected some of {", ".join(ROWS)}'
        raise ConfigError(msg)
    read_conclusions(options.table)  # what cannot be written is better known before training
    expect_training()
    study = prepare(options, images=any('image' in ROWS[name] for name in names))
    rows = {}
    for k, name in enumerate(names, 1):
        file = options.work / 'rows' / f'{name.replace(" ", "_")}.json'
        rows[name] = run_row(f'{k}/{len(names)} {name}', ROWS[name], study, file)
    cells = [row_cells(name, row, study) for name, row in rows.items()]
    table = Table(*COLUMNS, title=f'{len(study.held_out)} held-out episodes, strictly online')
    for row in cells:
        table.add_row(*row)
    Console(width=max(stdout.width, 170)).print(table)
    total = sum(row['training_s'] for row in rows.values())
    options.table.parent.mkdir(parents=True, exist_ok=True)
    text = markdown(cells, study, total) + MARKER + read_conclusions(options.table)
    options.table.write_text(text, encoding='utf-8')
    stdout.print(f'table: {options.table}', soft_wrap=True)


def prepare(options: argparse.Namespace, *, images: bool) -> Study:
    """Simulate, and cache the windows of every episode."""
    recordings = options.work / 'recordings'
    train = read_episodes(recordings, range(options.train))
    held_out = read_episodes(recordings, range(HELD_OUT, HELD_OUT + options.held_out))
    labels = common_labels({e.path: e.truth for e in train + held_out})
    windows = WindowConfig()
    cache = WindowCache(options.work / 'windows', windows, labels, images=images)
    with progress_bar() as bar:
        cached = {e.name: cache.get(e) for e in bar.track(train + held_out, description='windows')}
    return Study(
        labels=labels,
        windows=windows,
        config=TrainConfig(epochs=options.epochs, seed=options.seed),
        train=train,
        held_out=held_out,
        cached=cached,
        normalisation=fit_normalisation([cached[e.name] for e in train]),
    )


def run_row(title: str, modalities: tuple[str, ...], study: Study, file: Path) -> Row:
    """Train on some modalities and label the held-out episodes, where that is not done already.

    Returns:
        `training_s`, and `labels`: label ids of each frame, by held-out episode. Kept as they
        are, so that another metric needs no other training.
    """
    model = restrict_modalities(preset('lite'), modalities)
    given = {
        'model': model.to_dict(),
        'windows': study.windows.to_dict(),
        'training': study.config.to_dict(),
        'labels': list(study.labels.names),
        'train': {e.name: e.digest for e in study.train},
        'm2r2_ros': __version__,
    }
    options = {**given, 'held_out': {e.name: e.digest for e in study.held_out}}
    kept, scales = read_json(file), study.normalisation
    if kept.get('options') != options:
        cached = {n: only(r, modalities) for n, r in study.cached.items()}
        torch.manual_seed(study.config.seed)
        network = Network(model, study.windows, len(study.labels.names), pretrained=True)
        seconds = train_timed(
            title,
            network,
            [cached[e.name] for e in study.train],
            scales,
            study.config,
            file.parents[1] / 'training' / f'{file.stem}.safetensors',
            hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest(),
        )
        labels = {e.name: label_online(network, cached[e.name], scales) for e in study.held_out}
        kept = {'options': options, 'training_s': seconds, 'labels': labels}
        write_json(file, kept)
    return kept


def row_scores(row: Row, study: Study, names: Mapping[str, str]) -> Scores:
    """Score a row under other names of the labels."""
    return score(
        [
            ScoredSequence(
                e.name,
                study.cached[e.name].stamps,
                [names[study.labels.names[k]] for k in row['labels'][e.name]],
                [Segment(s.start, s.end, names[s.label]) for s in e.truth.segments],
            )
            for e in study.held_out
        ]
    )


def row_cells(name: str, row: Row, study: Study) -> list[str]:
    """Return a row of the table, as COLUMNS has it."""
    known = study.labels
    verbs = {k: verb or k for k, verb in zip(known.names, known.parents, strict=True)}
    scores = row_scores(row, study, {k: k for k in known.names})
    coarse = row_scores(row, study, verbs).accuracy
    assert scores.accuracy is not None and coarse is not None  # episodes have labelled frames
    percents = [scores.edit, *scores.f1.values(), scores.dr, scores.dr_one_to_one]
    delay = scores.boundary_delay_median_s
    return [
        name,
        f'{scores.accuracy:.3f}',
        *('-' if value is None else f'{value:.1f}' for value in percents),
        '-' if delay is None else f'{delay:.2f}',
        f'{scores.boundaries_missed} of {scores.boundaries}',
        f'{coarse:.3f}',
        # Where the label is right its verb is, so what is left has the right verb alone.
        f'{coarse - scores.accuracy:.3f}',
        f'{row["training_s"]:.0f}',
    ]


def markdown(cells: Sequence[Sequence[str]], study: Study, total: float) -> str:
    """Return the table and what it shows, without what follows from it."""
    train, held_out, config = study.train, study.held_out, study.config
    frames = [sum(len(study.cached[e.name]) for e in part) for part in (train, held_out)]
    names = ','.join(row[0] for row in cells)
    rows = '' if names == ','.join(ROWS) else f' \\\n        --rows {shlex.quote(names)}'
    lines = [f'| {" | ".join(row)} |' for row in (COLUMNS, *cells)]
    lines.insert(1, f'|---{"|--:" * (len(COLUMNS) - 1)}|')
    return f"""\
# Modality ablation on the simulated cell

What each modality is worth, after table II of the M2R2 paper. This file is written by

    python benchmarks/ablation.py --train {len(train)} --held-out {len(held_out)} \
--epochs {config.epochs} --seed {config.seed}{rows}

down to the line that begins the conclusions; those are written by hand.

Each row is a network of preset `lite`, trained from the start on the modalities named and no
others, with the same options throughout: {config.epochs} epochs, seed {config.seed}, \
{len(train)} simulated episodes
(seeds 0 to {len(train) - 1}, {frames[0]} frames at {study.windows.frame_rate:g} Hz). \
Episodes labelled: {len(held_out)} others (seeds {HELD_OUT} to
{HELD_OUT + len(held_out) - 1}, {frames[1]} frames), strictly online: \
each frame from itself and those before it, arg max,
nothing held or smoothed. Proprioception is {', '.join(SENSORS[:-1])} and {SENSORS[-1]}; all is
these, image and sound. All rows see the same frames, which follow the camera. Training took
{total / 60:.0f} min in all.

Accuracy, verb accuracy and object confused are shares of frames: with the right label, with the
right verb (the label's parent), and with the right verb but the wrong object. Edit, F1 and DR
(within {T_E} frames of a boundary) are percent. The delay is the median of the boundaries that
were found within 2 s; missed says how many were not. [metrics.md](metrics.md) defines them.

{chr(10).join(lines)}

"""


def read_conclusions(table: Path) -> str:
    """Return what stands below the marker in an earlier table.

    Raises:
        ConfigError: The file is something else.
    """
    if not table.exists():
        return '\n'
    _, marker, conclusions = table.read_text(encoding='utf-8').partition(MARKER)
    if not marker:
        msg = f'{table}: has no line {MARKER}, so it would be lost: move it, or choose another file'
        raise ConfigError(msg)
    return conclusions


if __name__ == '__main__':
    main()
