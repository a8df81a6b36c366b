# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Workers that are processes on this machine."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

from m2r2_ros import __version__
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.fleet.executor import Answer
from m2r2_ros.fleet.items import Ended, Item
from m2r2_ros.fleet.job import FleetJob
from m2r2_ros.fleet.worker import ONE_THREAD, do_item, open_work

#: Workers in a row that may be lost before they were ready.
_MOST_FALSE_STARTS: Final = 8
#: Seconds for a worker to put away what it has begun.
_STOP_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Ready:
    """Said by a worker that can begin; `problem` says why it cannot, '' where it can."""

    problem: str = ''


@dataclass(slots=True)
class _Worker:
    """A worker as seen from outside.

    Attributes:
        process: It.
        line: To it.
        core: The core that it runs on.
        ready: It has said that it can begin.
        item: What it is at.
    """

    process: SpawnProcess
    line: 'Connection[Item, _Ready | Ended]'
    core: int
    ready: bool = False
    item: Item | None = None


class ProcessExecutor:
    """Processes that each do one item after another, on one core; one that is lost is replaced.

    They are started anew rather than forked, so that no thread of a library is copied in the middle
    of something.
    """

    def __init__(self, job: FleetJob, workers: int) -> None:
        """Start the workers; they get ready while the caller goes on.

        Args:
            job: The work.
            workers: Processes, one at least.
        """
        self._job = job
        self._false_starts = 0
        self._workers: list[_Worker] = []
        try:
            cores = sorted(os.sched_getaffinity(0))
            for k in range(workers):
                self._workers.append(self._start(cores[k % len(cores)]))
        except BaseException:
            self._stop()
            raise

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return len(self._workers)

    @property
    def room(self) -> int:
        """How many of them have nothing to do."""
        return sum(w.ready and w.item is None for w in self._workers)

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes."""
        return [w.process.pid or 0 for w in self._workers]

    def give(self, item: Item) -> None:
        """Give an item to a worker that has none."""
        worker = next(w for w in self._workers if w.ready and w.item is None)
        worker.item = item
        with suppress(OSError):  # it is gone, which is noticed when its answer is waited for
            worker.line.send(item)

    def answers(self, seconds: float) -> Sequence[Answer]:
        """Return what workers have ended with, or were lost with.

        Raises:
            ConfigError: A worker cannot do this work, or all of them end while they start.
        """
        found = []
        workers = list(self._workers)
        ready = wait([w.line for w in workers], seconds)
        for worker in (w for w in workers if w.line in ready):
            try:
                said = worker.line.recv()
            except (EOFError, OSError):
                found += self._replace(worker)
                continue
            if isinstance(said, _Ready):
                self._begin(worker, said)
            elif worker.item is not None:
                found.append(Answer(worker.item, said))
                worker.item = None
        return found

    def __enter__(self) -> 'ProcessExecutor':
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start(self, core: int) -> _Worker:
        context = get_context('spawn')
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(theirs, self._job, __version__, core), daemon=True
        )
        with _environment(ONE_THREAD):
            process.start()
        theirs.close()  # so that the line ends when the process does
        return _Worker(process, ours, core)

    def _begin(self, worker: _Worker, said: _Ready) -> None:
        if said.problem:
            raise ConfigError(said.problem)
        self._false_starts = 0
        worker.ready = True

    def _replace(self, worker: _Worker) -> list[Answer]:
        """Start another worker instead of one that is gone; return the item that it was at."""
        worker.process.join()
        worker.line.close()
        how = _how_ended(worker.process.exitcode)
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= _MOST_FALSE_STARTS:
                msg = f'workers end while they start ({how}): is there memory for so many?'
                raise ConfigError(msg)
        self._workers[self._workers.index(worker)] = self._start(worker.core)
        return [] if worker.item is None else [Answer(worker.item, lost=how)]

    def _stop(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_STOP_S)
            worker.process.kill()
            worker.process.join()
            worker.line.close()


def _how_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        memory = ', as when memory is short' if -code == signal.SIGKILL else ''
        return f'the worker was ended by {name}{memory}'
    return f'the worker ended with exit code {code}'


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment for the processes that are started in the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _work(line: 'Connection[_Ready | Ended, Item]', job: FleetJob, version: str, core: int) -> None:
    """Do items until no one sends any more."""
    # Reading ahead is done by a thread, which would take from the core of another worker.
    os.sched_setaffinity(0, {core})
    # The terminal interrupts the whole group; the parent then stops its workers in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    try:
        work = open_work(job, version)
    except ConfigError as error:
        line.send(_Ready(str(error)))
        return
    with suppress(EOFError, OSError):  # the parent is gone
        line.send(_Ready())
        while True:
            line.send(do_item(work, line.recv(), job.out))


def _leave(*_: object) -> None:
    """End as after an exception, so that drafts are removed."""
    raise SystemExit
