# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.fleet.items import State
from m2r2_ros.fleet.processes import ProcessExecutor
from m2r2_ros.fleet.run import FleetRun
from test.fleet.jobs import ClosedJob, DeadlyJob, items_of, job_of, make, states


def test_workers_that_are_lost_leave_nothing_undone(tmp_path: Path) -> None:
    names = ['a', 'once_b', 'bad_c', 'kill_d', 'bug_e', 'part_f', *(f'g{k}' for k in range(20))]
    with ProcessExecutor(job_of(tmp_path), 2) as executor:
        ended = list(FleetRun(items_of(names), executor, tries=2).ended())
        assert executor.workers == 2
    found = states(ended)
    wrong = {'bad_c', 'kill_d', 'bug_e'}
    assert found == {name: 'failed' if name in wrong else 'done' for name in names}
    by_name = {one.item.name: one for one in ended}
    assert by_name['bad_c'].error == '/recordings/bad_c: is bad'
    assert by_name['bad_c'].trace == ''
    assert by_name['bug_e'].error == "/recordings/bug_e: KeyError: 'bug_e'"
    assert 'in make' in by_name['bug_e'].trace
    killed = 'given up after 2 tries: the worker was ended by SIGKILL, as when memory is short'
    assert by_name['kill_d'].error == f'/recordings/kill_d: {killed}'
    assert by_name['once_b'].tries == by_name['part_f'].tries == 2
    assert by_name['a'].tries == 1
    files = {path.name for path in tmp_path.iterdir() if not path.name.startswith('.')}
    assert files == {f'{name}.txt' for name in set(names) - wrong}
    # Nothing is left of what was begun, and few processes did all of it.
    left = [path for path in tmp_path.rglob('*.partial') if path.name != 'kill_d.partial']
    assert left == []
    assert len({one.facts['pid'] for one in ended if one.state is State.DONE}) <= 2 + 4


def test_each_worker_keeps_to_a_core_of_its_own(tmp_path: Path) -> None:
    count = min(2, len(os.sched_getaffinity(0)))
    items = items_of(f'slow_{k}' for k in range(count))
    with ProcessExecutor(job_of(tmp_path), count) as executor:
        run = FleetRun(items, executor, tries=1)
        ended = list(run.ended(lambda: _go_once(tmp_path, count)))
    cores = [one.facts['cores'] for one in ended]
    assert all(len(own) == 1 for own in cores)
    assert len({own[0] for own in cores}) == count


def _go_once(folder: Path, count: int) -> None:
    """Let slow work end once all of it has begun."""
    if len(list(folder.glob('.slow_*.begun'))) == count:
        (folder / '.GO').touch()


def test_a_storm_of_kills_is_survived(tmp_path: Path) -> None:
    names = [f'n{k}' for k in range(60)]
    stop = threading.Event()
    with ProcessExecutor(job_of(tmp_path), 3) as executor:

        def kill() -> None:
            chance = random.Random(0)
            while not stop.wait(0.3):
                try:
                    os.kill(chance.choice(executor.pids), signal.SIGKILL)
                except ProcessLookupError:
                    continue

        storm = threading.Thread(target=kill)
        storm.start()
        threading.Timer(1.5, stop.set).start()
        try:
            ended = list(FleetRun(items_of(names), executor, tries=100).ended())
        finally:
            stop.set()
            storm.join()
    assert states(ended) == dict.fromkeys(names, 'done') | {
        one.item.name: 'kept' for one in ended if one.state is State.KEPT
    }
    assert {path.stem for path in tmp_path.glob('*.txt')} == set(names)


def test_stopping_ends_the_workers_and_leaves_no_drafts(tmp_path: Path) -> None:
    with ProcessExecutor(job_of(tmp_path), 1) as executor:
        pids = executor.pids
        (item,) = items_of(['slow_a'])
        while not executor.room:
            executor.answers(0.1)
        executor.give(item)
        until = time.monotonic() + 30
        while not (tmp_path / '.slow_a.begun').exists():
            assert time.monotonic() < until
            time.sleep(0.02)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert list(tmp_path.rglob('*.partial')) == []
    assert not (tmp_path / 'slow_a.txt').exists()


def test_work_that_no_worker_can_do_ends_the_run(tmp_path: Path) -> None:
    job_of(tmp_path)
    closed = ClosedJob('try', str(tmp_path), make)  # type: ignore[arg-type]
    with (
        ProcessExecutor(closed, 1) as executor,
        pytest.raises(ConfigError, match=r'machine .*: no model there'),
    ):
        list(FleetRun(items_of(['a']), executor, tries=2).ended())
    deadly = DeadlyJob('try', str(tmp_path), make)  # type: ignore[arg-type]
    with (
        ProcessExecutor(deadly, 2) as executor,
        pytest.raises(ConfigError, match=r'end while they start \(.*SIGKILL'),
    ):
        list(FleetRun(items_of(['a']), executor, tries=2).ended())


def test_workers_that_do_not_see_the_folder_say_so(tmp_path: Path) -> None:
    job = job_of(tmp_path)
    (tmp_path / '.m2r2' / 'run.json').unlink()
    with (
        ProcessExecutor(job, 1) as executor,
        pytest.raises(ConfigError, match='a folder that all machines share'),
    ):
        list(FleetRun(items_of(['a']), executor, tries=2).ended())
