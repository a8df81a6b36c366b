# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A command over many recordings at a time: what it tells, and how it ends."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import typer

from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.bags.remote.places import as_place, is_remote
from m2r2_ros.bags.remote.stores import HIDDEN, ResultStore, open_store
from m2r2_ros.cli.common import say_passed_over
from m2r2_ros.cli.console import console, progress_bar
from m2r2_ros.cli.fleet_options import FleetOptions, given_text
from m2r2_ros.core.errors import BagError, ConfigError, OutputError
from m2r2_ros.core.reading import reading
from m2r2_ros.fleet.counts import FleetCounts
from m2r2_ros.fleet.executor import FleetExecutor
from m2r2_ros.fleet.failures import Ledger
from m2r2_ros.fleet.items import Ended, Item, State
from m2r2_ros.fleet.job import FleetJob
from m2r2_ros.fleet.run import FleetRun
from m2r2_ros.fleet.worker import RUN_NOTE
from m2r2_ros.fleet.worklist import work_list

#: Seconds between two lines about progress where there is no terminal.
_LINE_S: Final = 30.0
#: Failures that are told one by one; the ledger has all.
_TOLD: Final = 20
#: What shells expect of a command that was interrupted.
_INTERRUPTED: Final = 130


@dataclass(slots=True)
class FleetOutcome:
    """What came of a run.

    Attributes:
        items: All recordings, whether this run was to do them or not.
        ended: What this run did.
        kept: Those that were done before.
        failed_before: Those that failed before and were left out.
        where: Where the failures are written down.
    """

    items: list[Item]
    kept: list[Item]
    failed_before: list[Item]
    where: str
    ended: list[Ended] = field(default_factory=list)

    def expect_none_failed(self, what: str) -> None:
        """End as a command does of which a part failed.

        Args:
            what: Could not be done, such as 'labelled'.

        Raises:
            BagError: Recordings failed, in this run or before.
        """
        failed = [e for e in self.ended if e.state is State.FAILED]
        count = len(failed) + len(self.failed_before)
        if not count:
            return
        lines = [f'{count} of {len(self.items)} recordings could not be {what}']
        # What an exporter says of the one recording that it was given has lines of its own.
        lines += [': '.join(map(str.strip, e.error.split('\n'))) for e in failed[:_TOLD]]
        if len(failed) > _TOLD:
            lines.append(f'and {len(failed) - _TOLD} more')
        if self.failed_before:
            lines.append(
                f'{len(self.failed_before)} of them failed in an earlier run and were left out'
            )
        lines.append(f'all are told in {self.where}; --retry-failed tries them again')
        raise BagError(*lines)


def fleet_items(bags: Sequence[Path], out: str, options: FleetOptions) -> list[Item]:
    """Return the recordings that a command was given.

    Args:
        bags: Recordings, folders, URLs, and @FILE for lists.
        out: Folder or URL for the results.
        options: Of the fleet.

    Raises:
        M2R2Error: There are none, two would have one place, or results would change one.
    """
    given = [given_text(path) for path in bags]
    items = work_list(given, out, options.tree or '', say_passed_over)
    place = as_place(out)
    if not is_remote(place):
        refuse_inside(place, *(i.place for i in items if not is_remote(i.place)))
    return items


def run_fleet(
    job: FleetJob, items: Sequence[Item], options: FleetOptions, *, overwrite: bool = False
) -> FleetOutcome:
    """Do a job on recordings that are not done yet; those that fail are written down.

    Args:
        job: The work.
        items: The recordings, as `fleet_items` returns them.
        options: How many at a time, and where.
        overwrite: Also those that are done.

    Raises:
        M2R2Error: The job cannot be done at all.
        typer.Exit: The user interrupted the run.
    """
    items = list(items)
    store = open_store(as_place(job.out))
    ledger = Ledger(store)
    _expect_same(store, job, overwrite=overwrite or _is_empty(store))
    done = set() if overwrite else job.done(items)
    failed = set() if overwrite or options.retry_failed else ledger.failed(items) - done
    outcome = FleetOutcome(
        items,
        [item for item in items if item.key in done],
        [item for item in items if item.key in failed],
        ledger.where,
    )
    left = [item for item in items if item.key not in done | failed]
    _announce(outcome, left)
    if left:
        with _interruptible(), _executor(job, options, len(left)) as executor:
            _run(left, executor, options.tries, ledger, outcome)
    return outcome


