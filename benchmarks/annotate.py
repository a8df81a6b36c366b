# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What annotating with a model costs: label, correct, train, and again, on the simulated cell.

An annotator who is never wrong annotates three episodes from nothing. A model that was trained on
them labels the next five, and the annotator corrects what is wrong. What counts is the operations
that it takes, as `m2r2 review` counts them: a boundary moved, a segment labelled anew, split off,
or merged into its neighbour; or, from nothing, one key for each segment.
"""

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

from m2r2_ros.bags.labels.layers import Provenance, write_layer
from m2r2_ros.bags.labels.reader import read_label_track, read_truth
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.evaluation.sequence import segments_of
from m2r2_ros.pages.tidy import shortest, tidied

FIRST, NEXT, TEST = range(100, 103), range(103, 108), range(900, 908)
#: A boundary that is farther off than this is moved, s: the finest tolerance that scores have.
TOLERANCE_S = 0.5


@dataclass(frozen=True, slots=True)
class Edits:
    """Operations that make suggestions the truth."""

    moved: int
    relabelled: int
    added: int
    removed: int

    @property
    def total(self) -> int:
        """Operations; what is added is split off and labelled."""
        return self.moved + self.relabelled + 2 * self.added + self.removed


def edits_between(suggested: list[Segment], truth: list[Segment]) -> Edits:
    """Align two sequences of segments at least cost; only segments that overlap are paired."""
    rows, columns = len(suggested), len(truth)
    cost = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            cost[i][j] = min(_ways(suggested, truth, cost, i, j), default=(0, ''))[0]
    counts = {'pair': 0, 'relabel': 0, 'add': 0, 'remove': 0, 'move': 0}
    i = j = 0
    while i < rows or j < columns:
        _, way = min(_ways(suggested, truth, cost, i, j))
        counts[way] += 1
        if way in ('pair', 'relabel'):
            counts['move'] += _is_off(suggested[i].start, truth[j].start)
        i += way != 'add'
        j += way != 'remove'
    return Edits(counts['move'], counts['relabel'], counts['add'], counts['remove'])


def _ways(
    suggested: list[Segment], truth: list[Segment], cost: list[list[int]], i: int, j: int
) -> list[tuple[int, str]]:
    """Return what can be done next with suggestion i and true segment j, and what it costs."""
    ways = []
    if i < len(suggested) and j < len(truth):
        s, t = suggested[i], truth[j]
        if min(s.end, t.end) > max(s.start, t.start):
            wrong = s.label != t.label
            own = int(wrong) + _is_off(s.start, t.start)
            ways.append((cost[i + 1][j + 1] + own, 'relabel' if wrong else 'pair'))
    if i < len(suggested):
        ways.append((cost[i + 1][j] + 1, 'remove'))
    if j < len(truth):
        ways.append((cost[i][j + 1] + 2, 'add'))
    return ways


def _is_off(one: int, other: int) -> int:
    return int(abs(one - other) > TOLERANCE_S * 1e9)


def say(line: str) -> None:
    """Print a line at once: the next step may take minutes."""
    print(line, flush=True)


class Loop:
    """Runs the commands that a user would, in a folder."""

    def __init__(self, folder: Path, seconds: float, level: str) -> None:
        self._folder, self._seconds, self._level = folder, seconds, level
        self._shortest: list[float] = []

    @property
    def _least(self) -> float:
        """How short a suggestion may be, as `m2r2 review` has it, s."""
        return median(self._shortest)

    def simulate(self) -> None:
        """Make the episodes."""
        for name, seeds in (('first', FIRST), ('next', NEXT), ('test', TEST)):
            count, seed = str(len(seeds)), str(seeds[0])
            self._run(
                'simulate', '--episodes', count, '--seed', seed, '--out', name,
                '--seconds', str(self._seconds), '--no-cameras',
            )  # fmt: skip

    def truth(self, recording: Path) -> tuple[list[Segment], LabelSet]:
        """Return what the annotator says of a recording."""
        truth = read_truth(recording)
        assert truth.label_set is not None
        if self._level == 'fine':
            return truth.segments, truth.label_set
        parents = dict(zip(truth.label_set.names, truth.label_set.parents, strict=True))
        coarse = [replace(s, label=parents[s.label]) for s in truth.segments]
        return coarse, LabelSet.of(dict.fromkeys(parents.values()))

    def recordings(self, name: str) -> list[Path]:
        """Return the recordings of a folder."""
        return sorted(p.parent for p in (self._folder / name).glob('cell_*/metadata.yaml'))

    def annotate(self, name: str, suggestions: str = '') -> tuple[int, float]:
        """Save the truth of a folder's recordings as layers; return edits and minutes."""
        edits, minutes = 0, 0.0
        for recording in self.recordings(name):
            segments, label_set = self.truth(recording)
            own = len(segments)
            if suggestions:
                bag = self._folder / suggestions / f'{recording.name}_labels'
                track = read_label_track(bag)
                track = tidied(track, self._least)
                found = edits_between(segments_of(track.stamps, track.labels), segments)
                say(f'  {recording.name}: {found}')
                own = found.total
            provenance = Provenance(
                'oracle', '', 'benchmarks/annotate.py', suggestions, done=True, edits=own
            )
            write_layer(recording, segments, label_set, provenance)
            if not suggestions:
                self._shortest.append(shortest(segments))
            edits += own
            minutes += (segments[-1].end - segments[0].start) / 60e9
        return edits, minutes

    def train(self, out: str, *given: str) -> float:
        """Train a model; return the seconds that it took."""
        return self._run('train', *given, '--no-search', '--annotator', 'oracle', '--out', out)

    def label(self, name: str, model: str, out: str) -> float:
        """Label a folder; return the seconds that it took."""
        return self._run('label', name, '--model', model, '--out', out)

    def score(self, labels: str, truth: str) -> dict[str, float]:
        """Score labels."""
        done = subprocess.run(
            [*_M2R2, 'evaluate', labels, '--truth', truth, '--json', '--level', self._level],
            cwd=self._folder, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        found = json.loads(done.stdout)
        return {key: found[key] for key in ('accuracy', 'edit', 'f1@50', 'boundary_f1@2s')}

    def _run(self, *arguments: str) -> float:
        began = perf_counter()
        command = [*_M2R2, *arguments]
        done = subprocess.run(
            command, cwd=self._folder, check=False, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f'{" ".join(arguments)} failed:\n{done.stdout[-2000:]}')
        return perf_counter() - began


_M2R2 = [sys.executable, '-m', 'm2r2_ros.cli.main']


def main() -> None:
    """Go once around, and print what each step took and gave."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=Path('out/annotate'))
    parser.add_argument('--seconds', type=float, default=180.0, help='Length of an episode.')
    parser.add_argument('--level', choices=('fine', 'coarse'), default='fine')
    given = parser.parse_args()
    folder: Path = given.out
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    loop = Loop(folder, given.seconds, given.level)
    loop.simulate()
    edits, minutes = loop.annotate('first')
    say(f'3 episodes from nothing: {edits} edits, {edits / minutes:.1f} a minute')
    say(f'train on 3: {loop.train("model_3", "first", "--preset", "proprio"):.0f} s')
    say(f'label 5: {loop.label("next", "model_3", "next_labels"):.0f} s')
    loop.label('test', 'model_3', 'test_3')
    say(f'unseen episodes, model of 3: {loop.score("test_3", "test")}')
    say(f'next 5, model of 3: {loop.score("next_labels", "next")}')
    segments = sum(len(loop.truth(recording)[0]) for recording in loop.recordings('next'))
    edits, minutes = loop.annotate('next', 'next_labels')
    say(f'next 5 corrected: {edits} edits, {edits / minutes:.1f} a minute')
    say(f'next 5 from nothing: {segments} edits, {segments / minutes:.1f} a minute')
    seconds = loop.train('model_8', 'first', 'next', '--resume-from', 'model_3')
    say(f'train on 8, going on from the model of 3: {seconds:.0f} s')
    loop.label('test', 'model_8', 'test_8')
    say(f'unseen episodes, model of 8: {loop.score("test_8", "test")}')


if __name__ == '__main__':
    main()
