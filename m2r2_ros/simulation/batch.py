# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many episodes, on all cores."""

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from m2r2_ros import __version__
from m2r2_ros.core.errors import ConfigError, SimulationError
from m2r2_ros.core.files import write_text
from m2r2_ros.core.options import Section
from m2r2_ros.simulation.cameras import choose_backend
from m2r2_ros.simulation.config import EpisodeConfig, episode_name

#: Holds the options that the episodes of a folder were made with.
MANIFEST = 'simulation.yaml'


class _Line(NamedTuple):
    """What a worker and its parent share.

    Attributes:
        told: How far an episode is, as (seed, seconds).
        stop: Set when no one waits for episodes any more.
    """

    told: 'SimpleQueue[tuple[int, float]]'
    stop: Event


#: In a worker: the line to its parent.
_line: _Line | None = None


def expect_same_options(folder: Path, config: EpisodeConfig) -> None:
    """Write the options of a folder's episodes beside them, or compare with those there.

    Raises:
        ConfigError: The folder holds episodes that were made with other options.
    """
    manifest = folder / MANIFEST
    wanted = {'m2r2_ros': __version__, **config.to_dict()}
    if not manifest.exists():
        write_text(manifest, yaml.safe_dump(wanted, sort_keys=False))
        return
    expected = 'the options of the episodes there: choose another folder'
    found = Section.read(manifest, expected).entries
    differing = [k for k in wanted if found.get(k) != wanted[k]]
    if differing:
        was = ', '.join(f'{k} {found.get(k)}, not {wanted[k]}' for k in differing)
        msg = (
            f'{manifest}: the episodes there were made with {was}: choose another folder, the same '
            'options, or remove the folder'
        )
        raise ConfigError(msg)


def missing_episodes(folder: Path, seeds: Sequence[int]) -> list[int]:
    """Return the seeds whose bags are not there yet."""
    return [seed for seed in seeds if not (folder / episode_name(seed)).exists()]


def write_episodes(
    folder: Path,
    seeds: Sequence[int],
    config: EpisodeConfig,
    *,
    jobs: int,
    on_progress: Callable[[int, float], None],
) -> dict[int, tuple[float, int, int]]:
    """Write the bags of several episodes.

    Args:
        folder: Where they go.
        seeds: Of the episodes; none of them has a bag there.
        config: Options.
        jobs: Episodes at a time.
        on_progress: Called with a seed and the seconds of it that are done.

    Returns:
        By seed: length in seconds, actions, and how many of them failed.

    Raises:
        BagError: A bag cannot be written.
        SimulationError: An episode cannot be finished.
    """
    context = multiprocessing.get_context('spawn')
    line = _Line(context.SimpleQueue(), context.Event())
    done: dict[int, tuple[float, int, int]] = {}
    workers = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=line)
    try:
        futures = {workers.submit(_work, folder, seed, config): seed for seed in seeds}
        waiting: set[Future[Any]] = set(futures)
        while waiting:
            ended, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
            while not line.told.empty():
                on_progress(*line.told.get())
            for future in ended:
                done[futures[future]] = future.result()
    except BrokenProcessPool as error:
        msg = (
            'a process that simulated was killed, or OpenGL took it down: the same command goes '
            'on, with --jobs 1 if memory is short, or with --no-cameras'
        )
        raise SimulationError(msg) from error
    finally:
        line.stop.set()
        workers.shutdown(wait=True, cancel_futures=True)
    return done


def _begin(told: 'SimpleQueue[tuple[int, float]]', stop: Event) -> None:
    global _line  # noqa: PLW0603 - how a pool hands something to its workers
    _line = _Line(told, stop)
    # The terminal interrupts the whole group; the parent then stops its workers in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    choose_backend()


def _work(folder: Path, seed: int, config: EpisodeConfig) -> tuple[float, int, int]:
    from m2r2_ros.simulation.episode import write_episode  # mujoco, after choose_backend

    # Under another name lies what an interrupted run left.
    actions = write_episode(folder, seed, config, overwrite=True, on_progress=partial(_tell, seed))
    failed = sum(not action.success for action in actions)
    return actions[-1].end, len(actions), failed


def _tell(seed: int, seconds: float) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    assert _line is not None
    if _line.stop.is_set() or not parent.is_alive():
        raise SystemExit
    _line.told.put((seed, seconds))