def _announce(outcome: FleetOutcome, left: list[Item]) -> None:
    text = f'{len(outcome.items)} recordings: {len(left)} to do'
    if outcome.kept:
        text += f', {len(outcome.kept)} done already'
    if outcome.failed_before:
        text += f', {len(outcome.failed_before)} failed before (--retry-failed tries them again)'
    console.print(text, soft_wrap=True)


def _executor(job: FleetJob, options: FleetOptions, most: int) -> FleetExecutor:
    if options.ray is not None:
        from m2r2_ros.fleet.ray_tasks import RayExecutor

        return RayExecutor(job, options.ray, options.workers)
    from m2r2_ros.fleet.processes import ProcessExecutor

    return ProcessExecutor(job, min(options.processes, most))


def _run(
    left: list[Item], executor: FleetExecutor, tries: int, ledger: Ledger, outcome: FleetOutcome
) -> None:
    """Do the work, telling how far it is.

    Raises:
        typer.Exit: The user interrupted it.
    """
    counts = FleetCounts(len(left))
    before = ledger.failed(left)
    try:
        with _progress(counts) as tick:
            for ended in FleetRun(left, executor, tries).ended(tick):
                counts.add(ended)
                outcome.ended.append(ended)
                if ended.state is State.FAILED:
                    ledger.add(ended)
                elif ended.item.key in before:
                    ledger.forget(ended.item)
    except KeyboardInterrupt:
        console.print(f'stopped: {counts}; the same command goes on', soft_wrap=True)
        raise typer.Exit(_INTERRUPTED) from None
    console.print(str(counts), soft_wrap=True)


@contextmanager
def _progress(counts: FleetCounts) -> Iterator[Callable[[], None]]:
    """Yield what shows the progress: a bar on a terminal, otherwise a line now and then."""
    if not console.is_terminal:
        yield _Lines(counts).tick
        return
    with progress_bar() as bar:
        task = bar.add_task(str(counts), total=counts.total)
        yield lambda: bar.update(task, completed=counts.ended.total(), description=str(counts))


class _Lines:
    """Lines about progress, some time apart."""

    def __init__(self, counts: FleetCounts) -> None:
        self._counts, self._told = counts, time.monotonic()

    def tick(self) -> None:
        now = time.monotonic()
        if now >= self._told + _LINE_S:
            self._told = now
            console.print(str(self._counts), soft_wrap=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let a request to end, as service managers send it, stop the run as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _is_empty(store: ResultStore) -> bool:
    """Return whether there are no results yet, so that they may be made in any way."""
    if is_remote(store.place):
        return not store.done()
    place = store.place
    return not place.is_dir() or all(path.name == HIDDEN for path in place.iterdir())


def _expect_same(store: ResultStore, job: FleetJob, *, overwrite: bool) -> None:
    """Write beside the results what they are made with, or compare with what is there.

    Raises:
        ConfigError: The folder holds results that were made otherwise.
    """
    wanted = json.loads(json.dumps(job.made_with()))
    raw = (json.dumps(wanted, indent=2) + '\n').encode()
    if overwrite:
        store.note(RUN_NOTE, raw)
        return
    if store.note_once(RUN_NOTE, raw):
        return
    expected = 'how the results there were made: choose another --out'
    with reading(f'{store.place}/{HIDDEN}/{RUN_NOTE}', expected, OutputError):
        found = dict(json.loads(store.read_note(RUN_NOTE) or b'{}'))
    if differing := [k for k in {**wanted, **found} if found.get(k) != wanted.get(k)]:
        was = ', '.join(f'{k} {found.get(k)}, not {wanted.get(k)}' for k in differing)
        msg = (
            f'{store.place}: the results there were made with {was}: choose another --out, or '
            '--overwrite to make them again'
        )
        raise ConfigError(msg)
