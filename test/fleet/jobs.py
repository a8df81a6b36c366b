# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Work that takes no recording, and what can go wrong with it."""

import os
import signal
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from m2r2_ros.bags.remote.stores import open_store
from m2r2_ros.core.errors import BagError, BundleError
from m2r2_ros.fleet.files_job import FilesJob
from m2r2_ros.fleet.items import Did, Ended, Item, State
from m2r2_ros.fleet.job import Work
from m2r2_ros.fleet.worker import RUN_NOTE


def items_of(names: Iterable[str]) -> list[Item]:
    """Name recordings that are not there."""
    return [Item(f'/recordings/{name}', name) for name in names]


def job_of(out: Path, *, overwrite: bool = False) -> FilesJob:
    """Return work that does what the name of each item says, begun in a folder."""
    open_store(out).note(RUN_NOTE, b'{}')
    return FilesJob('try', str(out), partial(make, str(out)), overwrite=overwrite)


def make(out: str, item: Item, folder: Path) -> Did:
    """Write NAME.txt with the number of the process, or go wrong.

    Names begin with what happens: kill (the worker, each time), once (the worker, the first time),
    bad, bug, slow (until there is a file GO), part (leaves a file and is killed the first time).
    """
    kind = item.name.split('_')[0]
    begun = Path(out, f'.{item.name}.begun')
    first = not begun.exists()
    with begun.open('a') as file:  # also the raylet, where there is one: that is its machine
        file.write(f'{os.getpid()} {os.getppid()}\n')
    (folder / f'{item.name}.txt').write_text(str(os.getpid()))
    if kind == 'kill' or (kind in ('once', 'part') and first):
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == 'bad':
        msg = f'{item.source}: is bad'
        raise BagError(msg)
    if kind == 'bug':
        raise KeyError(item.name)
    while kind == 'slow' and not Path(out, '.GO').exists():
        time.sleep(0.02)
    cores = sorted(os.sched_getaffinity(0))
    node = os.environ.get('NODE', '')
    return Did(State.DONE, 60.0, {'pid': os.getpid(), 'node': node, 'cores': cores})


class ClosedJob(FilesJob):
    """Work that no worker can do."""

    def open(self) -> Work:
        """Refuse."""
        msg = 'no model there'
        raise BundleError(msg)


class DeadlyJob(FilesJob):
    """Work that takes down whoever opens it."""

    def open(self) -> Work:
        """End the process."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def states(ended: Iterable[Ended]) -> dict[str, str]:
    """Return what became of each recording; fails where one ended twice."""
    found: dict[str, str] = {}
    for one in ended:
        assert one.item.name not in found, one
        found[one.item.name] = one.state.value
    return found
