# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `m2r2 train` tells: what it reads, how it learns, what it chose."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from rich.progress import TaskID
from rich.table import Table

from m2r2_ros.cli.console import console, epoch_bar
from m2r2_ros.core.text import listed

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.training.loop import Progress
    from m2r2_ros.training.search import Trial
    from m2r2_ros.training.survey import Survey
    from m2r2_ros.training.train import Told

#: Lines of a stage where there is no terminal, besides those of scored epochs.
LINES = 50


class TrainingProgress:
    """Bars on a terminal, and lines in a log."""

    def __init__(self, recordings: int) -> None:
        """Prepare for so many recordings."""
        self._bar = epoch_bar()
        self._live = console.is_terminal
        self._reading = self._bar.add_task('reading recordings', total=recordings, loss='')
        self._stages: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live:
            self._bar.stop()

    @property
    def told(self) -> 'Told':
        """What training is to call."""
        from m2r2_ros.training.train import Told

        return Told(self._recording, self._survey, self._folds, self._epoch)

    def _recording(self, name: str, number: int, total: int) -> None:
        self._bar.update(self._reading, advance=1, loss=name)
        if not self._live:
            console.print(f'reading {name}, {number + 1} of {total}', soft_wrap=True)

    def _survey(self, survey: 'Survey') -> None:
        for line in survey.lines():
            console.print(line, soft_wrap=True)

    def _folds(self, folds: list[list[str]]) -> None:
        if not folds:
            console.print('no recording to hold out: defaults are taken, and nothing is scored')
        for k, names in enumerate(folds):
            text = f'fold {k + 1} of {len(folds)} holds out {len(names)}: {listed(names)}'
            console.print(text, soft_wrap=True)

    def _epoch(self, stage: str, progress: 'Progress') -> None:
        text = f'loss {progress.loss:.3f}'
        if progress.accuracy is not None:
            text += f', held out: accuracy {progress.accuracy:.3f}, F1@50 {progress.f1:.1f}'
        if self._live:
            if stage not in self._stages:
                self._stages[stage] = self._bar.add_task(stage, total=progress.epochs, loss='')
            self._bar.update(self._stages[stage], completed=progress.epoch, loss=text)
            return
        every = max(1, progress.epochs // LINES)
        if progress.accuracy is not None or progress.epoch % every == 0:
            place = f'epoch {progress.epoch}/{progress.epochs}'
            console.print(f'{stage}: {place}, {text}', soft_wrap=True)


def show_trials(trials: 'Sequence[Trial]') -> None:
    """Print what was tried, and how it did on held-out recordings."""
    if not trials:
        return
    columns = ('stage', 'tried', 'accuracy', 'F1@50', 'unknown kinds', '')
    table = Table(*columns, title='on held-out recordings, means over folds')
    for trial in trials:
        other = '-' if trial.other_kinds is None else f'{trial.other_kinds:.1f}'
        table.add_row(
            trial.stage,
            ', '.join(f'{k} {v}' for k, v in _telling(trial, trials).items()),
            f'{trial.accuracy:.4f}',
            f'{trial.f1:.1f}',
            other,
            'chosen' if trial.chosen else '',
        )
    console.print(table)


def show_rules(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print how online labels of each lag are decided, and what they score where held out."""
    kept = [row for row in rows if row['kept']]
    if not kept:
        return
    columns = ('frames waited', 'rule', 'accuracy', 'F1@50', 'delay s')
    table = Table(*columns, title='online labels of held-out recordings')
    for row in kept:
        scores = (_rounded(row[key]) for key in ('accuracy', 'f1@50', 'delay_median_s'))
        table.add_row(str(row['lag']), row['rule'], *scores)
    console.print(table)


def show_scores(scores: Mapping[str, Any]) -> None:
    """Print what a model scored on the recordings to validate on."""
    for title, own in (('online', scores), ('offline', scores.get('offline', {}))):
        if 'accuracy' in own:
            text = ', '.join(
                f'{name} {_rounded(own[name.lower()])}' for name in ('accuracy', 'edit', 'F1@50')
            )
            console.print(f'  validated {title}: {text}', soft_wrap=True)


def _rounded(value: float | None) -> str:
    """Return four digits of a score, '-' where there was nothing to score."""
    return '-' if value is None else f'{value:.4g}'


def _telling(trial: 'Trial', trials: 'Sequence[Trial]') -> dict[str, Any]:
    """Return the options in which the trials of a stage differ, or what it is called."""
    others = [t.options for t in trials if t.stage == trial.stage]
    differing = {
        name: value
        for name, value in trial.options.items()
        if any(own.get(name, value) != value for own in others)
    }
    return differing or {'head': trial.options.get('name', 'default')}
