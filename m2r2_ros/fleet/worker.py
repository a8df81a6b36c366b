# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What runs where the work is done, whoever brought it there."""

import platform
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from m2r2_ros import __version__
from m2r2_ros.bags.remote.places import as_place, is_remote
from m2r2_ros.bags.remote.stores import HIDDEN
from m2r2_ros.core.errors import ConfigError, M2R2Error, OutputError
from m2r2_ros.core.files import Claim, lock_path
from m2r2_ros.core.reading import why
from m2r2_ros.core.text import excerpt
from m2r2_ros.fleet.items import Ended, Item, State
from m2r2_ros.fleet.job import FleetJob, Work

#: Environment of a worker: one core is one worker's, so that threads would only be in the way.
ONE_THREAD: Final = {
    'OMP_NUM_THREADS': '1',
    'OPENBLAS_NUM_THREADS': '1',
    'MKL_NUM_THREADS': '1',
    'OMP_WAIT_POLICY': 'PASSIVE',
}
#: What lies in a local output folder for as long as there are results: workers that do not see it
#: have another folder of that name.
RUN_NOTE: Final = 'run.json'
_LONGEST_TRACE: Final = 8000


def open_work(job: FleetJob, version: str) -> Work:
    """Return what does the work, once it is clear that this worker is of the same fleet.

    Args:
        job: The work.
        version: Of the package where the run was started.

    Raises:
        ConfigError: The work cannot be done here; the message names the machine.
    """
    here = platform.node()
    if version != __version__:
        msg = (
            f'machine {here} has m2r2_ros {__version__}, the run was started with {version}: '
            'install one version everywhere'
        )
        raise ConfigError(msg)
    out = as_place(job.out)
    if not is_remote(out) and not (out / HIDDEN / RUN_NOTE).is_file():
        msg = (
            f'machine {here} does not see {out}, which the run was started with: give a folder '
            'that all machines share, or a URL'
        )
        raise ConfigError(msg)
    try:
        return job.open()
    except M2R2Error as error:
        msg = f'machine {here}: {error}'
        raise ConfigError(msg) from error
    except Exception as error:
        msg = f'machine {here} cannot do this work: {why(error)}'
        raise ConfigError(msg) from error


def do_item(work: Work, item: Item, out: str) -> Ended:
    """Do the work on a recording; whatever goes wrong with it is an outcome, not an exception.

    Args:
        work: What does it.
        item: The recording.
        out: Folder or URL that results go to.
    """
    began = time.perf_counter()
    try:
        with _claimed(as_place(out), item) as ours:
            if not ours:
                return Ended(item, State.BUSY)
            did = work(item)
    except (M2R2Error, OSError) as error:
        return _failed(item, began, str(error) or type(error).__name__)
    except Exception as error:
        # A mistake of ours, or no memory: no reason to leave thousands of others undone.
        text = excerpt(f'{type(error).__name__}: {error}', 1000)
        trace = traceback.format_exc()[-_LONGEST_TRACE:]
        return _failed(item, began, f'{item.source}: {text}', trace)
    wall = time.perf_counter() - began
    return Ended(item, did.state, did.recorded_s, wall, did.facts)


def _failed(item: Item, began: float, error: str, trace: str = '') -> Ended:
    wall = time.perf_counter() - began
    return Ended(item, State.FAILED, wall_s=wall, error=error, trace=trace)


@contextmanager
def _claimed(out: Path, item: Item) -> Iterator[bool]:
    """Hold a recording against workers of other runs; yields False where one of them has it.

    In an object store nothing can be held: there, of two workers the first one's results stay.

    Raises:
        OutputError: The output folder cannot be written.
    """
    if is_remote(out):
        yield True
        return
    place = out / HIDDEN / 'work' / item.key
    try:
        claim = Claim(out / item.key, lock=lock_path(place))
    except OutputError as error:
        if error.__cause__ is not None:  # what the system says, not another writer
            raise
        yield False
        return
    with claim:
        yield True
